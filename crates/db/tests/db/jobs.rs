//! The queue: at least once, by one worker at a time.

use std::collections::HashSet;
use std::time::Duration;

use chrono::TimeDelta;
use db::jobs::{self, ClaimedJob, FailedJob};
use db::{Actor, Db};
use kernel::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{begin, count, enqueue, noon, open};

const LEASE: Duration = Duration::from_secs(60);

fn worker(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn after(seconds: i64) -> Timestamp {
    noon() + TimeDelta::seconds(seconds)
}

async fn claim(db: &Db, number: u128, most: i64, now: Timestamp) -> Vec<ClaimedJob> {
    let mut conn = db.read_latest().await.unwrap();
    jobs::claim(&mut conn, &[("kitchen.clean".to_owned(), 1)], most, worker(number), LEASE, now).await.unwrap()
}

async fn claim_one(db: &Db, number: u128, now: Timestamp) -> ClaimedJob {
    let mut claimed = claim(db, number, 10, now).await;
    assert_eq!(claimed.len(), 1);
    claimed.remove(0)
}

async fn finish(db: &Db, job: &ClaimedJob, now: Timestamp) -> bool {
    let mut conn = db.read_latest().await.unwrap();
    jobs::finish(&mut conn, job, now).await.unwrap()
}

async fn fail(db: &Db, job: &ClaimedJob, now: Timestamp) -> FailedJob {
    let mut conn = db.read_latest().await.unwrap();
    jobs::fail(&mut conn, job, "the sponge is gone", now).await.unwrap()
}

async fn states(db: &Db) -> Vec<(String, i32)> {
    let mut conn = db.read_latest().await.unwrap();
    sqlx::query_as("select state, attempts from ops.job order by id").fetch_all(&mut *conn).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_workers_at_once_do_every_job_exactly_once() {
    let db = open().await;
    for number in 0..200 {
        enqueue(&db, "kitchen.clean", &json!(number)).await;
    }
    let workers = (1..=8).map(|number| {
        let db = db.clone();
        #[expect(clippy::disallowed_methods, reason = "a test waits for its own tasks")]
        tokio::spawn(async move {
            let mut done = Vec::new();
            loop {
                let claimed = claim(&db, number, 3, noon()).await;
                if claimed.is_empty() {
                    return done;
                }
                for job in claimed {
                    assert!(finish(&db, &job, noon()).await);
                    done.push(job.id);
                }
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut done = Vec::new();
    for worker in workers {
        done.extend(worker.await.unwrap());
    }
    // A worker that looks while all others have locked what is left goes home early; what they locked, they do.
    assert_eq!(done.len(), 200);
    assert_eq!(done.iter().collect::<HashSet<_>>().len(), 200);
}

#[tokio::test]
async fn a_job_that_another_transaction_holds_is_skipped_not_waited_for() {
    let db = open().await;
    enqueue(&db, "kitchen.clean", &json!(1)).await;
    enqueue(&db, "kitchen.clean", &json!(2)).await;
    let mut tx = begin(&db).await;
    let first = jobs::claim(tx.conn(), &[("kitchen.clean".to_owned(), 1)], 1, worker(1), LEASE, noon()).await.unwrap();
    let second = claim(&db, 2, 10, noon()).await;
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first.first().map(|job| job.id), second.first().map(|job| job.id));
}

#[tokio::test]
async fn a_lease_that_ran_out_gives_the_job_to_another_and_the_first_can_no_longer_end_it() {
    let db = open().await;
    enqueue(&db, "kitchen.clean", &json!(1)).await;
    let first = claim_one(&db, 1, noon()).await;
    assert!(claim(&db, 2, 10, after(60)).await.is_empty(), "the lease holds to its last moment");

    let second = claim_one(&db, 2, after(61)).await;
    assert_eq!((second.id, second.attempts), (first.id, 2));
    assert!(!finish(&db, &first, after(62)).await);
    assert_eq!(fail(&db, &first, after(62)).await, FailedJob::Lost);
    assert!(finish(&db, &second, after(63)).await);
    assert_eq!(states(&db).await, [("done".to_owned(), 2)]);
}

#[tokio::test]
async fn a_worker_that_claims_its_own_lost_job_anew_can_end_only_the_second_attempt() {
    let db = open().await;
    enqueue(&db, "kitchen.clean", &json!(1)).await;
    let first = claim_one(&db, 1, noon()).await;
    let second = claim_one(&db, 1, after(61)).await;
    assert!(!finish(&db, &first, after(62)).await);
    assert!(finish(&db, &second, after(62)).await);
}

#[tokio::test]
async fn a_failed_job_waits_twice_as_long_each_time() {
    let db = open().await;
    enqueue(&db, "kitchen.clean", &json!(1)).await;
    let mut now = noon();
    for shortest_ms in [500, 1_000, 2_000, 4_000] {
        let job = claim_one(&db, 1, now).await;
        let FailedJob::Retried(at) = fail(&db, &job, now).await else { panic!("not retried") };
        let waits = (at - now).num_milliseconds();
        assert!((shortest_ms..=shortest_ms * 5 / 4).contains(&waits), "{waits}");
        assert!(claim(&db, 1, 10, at - TimeDelta::milliseconds(1)).await.is_empty());
        now = at;
    }
    let mut conn = db.read_latest().await.unwrap();
    assert_eq!(count(&mut conn, "ops.job where last_error = 'the sponge is gone' and leased_by is null").await, 1);
}

#[tokio::test]
async fn a_job_that_fails_for_the_last_time_is_dead_and_can_be_replayed() {
    let db = open().await;
    enqueue(&db, "kitchen.clean", &json!(1)).await;
    let mut ended = Vec::new();
    for attempt in 0..20 {
        let now = after(attempt * 7_200);
        let job = claim_one(&db, 1, now).await;
        ended.push(fail(&db, &job, now).await);
    }
    assert_eq!(ended.iter().filter(|end| matches!(end, FailedJob::Retried(_))).count(), 19);
    assert_eq!(ended.last(), Some(&FailedJob::Dead));
    let now = after(1_000_000);
    assert!(claim(&db, 1, 10, now).await.is_empty());

    let mut conn = db.read_latest().await.unwrap();
    let id: Uuid = sqlx::query_scalar("select id from ops.job").fetch_one(&mut *conn).await.unwrap();
    assert!(jobs::replay(&mut conn, id, now).await.unwrap());
    assert!(!jobs::replay(&mut conn, id, now).await.unwrap(), "it is no longer dead");
    drop(conn);
    assert_eq!(claim_one(&db, 1, now).await.attempts, 1);
}

#[tokio::test]
async fn a_job_that_kills_its_worker_every_time_is_laid_to_rest() {
    let db = open().await;
    enqueue(&db, "kitchen.clean", &json!(1)).await;
    let claims: Vec<usize> = {
        let mut claims = Vec::new();
        for attempt in 0..25 {
            claims.push(claim(&db, 1, 10, after(attempt * 61)).await.len());
        }
        claims
    };
    assert_eq!(claims.iter().sum::<usize>(), 20);
    let mut conn = db.read_latest().await.unwrap();
    assert_eq!(count(&mut conn, "ops.job where state = 'dead' and last_error like 'the lease of the last attempt ran out%'").await, 1);
}

#[tokio::test]
async fn a_second_job_with_the_same_key_waits_for_the_first_to_end() {
    let db = open().await;
    let enqueue_keyed = async |key: &str| {
        let mut tx = begin(&db).await;
        tx.enqueue("kitchen.clean", &json!(key), Some(key), None).await.unwrap();
        tx.commit().await.unwrap();
    };
    enqueue_keyed("sink").await;
    enqueue_keyed("sink").await;
    enqueue_keyed("stove").await;
    assert_eq!(states(&db).await.len(), 2);
    let claimed = claim(&db, 1, 10, noon()).await;
    enqueue_keyed("sink").await;
    assert_eq!(states(&db).await.len(), 2, "not while it runs either");
    for job in &claimed {
        assert!(finish(&db, job, noon()).await);
    }
    enqueue_keyed("sink").await;
    assert_eq!(states(&db).await.len(), 3);
}

#[tokio::test]
async fn a_dead_job_is_not_replayed_beside_a_living_one_of_the_same_key() {
    let db = open().await;
    let mut tx = begin(&db).await;
    tx.enqueue("kitchen.clean", &Value::Null, Some("sink"), None).await.unwrap();
    sqlx::query("update ops.job set state = 'dead', finished_at = run_at").execute(tx.conn()).await.unwrap();
    tx.enqueue("kitchen.clean", &Value::Null, Some("sink"), None).await.unwrap();
    let dead: Uuid = sqlx::query_scalar("select id from ops.job where state = 'dead'").fetch_one(tx.conn()).await.unwrap();
    assert!(!jobs::replay(tx.conn(), dead, noon()).await.unwrap());
}

#[tokio::test]
async fn a_version_or_kind_the_worker_does_not_know_is_left_alone_without_counting_an_attempt() {
    let db = open().await;
    enqueue(&db, "kitchen.clean", &json!(1)).await;
    enqueue(&db, "kitchen.paint", &json!(1)).await;
    let mut conn = db.read_latest().await.unwrap();
    sqlx::query("update ops.job set version = 2 where kind = 'kitchen.clean'").execute(&mut *conn).await.unwrap();
    assert!(claim(&db, 1, 10, noon()).await.is_empty());
    assert_eq!(states(&db).await, [("ready".to_owned(), 0), ("ready".to_owned(), 0)]);

    let newer = jobs::claim(&mut conn, &[("kitchen.clean".to_owned(), 2)], 10, worker(1), LEASE, noon()).await.unwrap();
    assert_eq!(newer.iter().map(|job| (job.version, job.attempts)).collect::<Vec<_>>(), [(2, 1)]);
}

#[tokio::test]
async fn work_for_later_is_not_due_before() {
    let db = open().await;
    let mut tx = begin(&db).await;
    tx.enqueue("kitchen.clean", &json!(1), None, Some(after(10))).await.unwrap();
    tx.commit().await.unwrap();
    assert!(claim(&db, 1, 10, after(9)).await.is_empty());
    assert_eq!(claim(&db, 1, 10, after(10)).await.len(), 1);
}

async fn declare(db: &Db, every_seconds: i32, now: Timestamp) {
    let mut conn = db.read_latest().await.unwrap();
    jobs::declare_schedule(&mut conn, "kitchen.clean", "kitchen.clean", every_seconds, now).await.unwrap();
}

async fn run_schedules(db: &Db, now: Timestamp) -> usize {
    let mut tx = begin(db).await;
    let due = jobs::run_schedules(tx.conn(), now).await.unwrap();
    tx.commit().await.unwrap();
    due
}

#[tokio::test]
async fn a_schedule_ticks_once_however_many_processes_watch_it() {
    let db = open().await;
    declare(&db, 60, noon()).await;
    let mut leader = db.begin(Actor::system("leader")).await.unwrap();
    assert_eq!(jobs::run_schedules(leader.conn(), noon()).await.unwrap(), 1);
    // The leader has not committed: another process is not the leader and does nothing.
    assert_eq!(run_schedules(&db, noon()).await, 0);
    leader.commit().await.unwrap();
    assert_eq!(run_schedules(&db, noon()).await, 0, "the tick is over");
    assert_eq!(run_schedules(&db, after(59)).await, 0);
    let job = claim_one(&db, 1, after(59)).await;
    assert!(finish(&db, &job, after(59)).await);
    assert_eq!(run_schedules(&db, after(60)).await, 1);
    assert_eq!(states(&db).await.len(), 2);
}

#[tokio::test]
async fn a_schedule_whose_last_run_still_waits_or_runs_is_not_enqueued_twice() {
    let db = open().await;
    declare(&db, 1, noon()).await;
    for second in 0..5 {
        run_schedules(&db, after(second)).await;
    }
    assert_eq!(states(&db).await.len(), 1);
    claim_one(&db, 1, after(5)).await;
    run_schedules(&db, after(6)).await;
    assert_eq!(states(&db).await, [("running".to_owned(), 1)]);
}

#[tokio::test]
async fn a_failed_run_is_tried_again_at_the_schedules_pace() {
    let db = open().await;
    declare(&db, 5, noon()).await;
    let mut now = noon();
    for _ in 0..12 {
        run_schedules(&db, now).await;
        let job = claim_one(&db, 1, now).await;
        assert!(matches!(fail(&db, &job, now).await, FailedJob::Retried(_)));
        now += TimeDelta::seconds(5);
    }
}

#[tokio::test]
async fn a_shortened_interval_takes_effect_at_once_and_a_repeated_declaration_changes_nothing() {
    let db = open().await;
    declare(&db, 86_400, noon()).await;
    assert_eq!(run_schedules(&db, noon()).await, 1);
    declare(&db, 86_400, after(10)).await;
    assert_eq!(run_schedules(&db, after(3_600)).await, 0);
    declare(&db, 60, after(3_600)).await;
    assert_eq!(run_schedules(&db, after(3_659)).await, 0);
    assert_eq!(run_schedules(&db, after(3_660)).await, 1);
}

#[tokio::test]
async fn only_what_is_old_is_forgotten() {
    let db = open().await;
    let mut tx = begin(&db).await;
    let now = noon();
    for (state, days) in [("done", 6), ("done", 8), ("dead", 89), ("dead", 91)] {
        sqlx::query(
            "insert into ops.job (id, kind, payload, state, run_at, created_at, finished_at, dedup_key)
             values (gen_random_uuid(), 'kitchen.clean', '1', $1, $2, $2, $2, $1 || $3)",
        )
        .bind(state)
        .bind(now - TimeDelta::days(days))
        .bind(days.to_string())
        .execute(tx.conn())
        .await
        .unwrap();
    }
    for (number, days) in [(1_u128, 29), (2, 31), (3, 31)] {
        sqlx::query("insert into ops.event (id, name, version, payload, actor, occurred_at) values ($1, 'a', 1, '1', 'test', $2)")
            .bind(Uuid::from_u128(number))
            .bind(now - TimeDelta::days(days))
            .execute(tx.conn())
            .await
            .unwrap();
    }
    // An old event whose job is dead and not yet forgotten is kept with it.
    sqlx::query("update ops.job set event_id = $1 where state = 'dead' and finished_at > $2")
        .bind(Uuid::from_u128(3))
        .bind(now - TimeDelta::days(90))
        .execute(tx.conn())
        .await
        .unwrap();
    for (key, hours) in [("old", -1), ("new", 1)] {
        sqlx::query(
            "insert into ops.idempotency_key (surface, actor, route, key, request_hash, state, lease_until, created_at, expires_at)
             values ('store', 'guest', 'POST /', $1, '', 'running', $2, $2, $2)",
        )
        .bind(key)
        .bind(now + TimeDelta::hours(hours))
        .execute(tx.conn())
        .await
        .unwrap();
    }
    assert_eq!(jobs::sweep(tx.conn(), now).await.unwrap(), 4);
    assert_eq!(jobs::sweep(tx.conn(), now).await.unwrap(), 0);
    let left: Vec<String> =
        sqlx::query_scalar("select dedup_key from ops.job union all select id::text from ops.event union all select key from ops.idempotency_key order by 1")
            .fetch_all(tx.conn())
            .await
            .unwrap();
    assert_eq!(left, ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000003", "dead89", "done6", "new"]);
}

#[tokio::test]
async fn each_queue_tells_what_waits_runs_and_is_dead_and_how_late_its_news_is() {
    let db = open().await;
    for number in 0..3 {
        enqueue(&db, "kitchen.clean", &json!(number)).await;
    }
    claim(&db, 1, 1, noon()).await;
    let mut conn = db.read_latest().await.unwrap();
    sqlx::query(
        "insert into ops.job (id, kind, event_id, payload, state, run_at, attempts, created_at, finished_at) values
           (gen_random_uuid(), 'pantry.hear', gen_random_uuid(), '{}', 'ready', $1, 0, $1, null),
           (gen_random_uuid(), 'pantry.hear', gen_random_uuid(), '{}', 'ready', $1 + interval '1 hour', 3, $1, null),
           (gen_random_uuid(), 'pantry.hear', gen_random_uuid(), '{}', 'dead', $1, 20, $1, $1),
           (gen_random_uuid(), 'pantry.hear', gen_random_uuid(), '{}', 'done', $1, 1, $1, $1)",
    )
    .bind(after(10))
    .execute(&mut *conn)
    .await
    .unwrap();
    let figures = jobs::figures(&mut conn, after(30)).await.unwrap();
    let queue = |name: &str| jobs::QueueFigures { queue: name.to_owned(), ..jobs::QueueFigures::default() };
    let kitchen = jobs::QueueFigures { due: 2, running: 1, oldest_due_seconds: 30, ..queue("kitchen") };
    let pantry = jobs::QueueFigures { due: 1, retrying: 1, dead: 1, oldest_due_seconds: 20, oldest_event_seconds: 20, ..queue("pantry") };
    assert_eq!(figures, [kitchen, pantry]);
}
