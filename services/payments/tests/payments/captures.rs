//! Captures: never more than is authorized, each once in the ledger.

use futures_util::future::join_all;
use kernel::Money;
use payments::{Attempt, CaptureError};
use payments_api::{AttemptState, CaptureId, CaptureState, PaymentStatus};

use crate::{Stand, bank_transfer, card, euros, new_attempt, order};

const CAPTURED: &str = "payments.PaymentCaptured";
const LEDGER_CAPTURES: &str = "select count(*) from payments.ledger_transaction where kind = 'capture'";

impl Stand {
    /// A bank transfer somebody ordered by.
    pub(crate) async fn transfer(&self) -> Attempt {
        let mut tx = self.shop.begin().await;
        let attempt = payments::insert_attempt(&mut tx, new_attempt(order(), bank_transfer())).await.unwrap();
        let outcome = self.payments.authorize(&attempt).await;
        let attempt = payments::record(&mut tx, attempt.id, &outcome).await.unwrap().attempt;
        tx.commit().await.unwrap();
        attempt
    }

    /// Asks for a capture and commits it.
    pub(crate) async fn request(&self, attempt: &Attempt, amount: Option<Money>) -> Result<CaptureId, CaptureError> {
        let mut tx = self.shop.begin().await;
        let id = payments::request_capture(&mut tx, attempt.order_id, amount).await?;
        tx.commit().await.unwrap();
        Ok(id)
    }
}

const FAILED: &str = "payments.CaptureFailed";

#[tokio::test]
async fn a_bank_transfer_is_captured_in_the_transaction_that_asks() {
    let stand = Stand::open().await;
    let attempt = stand.transfer().await;
    let id = stand.request(&attempt, None).await.unwrap();
    let summary = stand.summary(&attempt).await;
    assert_eq!((summary.status, summary.captured), (PaymentStatus::Paid, euros(10_000)));
    assert_eq!(summary.attempts[0].captures[0].state, CaptureState::Succeeded);
    assert_eq!(stand.payments.capture(id).await.unwrap(), CaptureState::Succeeded);
    assert_eq!((stand.events(CAPTURED).await, stand.count(LEDGER_CAPTURES).await), (1, 1));
    assert_eq!(stand.check().await, [""; 0]);
}

#[tokio::test]
async fn a_card_is_captured_in_parts_and_never_beyond_what_is_held() {
    let stand = Stand::open().await;
    let attempt = stand.pay(card::APPROVED).await;
    let part = stand.request(&attempt, Some(euros(4_000))).await.unwrap();
    assert_eq!(stand.summary(&attempt).await.status, PaymentStatus::Authorized, "not yet taken");
    assert_eq!(stand.payments.capture(part).await.unwrap(), CaptureState::Succeeded);
    assert_eq!(stand.summary(&attempt).await.status, PaymentStatus::PartiallyPaid);

    let refused = stand.request(&attempt, Some(euros(6_001))).await;
    assert!(matches!(refused, Err(CaptureError::Exceeds { available }) if available == euros(6_000)));
    for amount in [euros(0), euros(-5), Money::new(100, "USD".parse().unwrap())] {
        assert!(matches!(stand.request(&attempt, Some(amount)).await, Err(CaptureError::Amount)));
    }
    let rest = stand.request(&attempt, None).await.unwrap();
    assert_eq!(stand.payments.capture(rest).await.unwrap(), CaptureState::Succeeded);
    assert_eq!(stand.payments.capture(rest).await.unwrap(), CaptureState::Succeeded, "a repeat is harmless");
    let summary = stand.summary(&attempt).await;
    assert_eq!((summary.status, summary.captured, summary.authorized), (PaymentStatus::Paid, euros(10_000), euros(10_000)));
    assert!(matches!(stand.request(&attempt, None).await, Err(CaptureError::Exceeds { .. })));
    assert_eq!((stand.events(CAPTURED).await, stand.count(LEDGER_CAPTURES).await), (2, 2));
    assert_eq!(stand.check().await, [""; 0]);
}

#[tokio::test]
async fn captures_at_the_same_time_never_exceed_what_is_held() {
    let stand = Stand::open().await;
    let attempt = stand.pay(card::APPROVED).await;
    let capture = async || {
        let id = stand.request(&attempt, Some(euros(3_000))).await.ok()?;
        Some(stand.payments.capture(id).await.unwrap())
    };
    let states = join_all((0..20).map(|_| capture())).await;
    assert_eq!(states.into_iter().flatten().collect::<Vec<_>>(), [CaptureState::Succeeded; 3]);
    assert_eq!(stand.summary(&attempt).await.captured, euros(9_000));
    assert_eq!(stand.count("select captured_minor from payments.sandbox_payment").await, 9_000);
    assert_eq!(stand.count(LEDGER_CAPTURES).await, 3);
    assert_eq!(stand.check().await, [""; 0]);
}

#[tokio::test]
async fn a_capture_without_an_answer_is_unknown_and_settled_once_by_the_reconciler() {
    let stand = Stand::open_impatient().await;
    let attempt = stand.pay(card::CAPTURE_TIMES_OUT).await;
    let id = stand.request(&attempt, Some(euros(4_000))).await.unwrap();
    assert_eq!(stand.payments.capture(id).await.unwrap(), CaptureState::Unknown);
    let summary = stand.summary(&attempt).await;
    assert_eq!((summary.status, summary.attempts[0].captures[0].state), (PaymentStatus::Authorized, CaptureState::Unknown));
    assert_eq!(stand.count(LEDGER_CAPTURES).await, 0);
    let too_much = stand.request(&attempt, Some(euros(6_001))).await;
    assert!(matches!(too_much, Err(CaptureError::Exceeds { .. })), "what is unknown may have been taken");

    stand.shop.wait(11);
    let runs = join_all([stand.payments.reconcile(), stand.payments.reconcile()]).await;
    assert!(runs.iter().all(Result::is_ok));
    stand.payments.reconcile().await.unwrap();
    stand.shop.work_off().await;
    assert_eq!(stand.summary(&attempt).await.status, PaymentStatus::PartiallyPaid);
    assert_eq!((stand.events(CAPTURED).await, stand.count(LEDGER_CAPTURES).await), (1, 1));
    assert_eq!(stand.count("select captured_minor from payments.sandbox_payment").await, 4_000);
    assert_eq!(stand.check().await, [""; 0]);
}

#[tokio::test]
async fn a_refused_capture_leaves_the_money_held_and_the_ledger_alone() {
    let stand = Stand::open().await;
    let attempt = stand.pay(card::CAPTURE_REFUSED).await;
    let id = stand.request(&attempt, None).await.unwrap();
    assert_eq!(stand.payments.capture(id).await.unwrap(), CaptureState::Failed);
    let summary = stand.summary(&attempt).await;
    assert_eq!((summary.status, summary.attempts[0].captures[0].failure_code.as_deref()), (PaymentStatus::Authorized, Some("capture_refused")));
    assert_eq!((stand.events(CAPTURED).await, stand.count(LEDGER_CAPTURES).await), (0, 0));
    assert_eq!(stand.payments.capture(id).await.unwrap(), CaptureState::Failed);
    assert_eq!(stand.events(FAILED).await, 1, "it is told once");
    assert!(stand.request(&attempt, None).await.is_ok(), "one may try again");
}

#[tokio::test]
async fn a_worker_finishes_the_capture_a_crash_left() {
    let stand = Stand::open().await;
    let attempt = stand.pay(card::APPROVED).await;
    stand.request(&attempt, None).await.unwrap();
    stand.shop.work_off().await;
    assert_eq!(stand.summary(&attempt).await.status, PaymentStatus::Authorized, "the request may still be at it");
    stand.shop.wait(11);
    stand.shop.work_off().await;
    assert_eq!(stand.summary(&attempt).await.status, PaymentStatus::Paid);
}

#[tokio::test]
async fn nothing_is_captured_from_an_attempt_that_holds_nothing() {
    let stand = Stand::open().await;
    for card in ["0000000000002001", card::SECOND_STEP] {
        let attempt = stand.pay(card).await;
        assert_ne!(attempt.state, AttemptState::Authorized);
        assert!(matches!(stand.request(&attempt, None).await, Err(CaptureError::NothingAuthorized)));
    }
}

#[tokio::test]
async fn counters_that_do_not_add_up_are_found_by_the_check() {
    let stand = Stand::open().await;
    stand.pay(card::APPROVED).await;
    assert_eq!(stand.check().await, [""; 0]);
    stand.tamper("update payments.attempt set capturing_minor = 1").await;
    assert_eq!(stand.check().await.len(), 1);
    stand.tamper("update payments.attempt set capturing_minor = 0, captured_minor = 1").await;
    assert_eq!(stand.check().await.len(), 2, "the sandbox says otherwise, too");
}
