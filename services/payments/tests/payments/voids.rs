//! Voids: held money let go, and nothing captured after.

use payments::{Attempt, CaptureError, VoidError};
use payments_api::{CaptureState, PaymentStatus, VoidId, VoidState};

use crate::{Stand, card, euros};

const VOIDED: &str = "payments.PaymentVoided";

impl Stand {
    async fn let_go(&self, attempt: &Attempt) -> Result<VoidId, VoidError> {
        let mut tx = self.shop.begin().await;
        let id = payments::request_void(&mut tx, attempt.order_id).await?;
        tx.commit().await.unwrap();
        Ok(id)
    }
}

#[tokio::test]
async fn a_bank_transfer_is_let_go_in_the_transaction_that_asks() {
    let stand = Stand::open().await;
    let attempt = stand.transfer().await;
    stand.let_go(&attempt).await.unwrap();
    assert_eq!(stand.summary(&attempt).await.status, PaymentStatus::Voided);
    assert_eq!(stand.events(VOIDED).await, 1);
    assert_eq!(stand.check().await, [""; 0]);
}

#[tokio::test]
async fn a_worker_lets_a_card_go_and_nothing_is_captured_meanwhile() {
    let stand = Stand::open().await;
    let attempt = stand.pay(card::APPROVED).await;
    let id = stand.let_go(&attempt).await.unwrap();
    assert_eq!(stand.summary(&attempt).await.status, PaymentStatus::Authorized, "the provider does not know yet");
    assert!(matches!(stand.request(&attempt, None).await, Err(CaptureError::NothingAuthorized)));
    assert!(matches!(stand.let_go(&attempt).await, Err(VoidError::NothingAuthorized)));
    stand.shop.work_off().await;
    assert_eq!(stand.at_sandbox(&attempt).await, "voided");
    assert_eq!(stand.summary(&attempt).await.status, PaymentStatus::Voided);
    assert_eq!(stand.payments.void(id).await.unwrap(), VoidState::Succeeded, "a repeat is harmless");
    assert_eq!(stand.events(VOIDED).await, 1);
    assert_eq!(stand.check().await, [""; 0]);
}

#[tokio::test]
async fn captured_money_is_not_let_go() {
    let stand = Stand::open().await;
    let attempt = stand.pay(card::APPROVED).await;
    let capture = stand.request(&attempt, Some(euros(1))).await.unwrap();
    assert!(matches!(stand.let_go(&attempt).await, Err(VoidError::Captured)), "a capture is under way");
    stand.payments.capture(capture).await.unwrap();
    assert!(matches!(stand.let_go(&attempt).await, Err(VoidError::Captured)));
}

#[tokio::test]
async fn a_void_and_a_capture_at_the_same_time_never_both_win() {
    let stand = Stand::open().await;
    for _ in 0..5 {
        let attempt = stand.pay(card::APPROVED).await;
        let (void, capture) = tokio::join!(stand.let_go(&attempt), stand.request(&attempt, None));
        assert!(void.is_ok() != capture.is_ok(), "{void:?} {capture:?}");
        if let Ok(id) = capture {
            assert_eq!(stand.payments.capture(id).await.unwrap(), CaptureState::Succeeded);
        }
        stand.shop.work_off().await;
    }
    assert_eq!(stand.check().await, [""; 0]);
}

#[tokio::test]
async fn a_void_without_an_answer_is_unknown_and_settled_by_the_reconciler() {
    let stand = Stand::open_impatient().await;
    let attempt = stand.pay(card::APPROVED).await;
    let id = stand.let_go(&attempt).await.unwrap();
    let mut tx = stand.shop.begin().await;
    sqlx::query("select 1 from payments.sandbox_payment for update").execute(tx.conn()).await.unwrap();
    assert_eq!(stand.payments.void(id).await.unwrap(), VoidState::Unknown);
    tx.rollback().await.unwrap();
    stand.shop.wait(11);
    stand.payments.reconcile().await.unwrap();
    assert_eq!(stand.summary(&attempt).await.status, PaymentStatus::Voided);
    assert_eq!(stand.at_sandbox(&attempt).await, "voided");
    assert_eq!(stand.events(VOIDED).await, 1);
}

#[tokio::test]
async fn a_void_the_provider_refuses_leaves_the_money_to_be_captured() {
    let stand = Stand::open().await;
    let attempt = stand.pay(card::APPROVED).await;
    let id = stand.let_go(&attempt).await.unwrap();
    stand.tamper("update payments.sandbox_payment set captured_minor = 1").await;
    assert_eq!(stand.payments.void(id).await.unwrap(), VoidState::Failed);
    let summary = stand.summary(&attempt).await;
    assert_eq!(summary.status, PaymentStatus::Authorized);
    assert_eq!(summary.attempts[0].void.as_ref().unwrap().failure_code.as_deref(), Some("already_captured"));
    assert!(stand.request(&attempt, Some(euros(5))).await.is_ok());
}
