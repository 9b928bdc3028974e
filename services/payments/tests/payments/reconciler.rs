//! What a crash or a silent provider leaves open is finished.

use std::time::Duration;

use payments::Outcome;
use payments_api::{AttemptState, NextAction};

use crate::{Stand, bank_transfer, card, choice};

const CHANGED: &str = "payments.AttemptChanged";

#[tokio::test]
async fn a_payment_without_an_answer_is_processing_and_then_authorized_once() {
    let stand = Stand::open_impatient().await;
    let attempt = stand.create(choice(card::TIMES_OUT)).await;
    let outcome = stand.payments.authorize(&attempt).await;
    assert_eq!(outcome, Outcome::Unknown);
    assert_eq!(stand.record(attempt.id, &outcome).await.attempt.state, AttemptState::Processing);

    assert_eq!(stand.payments.reconcile().await.unwrap(), 0, "the sandbox is still working on it");
    stand.shop.wait(3);
    let runs = [stand.payments.reconcile(), stand.payments.reconcile(), stand.payments.reconcile()];
    let moved: usize = futures_util::future::join_all(runs).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(moved, 1);
    assert_eq!(stand.payments.reconcile().await.unwrap(), 0);
    assert_eq!(stand.attempt(attempt.id).await.state, AttemptState::Authorized);
    assert_eq!(stand.events(CHANGED).await, 1);
    assert_eq!(stand.count("select count(*) from payments.sandbox_payment").await, 1);
}

#[tokio::test]
async fn the_schedule_runs_the_reconciler() {
    let stand = Stand::open().await;
    let attempt = stand.create(choice(card::APPROVED)).await;
    stand.payments.authorize(&attempt).await;
    stand.shop.wait(11);
    let mut tx = stand.shop.begin().await;
    tx.enqueue("payments.reconcile", &serde_json::Value::Null, None, None).await.unwrap();
    tx.commit().await.unwrap();
    stand.shop.work_off().await;
    assert_eq!(stand.attempt(attempt.id).await.state, AttemptState::Authorized);
}

#[tokio::test]
async fn a_crash_between_the_call_and_the_record_is_made_good_after_the_time_its_request_has() {
    let stand = Stand::open().await;
    let attempt = stand.create(choice(card::APPROVED)).await;
    stand.payments.authorize(&attempt).await;
    stand.shop.wait(5);
    assert_eq!(stand.payments.reconcile().await.unwrap(), 0, "the request may still be at it");
    stand.shop.wait(6);
    assert_eq!(stand.payments.reconcile().await.unwrap(), 1);
    assert_eq!(stand.attempt(attempt.id).await.state, AttemptState::Authorized);
    assert_eq!(stand.events(CHANGED).await, 1);
}

#[tokio::test]
async fn an_attempt_the_provider_never_heard_of_is_canceled_and_can_never_be_authorized() {
    let stand = Stand::open().await;
    let attempt = stand.create(choice(card::APPROVED)).await;
    stand.shop.wait(20);
    assert_eq!(stand.payments.reconcile().await.unwrap(), 0, "it may be on its way");
    stand.shop.wait(11);
    assert_eq!(stand.payments.reconcile().await.unwrap(), 1);
    assert_eq!(stand.attempt(attempt.id).await.state, AttemptState::Canceled);

    // The call that was held up for so long comes through at last.
    let outcome = stand.payments.authorize(&attempt).await;
    assert_eq!(outcome, Outcome::Canceled);
    assert!(!stand.record(attempt.id, &outcome).await.changed);
    assert_eq!(stand.at_sandbox(&attempt).await, "canceled");
    assert_eq!(stand.count("select count(*) from payments.void").await, 0);
}

#[tokio::test]
async fn a_canceled_payment_that_was_never_heard_of_refuses_its_authorization() {
    let stand = Stand::open().await;
    let attempt = stand.create(choice(card::APPROVED)).await;
    assert_eq!(stand.payments.look_up(&attempt).await, Outcome::Unheard);
    assert_eq!(stand.payments.cancel(&attempt).await, Outcome::Canceled);
    assert_eq!(stand.payments.authorize(&attempt).await, Outcome::Canceled);
    assert_eq!(stand.payments.look_up(&attempt).await, Outcome::Canceled);
}

#[tokio::test]
async fn a_request_that_was_lost_on_the_way_is_canceled() {
    let stand = Stand::open_impatient().await;
    let attempt = stand.pay(card::IS_LOST).await;
    assert_eq!(attempt.state, AttemptState::Processing);
    stand.shop.wait(31);
    assert_eq!(stand.payments.reconcile().await.unwrap(), 1);
    assert_eq!(stand.attempt(attempt.id).await.state, AttemptState::Canceled);
}

#[tokio::test]
async fn a_bank_transfer_that_was_written_and_never_recorded_is_canceled() {
    let stand = Stand::open().await;
    let attempt = stand.create(bank_transfer()).await;
    stand.shop.wait(31);
    assert_eq!(stand.payments.reconcile().await.unwrap(), 1);
    assert_eq!(stand.attempt(attempt.id).await.state, AttemptState::Canceled);
}

#[tokio::test]
async fn a_second_step_nobody_takes_expires_at_the_provider_first() {
    let stand = Stand::open().await;
    let attempt = stand.pay(card::SECOND_STEP).await;
    let Some(NextAction::Redirect { url }) = &attempt.next_action else { panic!("{attempt:?}") };
    stand.shop.wait(14 * 60);
    assert_eq!(stand.payments.reconcile().await.unwrap(), 0);
    stand.shop.wait(2 * 60);
    assert_eq!(stand.payments.reconcile().await.unwrap(), 1);
    assert_eq!(stand.attempt(attempt.id).await.state, AttemptState::Expired);
    assert_eq!(stand.at_sandbox(&attempt).await, "canceled");

    stand.shop.post(url).body("decision=approve").send().await;
    assert_eq!(stand.at_sandbox(&attempt).await, "canceled");
}

#[tokio::test]
async fn a_payment_approved_at_the_last_moment_is_authorized_and_not_expired() {
    let stand = Stand::open().await;
    let attempt = stand.pay(card::SECOND_STEP).await;
    stand.shop.wait(16 * 60);
    stand.tamper("update payments.sandbox_payment set state = 'authorized'").await;
    assert_eq!(stand.payments.reconcile().await.unwrap(), 1);
    assert_eq!(stand.attempt(attempt.id).await.state, AttemptState::Authorized);
}

#[tokio::test]
async fn a_payment_of_another_amount_fails_and_its_money_is_let_go() {
    let stand = Stand::open().await;
    let attempt = stand.create(choice(card::APPROVED)).await;
    stand.payments.authorize(&attempt).await;
    stand.tamper("update payments.sandbox_payment set amount_minor = amount_minor - 1").await;
    stand.shop.wait(11);
    assert_eq!(stand.payments.reconcile().await.unwrap(), 1);
    let attempt = stand.attempt(attempt.id).await;
    assert_eq!((attempt.state, attempt.failure_code.as_deref()), (AttemptState::Failed, Some("amount_mismatch")));
    assert_eq!(stand.events(CHANGED).await, 1);
    stand.shop.work_off().await;
    assert_eq!(stand.at_sandbox(&attempt).await, "voided");
    assert_eq!(stand.check().await, [""; 0]);
}

#[tokio::test]
async fn no_work_is_done_in_the_name_of_a_provider_that_does_not_answer() {
    let stand = Stand::open_impatient().await;
    let attempt = stand.pay(card::TIMES_OUT).await;
    stand.shop.wait(60);
    // The sandbox's row is held by someone else for longer than we wait.
    let mut tx = stand.shop.begin().await;
    sqlx::query("select 1 from payments.sandbox_payment for update").execute(tx.conn()).await.unwrap();
    assert_eq!(tokio::time::timeout(Duration::from_secs(9), stand.payments.reconcile()).await.unwrap().unwrap(), 0);
    assert_eq!(stand.attempt(attempt.id).await.state, AttemptState::Processing);
    tx.rollback().await.unwrap();
    assert_eq!(stand.payments.reconcile().await.unwrap(), 1);
}
