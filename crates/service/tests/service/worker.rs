//! Jobs and schedules, done by the worker.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;
use service::worker::{self, WorkerOptions};
use testkit::Shop;
use tokio_util::sync::CancellationToken;

use crate::kitchen::{self, Cook, Tries, audited, open};

async fn jobs(shop: &Shop, state: &str) -> i64 {
    let mut conn = shop.context().db().read_latest().await.unwrap();
    sqlx::query_scalar("select count(*) from ops.job where state = $1").bind(state).fetch_one(&mut *conn).await.unwrap()
}

async fn cook(shop: &Shop, dish: &str) {
    let body = Cook { dish: dish.to_owned(), takes_ms: 0 };
    assert_eq!(shop.post("/store/v1/dishes").json(&body).send().await.status, 201);
}

#[tokio::test]
async fn an_event_has_its_effect_and_its_job_is_done_in_one_transaction() {
    let shop = open(&Tries::default()).await;
    cook(&shop, "soup").await;
    assert_eq!((shop.work_off().await, shop.work_off().await), (1, 0));
    assert_eq!((audited(&shop, "dish.served").await, jobs(&shop, "done").await), (1, 1));
}

#[tokio::test]
async fn a_refused_event_leaves_nothing_but_the_reason() {
    let shop = open(&Tries::default()).await;
    cook(&shop, "burnt").await;
    shop.work_off().await;
    assert_eq!((audited(&shop, "dish.served").await, jobs(&shop, "ready").await), (0, 1));
    let mut conn = shop.context().db().read_latest().await.unwrap();
    let reason: String = sqlx::query_scalar("select last_error from ops.job").fetch_one(&mut *conn).await.unwrap();
    assert_eq!(reason, "burnt: Burnt");
}

#[tokio::test]
async fn a_job_that_fails_or_panics_is_tried_again() {
    let tries = Tries::default();
    let shop = open(&tries).await;
    let mut tx = shop.begin().await;
    tx.enqueue("kitchen.call", &json!({}), None, None).await.unwrap();
    tx.commit().await.unwrap();
    let reasons = async || -> Option<String> {
        let mut conn = shop.context().db().read_latest().await.unwrap();
        sqlx::query_scalar("select last_error from ops.job").fetch_one(&mut *conn).await.unwrap()
    };
    shop.work_off().await;
    assert_eq!(reasons().await.as_deref(), Some("the line is dead"));
    shop.wait(10);
    shop.work_off().await;
    assert_eq!(reasons().await.as_deref(), Some("panicked: the telephone fell down"));
    shop.wait(10);
    shop.work_off().await;
    assert_eq!((tries.load(Ordering::SeqCst), jobs(&shop, "done").await), (3, 1));
}

#[tokio::test]
async fn schedules_tick_and_the_platform_sweeps_its_own_tables() {
    let tries = Tries::default();
    let shop = open(&tries).await;
    assert_eq!(shop.tick().await, 2, "the kitchen's, and the sweep of ops");
    assert_eq!(shop.work_off().await, 2);
    assert_eq!(tries.load(Ordering::SeqCst), 100);
    assert_eq!(shop.tick().await, 0);
    shop.wait(61);
    assert_eq!(shop.tick().await, 1);
    shop.work_off().await;
    assert_eq!(tries.load(Ordering::SeqCst), 200);

    // Eight days later the jobs that are done are forgotten.
    assert_eq!(jobs(&shop, "done").await, 3);
    shop.clock().advance(TimeDelta::days(8));
    shop.tick().await;
    shop.work_off().await;
    assert!(jobs(&shop, "done").await <= 2, "only today's are left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_running_worker_is_woken_by_the_commit_and_finishes_what_it_has_in_hand_when_stopped() {
    let tries = Tries::default();
    let shop = open(&tries).await;
    let stop = CancellationToken::new();
    let options = WorkerOptions { poll: Duration::from_secs(30), ..WorkerOptions::default() };
    let services = vec![kitchen::service(shop.context(), &tries)];
    let running = worker::run(shop.context().clone(), services, options, stop.clone());
    let meanwhile = async {
        // The first tick enqueues the schedules and wakes the worker.
        let begun = Instant::now();
        while tries.load(Ordering::SeqCst) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "the schedule did not tick");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        cook(&shop, "soup").await;
        while audited(&shop, "dish.served").await == 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "it was not woken: its own look is 30 s away");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.cancel();
    };
    tokio::join!(running, meanwhile);
    assert_eq!(jobs(&shop, "running").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_worker_hears_of_work_that_another_process_left() {
    let tries = Tries::default();
    let shop = open(&tries).await;
    let services = vec![kitchen::service(shop.context(), &tries)];
    // Another process: its own pools and its own bell, on the same database.
    let clock = shop.clock().clone();
    let db = db::Db::new(&db::DbOptions::new(shop.database().options()), clock);
    db.set_subscriptions(worker::subscriptions(&services));
    let elsewhere = service::Context::new(db, platform::lifecycle::Tasks::new(), std::sync::Arc::new(testkit::StaffPass::default()), "".into(), true);

    let stop = CancellationToken::new();
    let options = WorkerOptions { poll: Duration::from_secs(30), ..WorkerOptions::default() };
    let worker = worker::run(elsewhere, services, options, stop.clone());
    // Our own process serves requests and has no worker; it only passes wake-ups on.
    let bell = shop.context().db().wake().clone().tell_others(shop.context().db().writer().clone(), stop.clone());
    let meanwhile = async {
        let begun = Instant::now();
        while tries.load(Ordering::SeqCst) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "the schedule did not tick");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        cook(&shop, "soup").await;
        while audited(&shop, "dish.served").await == 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "it was not woken: its own look is 30 s away");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.cancel();
    };
    tokio::join!(worker, bell, meanwhile);
}
