//! Idempotency keys: one effect, one answer.

use std::time::Duration;

use chrono::TimeDelta;
use db::idempotency::{self, Claim, IdempotencyKey, KeptAnswer};

use crate::{begin, open, open_impatient};

const LEASE: Duration = Duration::from_secs(60);

fn key(body: &str) -> IdempotencyKey {
    IdempotencyKey {
        surface: "store".to_owned(),
        actor: "guest".to_owned(),
        route: "POST /store/v1/carts".to_owned(),
        key: "k1".to_owned(),
        request_hash: body.as_bytes().to_vec(),
    }
}

fn answer() -> KeptAnswer {
    KeptAnswer { status: 201, body: Some(br#"{"a":1}"#.to_vec()), version: Some(3) }
}

#[tokio::test]
async fn a_fresh_key_keeps_its_answer_and_gives_it_again() {
    let db = open().await;
    let mut tx = begin(&db).await;
    assert_eq!(idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap(), Claim::Fresh);
    idempotency::keep(&mut tx, &key("a"), &answer()).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = begin(&db).await;
    assert_eq!(idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap(), Claim::Done(answer()));
    assert_eq!(idempotency::claim(&mut tx, &key("b"), LEASE).await.unwrap(), Claim::Mismatch);
    let other_actor = IdempotencyKey { actor: "guest:2".to_owned(), ..key("a") };
    assert_eq!(idempotency::claim(&mut tx, &other_actor, LEASE).await.unwrap(), Claim::Fresh, "another's key is another key");
}

#[tokio::test]
async fn a_kept_answer_never_changes() {
    let db = open().await;
    let mut tx = begin(&db).await;
    idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap();
    idempotency::keep(&mut tx, &key("a"), &answer()).await.unwrap();
    idempotency::keep(&mut tx, &key("a"), &KeptAnswer { status: 500, body: None, version: None }).await.unwrap();
    idempotency::release(&mut tx, &key("a")).await.unwrap();
    assert_eq!(idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap(), Claim::Done(answer()));
}

#[tokio::test]
async fn a_key_whose_effect_was_rolled_back_is_fresh_again() {
    let db = open().await;
    let mut tx = begin(&db).await;
    idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = begin(&db).await;
    assert_eq!(idempotency::claim(&mut tx, &key("b"), LEASE).await.unwrap(), Claim::Fresh);
}

#[tokio::test]
async fn a_running_key_is_running_until_its_lease_is_over_and_is_then_taken_over() {
    let db = open().await;
    let mut tx = begin(&db).await;
    idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap();
    tx.commit().await.unwrap();

    db.clock().advance(TimeDelta::seconds(60));
    let mut tx = begin(&db).await;
    assert_eq!(idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap(), Claim::Running);
    drop(tx);
    db.clock().advance(TimeDelta::seconds(1));
    let mut tx = begin(&db).await;
    assert_eq!(idempotency::claim(&mut tx, &key("b"), LEASE).await.unwrap(), Claim::Mismatch);
    assert_eq!(idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap(), Claim::TakenOver);
    assert_eq!(idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap(), Claim::Running, "the new lease holds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_would_take_a_key_over_one_does() {
    let db = open().await;
    let mut tx = begin(&db).await;
    idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap();
    tx.commit().await.unwrap();
    db.clock().advance(TimeDelta::seconds(61));
    let all = (0..10).map(|_| async {
        let mut tx = begin(&db).await;
        let claim = idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap();
        tx.commit().await.unwrap();
        claim
    });
    let claims = futures_util::future::join_all(all).await;
    assert_eq!(claims.iter().filter(|claim| **claim == Claim::TakenOver).count(), 1, "{claims:?}");
    assert_eq!(claims.iter().filter(|claim| **claim == Claim::Running).count(), 9, "{claims:?}");
}

#[tokio::test]
async fn a_repeat_waits_for_the_first_use_to_commit() {
    let db = open().await;
    let mut first = begin(&db).await;
    idempotency::claim(&mut first, &key("a"), LEASE).await.unwrap();
    let repeat = async {
        let mut tx = begin(&db).await;
        idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap()
    };
    let finish = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        idempotency::keep(&mut first, &key("a"), &answer()).await.unwrap();
        first.commit().await.unwrap();
    };
    let (claim, ()) = tokio::join!(repeat, finish);
    assert_eq!(claim, Claim::Done(answer()));
}

#[tokio::test]
async fn a_repeat_gives_up_when_the_first_use_takes_longer_than_the_lock_timeout() {
    let db = open_impatient(Duration::from_millis(100)).await;
    let mut first = begin(&db).await;
    idempotency::claim(&mut first, &key("a"), LEASE).await.unwrap();
    let mut tx = begin(&db).await;
    let error = idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap_err();
    assert!(db::is_lock_timeout(&error), "{error:?}");
}

#[tokio::test]
async fn a_released_key_is_fresh_again() {
    let db = open().await;
    let mut tx = begin(&db).await;
    idempotency::claim(&mut tx, &key("a"), LEASE).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = begin(&db).await;
    idempotency::release(&mut tx, &key("a")).await.unwrap();
    assert_eq!(idempotency::claim(&mut tx, &key("b"), LEASE).await.unwrap(), Claim::Fresh);
}
