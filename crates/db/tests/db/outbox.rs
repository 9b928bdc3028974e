//! The unit of work and what it carries along.

use chrono::TimeDelta;
use db::{Subscriber, Subscriptions};
use kernel::Event;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{begin, count, noon, open};

#[derive(Debug, Serialize, Deserialize)]
struct KettleBoiled {
    degrees: i32,
}

impl Event for KettleBoiled {
    const NAME: &'static str = "kitchen.KettleBoiled";
    const VERSION: i32 = 2;
}

fn two_subscribers() -> Subscriptions {
    let mut subscriptions = Subscriptions::default();
    for kind in ["tea.brew", "coffee.brew"] {
        subscriptions.add(KettleBoiled::NAME, Subscriber { kind: kind.to_owned() });
    }
    subscriptions
}

#[tokio::test]
async fn an_event_is_one_row_and_one_job_per_subscriber_once_it_commits() {
    let db = open().await;
    db.set_subscriptions(two_subscribers());
    let mut tx = begin(&db).await;
    tx.publish(&KettleBoiled { degrees: 100 }).await.unwrap();
    tx.commit().await.unwrap();

    let mut conn = db.read_latest().await.unwrap();
    let events: Vec<(String, i32, serde_json::Value, String)> =
        sqlx::query_as("select name, version, payload, actor from ops.event").fetch_all(&mut *conn).await.unwrap();
    assert_eq!(events, [("kitchen.KettleBoiled".to_owned(), 2, json!({ "degrees": 100 }), "system:test".to_owned())]);
    let jobs: Vec<(String, i32, serde_json::Value)> =
        sqlx::query_as("select kind, version, payload from ops.job order by kind").fetch_all(&mut *conn).await.unwrap();
    assert_eq!(jobs, [("coffee.brew".to_owned(), 2, json!({ "degrees": 100 })), ("tea.brew".to_owned(), 2, json!({ "degrees": 100 }))]);
}

#[tokio::test]
async fn a_unit_of_work_that_does_not_commit_leaves_no_event_no_job_and_no_audit() {
    let db = open().await;
    db.set_subscriptions(two_subscribers());
    for rolled_back in [true, false] {
        let mut tx = begin(&db).await;
        tx.publish(&KettleBoiled { degrees: 1 }).await.unwrap();
        tx.enqueue("kitchen.clean", &json!(1), None, None).await.unwrap();
        tx.audit("kitchen.entered", "kitchen", json!({})).await.unwrap();
        if rolled_back {
            tx.rollback().await.unwrap();
        } else {
            drop(tx);
        }
    }
    let mut conn = db.read_latest().await.unwrap();
    for table in ["ops.event", "ops.job", "ops.audit_entry"] {
        assert_eq!(count(&mut conn, table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_commit_that_left_work_wakes_the_workers() {
    let db = open().await;
    let waiting = db.wake().wait(std::time::Duration::from_secs(20));
    let begun = std::time::Instant::now();
    let working = async {
        let mut tx = begin(&db).await;
        tx.enqueue("kitchen.clean", &json!(1), None, None).await.unwrap();
        tx.commit().await.unwrap();
    };
    tokio::join!(waiting, working);
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
}

#[tokio::test]
async fn everything_of_a_unit_of_work_bears_the_moment_it_began() {
    let db = open().await;
    let mut tx = begin(&db).await;
    db.clock().advance(TimeDelta::minutes(5));
    tx.audit("kitchen.entered", "kitchen", json!({})).await.unwrap();
    assert_eq!(tx.now(), noon());
    tx.commit().await.unwrap();
    let mut conn = db.read_latest().await.unwrap();
    assert_eq!(count(&mut conn, "ops.audit_entry where occurred_at = '2026-03-01T12:00:00Z'").await, 1);
}

#[tokio::test]
async fn what_is_to_be_done_after_the_commit_is_done_then_and_never_when_it_is_taken_back() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    let db = open().await;
    let done = Arc::new(AtomicU32::new(0));
    let promise = |tx: &mut db::Tx| {
        let done = Arc::clone(&done);
        tx.after_commit(move || {
            done.fetch_add(1, Ordering::SeqCst);
        });
    };
    let mut tx = begin(&db).await;
    promise(&mut tx);
    assert_eq!(done.load(Ordering::SeqCst), 0);
    tx.commit().await.unwrap();
    assert_eq!(done.load(Ordering::SeqCst), 1);
    let mut tx = begin(&db).await;
    promise(&mut tx);
    tx.rollback().await.unwrap();
    let mut tx = begin(&db).await;
    promise(&mut tx);
    drop(tx);
    let mut tx = begin(&db).await;
    promise(&mut tx);
    // A constraint that is looked at when everything is done breaks the commit itself.
    let breaks = "create table ops.late (id integer, constraint late_unique unique (id) deferrable initially deferred); insert into ops.late values (1), (1)";
    sqlx::raw_sql(breaks).execute(tx.conn()).await.unwrap();
    tx.commit().await.unwrap_err();
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_a_process_makes_stale_itself_is_also_told_to_its_messengers() {
    use std::sync::{Arc, Mutex};

    let db = open().await;
    let (heard, passed_on) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<Vec<String>>>::default());
    let (hears, passes_on) = (Arc::clone(&heard), Arc::clone(&passed_on));
    db.on_outdated(move |tags| hears.lock().unwrap().extend_from_slice(tags));
    db.on_outdated_here(move |tags| passes_on.lock().unwrap().extend_from_slice(tags));
    let mut tx = begin(&db).await;
    tx.outdate(["tea".to_owned()]);
    tx.rollback().await.unwrap();
    let mut tx = begin(&db).await;
    tx.outdate(["coffee".to_owned()]);
    assert!(heard.lock().unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!((heard.lock().unwrap().clone(), passed_on.lock().unwrap().clone()), (vec!["coffee".to_owned()], vec!["coffee".to_owned()]));
}
