//! What staff see of the queue, and what they put back into it.

use db::jobs::{self, FailedJob};
use kernel::Page;
use kernel::audit::AuditEntryAnswer;
use kernel::jobs::{JobAnswer, JobFigures, JobState, QueueAnswer, QueueList, ScheduleAnswer, ScheduleList};
use serde_json::json;
use testkit::Shop;

use crate::kitchen::{Tries, audited, open};

/// Writes jobs of a kind that nobody does and lets them fail for the last time, a second apart.
async fn bury(shop: &Shop, kind: &str, dedup_keys: &[&str]) {
    for key in dedup_keys {
        let mut tx = shop.begin().await;
        tx.enqueue(kind, &json!({ "dish": key }), Some(key), None).await.unwrap();
        sqlx::query("update ops.job set max_attempts = 1 where state = 'ready'").execute(tx.conn()).await.unwrap();
        let worker = uuid::Uuid::from_u128(1);
        let now = shop.context().now();
        let known = [(kind.to_owned(), 1)];
        let claimed = jobs::claim(tx.conn(), &known, 1, worker, std::time::Duration::from_secs(60), now).await.unwrap();
        assert_eq!(jobs::fail(tx.conn(), &claimed[0], "out of gas", now).await.unwrap(), FailedJob::Dead);
        tx.commit().await.unwrap();
        shop.wait(1);
    }
}

async fn list(shop: &Shop, query: &str) -> Page<JobAnswer> {
    shop.staff("GET", &format!("/admin/v1/jobs?{query}")).send().await.expect(200)
}

#[tokio::test]
async fn dead_jobs_are_listed_latest_first_page_by_page_and_by_kind() {
    let shop = open(&Tries::default()).await;
    bury(&shop, "kitchen.fry", &["egg", "fish", "leek"]).await;
    bury(&shop, "kitchen.boil", &["rice"]).await;
    let dishes = |page: &Page<JobAnswer>| page.items.iter().map(|job| job.payload["dish"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let first = list(&shop, "limit=3").await;
    assert_eq!(dishes(&first), ["rice", "leek", "fish"]);
    assert_eq!(first.items[0].last_error.as_deref(), Some("out of gas"));
    let second = list(&shop, &format!("limit=3&after={}", first.next.unwrap())).await;
    assert_eq!((dishes(&second), second.next), (vec!["egg".to_owned()], None));
    assert_eq!(dishes(&list(&shop, "state=dead&kind=kitchen.boil").await), ["rice"]);
    assert_eq!(list(&shop, "state=ready").await.items, []);
    let figures: JobFigures = shop.staff("GET", "/admin/v1/job-figures").send().await.expect(200);
    assert_eq!(figures, JobFigures { dead: 4, ..JobFigures::default() });
}

#[tokio::test]
async fn waiting_jobs_are_listed_by_the_moment_they_run_and_done_ones_latest_first() {
    let shop = open(&Tries::default()).await;
    let mut tx = shop.begin().await;
    for (dish, minutes) in [("late", 9), ("soon", 3), ("middle", 6)] {
        let at = tx.now() + chrono::TimeDelta::minutes(minutes);
        tx.enqueue("kitchen.fry", &json!({ "dish": dish }), None, Some(at)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = list(&shop, &format!("state=ready&limit=1{after}")).await;
        seen.extend(page.items.iter().map(|job| job.payload["dish"].as_str().unwrap().to_owned()));
        let Some(next) = page.next else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, ["soon", "middle", "late"]);
    let mut conn = shop.context().db().read_latest().await.unwrap();
    sqlx::query("update ops.job set state = 'done', finished_at = run_at").execute(&mut *conn).await.unwrap();
    let done = list(&shop, "state=done").await;
    assert_eq!(
        done.items.iter().map(|job| (job.payload["dish"].as_str().unwrap(), job.state)).collect::<Vec<_>>(),
        [("late", JobState::Done), ("middle", JobState::Done), ("soon", JobState::Done)]
    );
}

#[tokio::test]
async fn a_dead_job_is_put_back_once_and_written_down() {
    let shop = open(&Tries::default()).await;
    bury(&shop, "kitchen.fry", &["egg"]).await;
    let id = list(&shop, "").await.items[0].id;
    let path = format!("/admin/v1/jobs/{id}");
    let replayed: JobAnswer = shop.staff("POST", &format!("{path}/replay")).send().await.expect(200);
    assert_eq!((replayed.state, replayed.attempts, replayed.finished_at), (JobState::Ready, 0, None));
    assert_eq!(shop.staff("GET", &path).send().await.expect::<JobAnswer>(200), replayed);
    shop.staff("POST", &format!("{path}/replay")).send().await.expect_problem(409, "job_not_dead");
    assert_eq!(audited(&shop, "job.replayed").await, 1);
}

#[tokio::test]
async fn a_dead_job_is_not_put_back_beside_a_newer_one_of_the_same_work() {
    let shop = open(&Tries::default()).await;
    bury(&shop, "kitchen.fry", &["egg"]).await;
    let id = list(&shop, "").await.items[0].id;
    let mut tx = shop.begin().await;
    tx.enqueue("kitchen.fry", &json!({ "dish": "egg" }), Some("egg"), None).await.unwrap();
    tx.commit().await.unwrap();
    shop.staff("POST", &format!("/admin/v1/jobs/{id}/replay")).send().await.expect_problem(409, "job_superseded");
    assert_eq!(audited(&shop, "job.replayed").await, 0);
}

#[tokio::test]
async fn viewers_look_and_do_not_replay_and_nobody_else_sees_anything() {
    let shop = open(&Tries::default()).await;
    bury(&shop, "kitchen.fry", &["egg"]).await;
    let id = list(&shop, "").await.items[0].id;
    let as_viewer = |method, path: &str| shop.request(method, path).bearer(shop.pass().view_only());
    as_viewer("GET", "/admin/v1/jobs").send().await.expect_status(200);
    as_viewer("POST", &format!("/admin/v1/jobs/{id}/replay")).send().await.expect_problem(403, "forbidden");
    for path in ["/admin/v1/jobs", "/admin/v1/job-figures", "/admin/v1/job-queues", "/admin/v1/job-schedules", &format!("/admin/v1/jobs/{id}")] {
        as_viewer("GET", path).send().await.expect_status(200);
        shop.get(path).send().await.expect_problem(401, "unauthenticated");
    }
    shop.staff("GET", "/admin/v1/jobs/job_00000000000000000000000001").send().await.expect_problem(404, "job_not_found");
    shop.staff("GET", "/admin/v1/jobs?state=lost").send().await.expect_problem(400, "invalid_query");
    shop.staff("GET", "/admin/v1/jobs?after=x").send().await.expect_problem(400, "invalid_query");
}

#[tokio::test]
async fn queues_tell_what_waits_what_is_tried_again_and_what_is_dead_of_each_service() {
    let shop = open(&Tries::default()).await;
    bury(&shop, "kitchen.fry", &["egg"]).await;
    let mut tx = shop.begin().await;
    for (kind, minutes) in [("kitchen.boil", -3), ("kitchen.fry", 5), ("cellar.fetch", -1)] {
        let at = tx.now() + chrono::TimeDelta::minutes(minutes);
        tx.enqueue(kind, &json!({}), None, Some(at)).await.unwrap();
    }
    sqlx::query("update ops.job set attempts = 2 where kind = 'kitchen.boil'").execute(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
    let queues: QueueList = shop.staff("GET", "/admin/v1/job-queues").send().await.expect(200);
    let queue = |name: &str, waiting, retrying, dead, oldest_due_seconds| QueueAnswer {
        queue: name.to_owned(),
        waiting,
        retrying,
        running: 0,
        dead,
        oldest_due_seconds,
    };
    assert_eq!(queues.items, [queue("cellar", 1, 0, 0, 60), queue("kitchen", 2, 1, 1, 180)]);
}

#[tokio::test]
async fn schedules_tell_their_next_run_the_last_one_and_what_went_wrong_last() {
    let shop = open(&Tries::default()).await;
    let clean = async || {
        let list: ScheduleList = shop.staff("GET", "/admin/v1/job-schedules").send().await.expect(200);
        list.items.into_iter().find(|schedule| schedule.name == "kitchen.clean").unwrap()
    };
    shop.tick().await;
    let begun = shop.context().now();
    let ScheduleAnswer { every_seconds, next_run_at, last_run_at, last_failure, .. } = clean().await;
    assert_eq!((every_seconds, next_run_at, last_run_at, last_failure), (60, begun + chrono::TimeDelta::seconds(60), None, None));
    shop.work_off().await;
    assert_eq!(clean().await.last_run_at, Some(begun));

    shop.wait(60);
    shop.tick().await;
    let worker = uuid::Uuid::from_u128(1);
    let known = [("kitchen.clean".to_owned(), 1)];
    let mut tx = shop.begin().await;
    let now = tx.now();
    let claimed = jobs::claim(tx.conn(), &known, 1, worker, std::time::Duration::from_secs(60), now).await.unwrap();
    assert!(matches!(jobs::fail(tx.conn(), &claimed[0], "no water", now).await.unwrap(), FailedJob::Retried(_)));
    tx.commit().await.unwrap();
    let failing = clean().await;
    let failure = failing.last_failure.unwrap();
    assert_eq!((failure.error.as_str(), failure.state, failing.last_run_at), ("no water", JobState::Ready, Some(begun)));
    assert!(failure.at > now, "when it is tried again");
    shop.wait(2);
    shop.work_off().await;
    let mended = clean().await;
    assert_eq!(mended.last_run_at, Some(shop.context().now()));
    let kept = mended.last_failure.map(|failure| (failure.error, failure.state));
    assert_eq!(kept, Some(("no water".to_owned(), JobState::Done)), "what went wrong is not forgotten");
}

#[tokio::test]
async fn what_was_done_to_a_record_is_told_latest_first_and_nothing_of_other_records() {
    let shop = open(&Tries::default()).await;
    for (action, subject) in [("dish.cooked", "egg"), ("dish.served", "egg"), ("dish.cooked", "rice")] {
        let mut tx = shop.begin().await;
        tx.audit(action, subject, json!({ "salt": true })).await.unwrap();
        tx.commit().await.unwrap();
        shop.wait(1);
    }
    let list = async |query: &str| shop.staff("GET", &format!("/admin/v1/audit-entries?{query}")).send().await.expect::<Page<AuditEntryAnswer>>(200);
    let actions = |page: &Page<AuditEntryAnswer>| page.items.iter().map(|entry| entry.action.clone()).collect::<Vec<_>>();
    let all = list("subject=egg").await;
    assert_eq!(actions(&all), ["dish.served", "dish.cooked"]);
    assert_eq!((all.items[0].subject.as_str(), all.items[0].detail["salt"].as_bool()), ("egg", Some(true)));
    let first = list("subject=egg&limit=1").await;
    let second = list(&format!("subject=egg&limit=1&after={}", first.next.clone().unwrap())).await;
    assert_eq!((actions(&first), actions(&second), second.next), (vec!["dish.served".to_owned()], vec!["dish.cooked".to_owned()], None));
    for wrong in ["", "subject=", "subject=egg&after=x"] {
        shop.staff("GET", &format!("/admin/v1/audit-entries?{wrong}")).send().await.expect_problem(400, "invalid_query");
    }
    shop.get("/admin/v1/audit-entries?subject=egg").send().await.expect_problem(401, "unauthenticated");
}
