//! Bad releases: each seeded fault is seen from outside, and as bad as it says. The fault points of a checkout are in `faults`.

use std::time::{Duration, Instant};

use checkout::faults::VARIABLE;
use db::local::LocalPostgres;
use sqlx::ConnectOptions;

use crate::books::count;
use crate::process::{Folder, Running};

async fn release(fault: &str) -> (Folder, Running) {
    let folder = Folder::new();
    let running = folder.serve_with(&[], &[(VARIABLE, fault)]).await;
    (folder, running)
}

/// The home page, which is answered from memory where nothing is wrong, and the API.
const PATHS: [&str; 2] = ["/", "/store/v1/products"];

#[tokio::test(flavor = "multi_thread")]
async fn one_request_of_a_hundred_is_answered_with_an_error_and_counted_as_one() {
    let (_folder, running) = release("errors").await;
    let mut failed = 0;
    for path in PATHS.iter().cycle().take(300) {
        match running.get(path).await.status().as_u16() {
            200 => {}
            500 => failed += 1,
            other => panic!("{path}: {other}"),
        }
    }
    assert_eq!(failed, 3);
    let counted: f64 =
        running.metrics().await.lines().filter(|line| line.starts_with("http_requests_total{") && line.contains("code=\"500\"")).map(value).sum();
    assert!((counted - 3.0).abs() < f64::EPSILON, "{counted} counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_requests_of_a_hundred_are_slow_and_measured_as_such() {
    let (_folder, running) = release("slow").await;
    let mut took = Vec::new();
    for path in PATHS.iter().cycle().take(100) {
        let begun = Instant::now();
        assert_eq!(running.get(path).await.status(), 200);
        took.push(begun.elapsed());
    }
    let metrics = running.metrics().await;
    for slow in [33, 66, 99] {
        assert!(took.remove(slow - 1 - (100 - took.len())) >= Duration::from_secs(2), "request {slow} was fast");
    }
    took.sort();
    assert!(took[took.len() / 2] < Duration::from_millis(500), "all are slow: {took:?}");
    let sum: f64 = metrics.lines().filter(|line| line.starts_with("http_request_duration_seconds_sum{")).map(value).sum();
    assert!(sum >= 6.0, "{sum} seconds measured");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_crashes_was_ready_before_it_ends_with_an_error() {
    let (_folder, running) = release("crash").await;
    assert_eq!(running.get("/").await.status(), 200);
    let ended = running.ended().await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("this release crashes"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_fails_is_told_and_leaves_nothing() {
    let folder = Folder::new();
    folder.run(&["migrate"]).await.succeeded();
    let folder = folder.env(VARIABLE, "migration");
    let complaint = folder.run(&["migrate"]).await.failed();
    assert!(complaint.contains("schema catalog could not be migrated") && complaint.contains("division by zero"), "{complaint}");

    let folder = folder.env(VARIABLE, "");
    folder.run(&["migrate"]).await.succeeded();
    let running = folder.serve(&[]).await;
    let mut database = LocalPostgres::attach(&folder.data()).unwrap().unwrap().options("tradewind").connect().await.unwrap();
    assert_eq!(count(&mut database, "select count(*) from information_schema.columns where column_name = 'seeded_fault'").await, 0);
    assert_eq!(count(&mut database, "select count(*) from catalog.migration where version = 9999").await, 0);
    running.terminate().await.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_with_one_more_migration_insists_on_it_and_the_release_before_lives_with_it() {
    let folder = Folder::new();
    let before = folder.serve(&[]).await;
    let address = LocalPostgres::attach(&folder.data()).unwrap().unwrap();
    let mut database = address.options("tradewind").connect().await.unwrap();

    let next = Folder::new().env("DATABASE_URL", &address.url("tradewind")).env("TRADEWIND__WEB__INTERNAL_CREDENTIAL", "a-credential-of-this-test");
    let next = next.env(VARIABLE, "expand");
    let complaint = next.run(&["serve"]).await.failed();
    assert!(complaint.contains("schema catalog lacks migration 9998"), "{complaint}");
    next.run(&["migrate"]).await.succeeded();
    assert_eq!(count(&mut database, "select count(*) from information_schema.columns where column_name = 'seeded_expansion'").await, 1);
    let after = next.serve(&[]).await;
    assert_eq!(
        (before.get("/store/v1/products").await.status(), after.get("/store/v1/products").await.status()),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
    after.terminate().await.succeeded();

    let back = next.env(VARIABLE, "");
    back.run(&["migrate"]).await.succeeded();
    let back = back.serve(&[]).await;
    assert_eq!(back.get("/store/v1/products").await.status(), 200);
    back.terminate().await.succeeded();
    before.terminate().await.succeeded();
}

#[tokio::test]
async fn a_fault_that_there_is_not_is_refused() {
    let folder = Folder::new().env(VARIABLE, "erorrs");
    let complaint = folder.run(&["version"]).await.failed();
    assert!(complaint.contains("erorrs is none of errors, slow, crash, migration, expand, immediate_written"), "{complaint}");
}

fn value(line: &str) -> f64 {
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
