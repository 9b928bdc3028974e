//! Two workers that are killed again and again: each event has its effect, and has it once.

use std::time::{Duration, Instant};

use payments_api::{AttemptId, CaptureId, PaymentCaptured};
use serde_json::Value;
use sqlx::{ConnectOptions, PgConnection};
use testkit::TestDatabase;

use crate::books::{count, small_shop, text};
use crate::process::{Folder, Running};
use crate::shopper::Shopper;

const ORDERS: i64 = 20;
const EVENTS_PER_ORDER: i64 = 40;
const KILLS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_killed_at_random_produce_each_events_effect_exactly_once() {
    let database = TestDatabase::create(&[]).await;
    let folder = Folder::new()
        .env("DATABASE_URL", &database.url())
        .env("TRADEWIND__DEMO", "true")
        .env("TRADEWIND__WORKER__LEASE_MS", "3000")
        .env("TRADEWIND__WORKER__POLL_MS", "20");
    folder.run(&["migrate"]).await.succeeded();
    folder.run(&["seed", "--from", small_shop(&folder, &[1_000]).to_str().unwrap()]).await.succeeded();
    let api = folder.serve(&["--target", "api"]).await;
    let mut orders = Vec::new();
    for _ in 0..ORDERS {
        let bought = Shopper::come_in(&api).await.completes(&api, None, 200).await;
        orders.push(text(&bought["order"]["id"]));
    }
    let mut books = database.options().connect().await.unwrap();
    // News of captures, each of another amount, so that each leaves a mark of its own in its order's timeline.
    let ids: Vec<uuid::Uuid> = orders.iter().map(|id| id.parse::<orders_api::OrderId>().unwrap().uuid()).collect();
    let payload = news_of_a_capture(ids[0]);
    let written = sqlx::query(
        "with event as (
             insert into ops.event (id, name, version, payload, actor, subscribers, occurred_at)
             select gen_random_uuid(), 'payments.PaymentCaptured', 1,
                    jsonb_set(jsonb_set($1, '{order_id}', to_jsonb(paid::text)), '{amount,amount}', to_jsonb(amount)), 'system:test', 1, now()
             from unnest($2::uuid[]) as paid, generate_series(1, $3) as amount
             returning id, payload
         )
         insert into ops.job (id, kind, version, event_id, payload, run_at, created_at)
         select gen_random_uuid(), 'orders.note_capture', 1, id, payload, now(), now() from event",
    );
    let written = written.bind(payload).bind(&ids).bind(EVENTS_PER_ORDER).execute(&mut books).await.unwrap();
    assert_eq!(written.rows_affected(), u64::try_from(ORDERS * EVENTS_PER_ORDER).unwrap());

    let begun = Instant::now();
    let mut workers = [Some(start(&folder).await), Some(start(&folder).await)];
    let mut kills = 0;
    let left = "select count(*) from ops.job where kind = 'orders.note_capture' and state in ('ready', 'running')";
    while count(&mut books, left).await > 0 {
        assert!(begun.elapsed() < PATIENCE, "left after {kills} kills: {:?}", what_is_left(&mut books).await);
        let [chance, which] = kernel::random::bytes::<2>();
        tokio::time::sleep(Duration::from_millis(100 + 4 * u64::from(chance))).await;
        // A job is dead after twenty attempts, and no job shall be so unlucky.
        if kills == KILLS {
            continue;
        }
        let worker = &mut workers[usize::from(which % 2)];
        // The other one goes on meanwhile, and takes over what this one had in hand when its lease ends.
        assert_eq!(worker.take().unwrap().kill9().await.signal(), Some(9));
        kills += 1;
        *worker = Some(start(&folder).await);
    }
    let effects = "select count(*) from orders.timeline_entry where kind = 'capture_succeeded'";
    let distinct = "select count(*) from (select distinct order_id, detail from orders.timeline_entry where kind = 'capture_succeeded') as mark";
    let all = ORDERS * EVENTS_PER_ORDER;
    assert_eq!((count(&mut books, effects).await, count(&mut books, distinct).await), (all, all), "after {kills} kills");
    let taken_over = "select count(*) from ops.job where kind = 'orders.note_capture' and attempts > 1";
    assert!(kills >= 3 && count(&mut books, taken_over).await > 0, "{kills} kills, and no worker had anything in hand");
    assert_eq!(count(&mut books, "select count(*) from ops.job where state = 'dead'").await, 0);
    let in_each_others_way = "select count(*) from ops.job where last_error like '%deadlock%'";
    assert_eq!(count(&mut books, in_each_others_way).await, 0, "news of one order is written down one after the other");
    for worker in workers.into_iter().flatten() {
        worker.terminate().await.succeeded();
    }
    api.terminate().await.succeeded();
}

/// The jobs that are not done, with how often they were begun and why the last time was in vain.
async fn what_is_left(books: &mut PgConnection) -> Vec<String> {
    let left = "select state || ', begun ' || attempts || ' times, due at ' || run_at || ' (now ' || now() || '): ' || coalesce(last_error, 'no error')
                from ops.job where kind = 'orders.note_capture' and state in ('ready', 'running') limit 10";
    sqlx::query_scalar(left).fetch_all(books).await.unwrap()
}

async fn start(folder: &Folder) -> Running {
    folder.serve(&["--target", "worker"]).await
}

/// The event as `payments` writes it.
fn news_of_a_capture(order: uuid::Uuid) -> Value {
    let now = kernel::Clock::system().now();
    let amount = kernel::Money::new(1, "EUR".parse().unwrap());
    serde_json::to_value(PaymentCaptured { capture_id: CaptureId::new(now), attempt_id: AttemptId::new(now), order_id: order, amount }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_runs_at_its_pace_however_many_workers_there_are_and_goes_on_when_its_leader_is_killed() {
    const PACE: Duration = Duration::from_secs(1);
    let database = TestDatabase::create(&[]).await;
    let folder =
        Folder::new().env("DATABASE_URL", &database.url()).env("TRADEWIND__PAYMENTS__RECONCILE_EVERY_MS", "1000").env("TRADEWIND__WORKER__POLL_MS", "20");
    folder.run(&["migrate"]).await.succeeded();
    let mut books = database.options().connect().await.unwrap();
    let runs = "select count(*) from ops.job where kind = 'payments.reconcile' and state = 'done'";
    let mut workers = vec![start(&folder).await, start(&folder).await, start(&folder).await];
    let (first, begun) = (count(&mut books, runs).await, Instant::now());
    tokio::time::sleep(PACE * 5).await;
    let ran = count(&mut books, runs).await - first;
    let most = i64::try_from(begun.elapsed().as_secs()).unwrap() + 2;
    assert!((2..=most).contains(&ran), "three workers ran it {ran} times in {:?}", begun.elapsed());
    while workers.len() > 1 {
        workers.pop().unwrap().kill9().await;
        let (before, killed) = (count(&mut books, runs).await, Instant::now());
        while count(&mut books, runs).await < before + 2 {
            assert!(killed.elapsed() < Duration::from_secs(60), "nobody took the lead");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    for worker in workers {
        worker.terminate().await.succeeded();
    }
}
