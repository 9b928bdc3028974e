//! Taking the money of a sale.

use orders_api::AdminOrder;
use payments_api::{CaptureState, PaymentStatus};
use serde_json::json;

use crate::stand::{CAPTURE_REFUSED, CAPTURE_TIMES_OUT, Order, Plan, books_balance, euros, number, open, placed};

async fn captures(order: &Order) -> Vec<(CaptureState, i64)> {
    let payment = order.read().await.payment;
    payment.attempts[0].captures.iter().map(|capture| (capture.state, capture.amount.amount_minor())).collect()
}

#[tokio::test]
async fn the_whole_is_captured_and_the_answer_is_the_order_as_it_then_is() {
    let shop = open().await;
    let order = placed(&shop).await;
    let version = order.read().await.version;
    let reply = order.capture(version, None).await;
    let answer: AdminOrder = reply.expect(200);
    assert_eq!((answer.order.payment_status, answer.payment.captured), (PaymentStatus::Paid, euros(2_990)));
    assert_eq!(answer.version, version + 1);
    assert_eq!(reply.header("etag"), format!("\"{}\"", answer.version));
    let entry = answer.timeline.last().unwrap();
    assert_eq!((entry.kind.as_str(), entry.detail.as_deref()), ("capture_requested", None));
    assert!(entry.actor.starts_with("staff:"), "{}", entry.actor);

    shop.work_off().await;
    let told = order.read().await;
    let entry = told.timeline.last().unwrap();
    assert_eq!((entry.kind.as_str(), entry.detail.as_deref()), ("capture_succeeded", Some("29.90 EUR")));
    assert_eq!(told.version, answer.version, "news is no edit");
    assert_eq!(number(&shop, "select count(*) from ops.audit_entry where action = 'order.capture_requested'").await, 1);
    books_balance(&shop).await;
}

#[tokio::test]
async fn parts_are_captured_until_nothing_is_left() {
    let shop = open().await;
    let order = placed(&shop).await;
    let first: AdminOrder = order.capture(order.read().await.version, Some(1_000)).await.expect(200);
    assert_eq!((first.order.payment_status, first.payment.captured), (PaymentStatus::PartiallyPaid, euros(1_000)));
    assert_eq!(first.timeline.last().unwrap().detail.as_deref(), Some("10.00 EUR"));
    // Captures of one moment stand in no order.
    shop.wait(1);
    let refused = order.capture(first.version, Some(1_991)).await;
    refused.expect_problem(409, "capture_exceeds_authorized");
    assert_eq!(refused.json["context"]["available"], json!({ "amount": 1_990, "currency": "EUR" }));
    let rest: AdminOrder = order.capture(first.version, None).await.expect(200);
    assert_eq!(rest.order.payment_status, PaymentStatus::Paid);
    let nothing = order.capture(rest.version, None).await;
    assert_eq!(nothing.status, 409, "{}", nothing.text);
    assert_eq!(captures(&order).await, [(CaptureState::Succeeded, 1_000), (CaptureState::Succeeded, 1_990)]);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_bank_transfer_is_captured_when_the_money_has_come() {
    let shop = open().await;
    let order = Plan { card: None, ..Plan::default() }.placed(&shop).await;
    let answer: AdminOrder = order.capture(order.read().await.version, None).await.expect(200);
    assert_eq!((answer.order.payment_status, answer.order.payment_provider.as_deref()), (PaymentStatus::Paid, Some("manual")));
    shop.work_off().await;
    assert_eq!(order.story().await, ["created", "placed", "capture_requested", "capture_succeeded"]);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_provider_that_does_not_answer_leaves_the_capture_unknown_until_it_is_settled() {
    let shop = open().await;
    let order = Plan { card: Some(CAPTURE_TIMES_OUT), ..Plan::default() }.placed(&shop).await;
    let answer: AdminOrder = order.capture(order.read().await.version, None).await.expect(200);
    assert_eq!(captures(&order).await, [(CaptureState::Unknown, 2_990)]);
    assert_ne!(answer.order.payment_status, PaymentStatus::Paid);
    let again = order.capture(answer.version, None).await;
    assert_eq!(again.status, 409, "what may have been taken is not taken again: {}", again.text);
    shop.wait(60);
    shop.tick().await;
    shop.work_off().await;
    assert_eq!(captures(&order).await, [(CaptureState::Succeeded, 2_990)]);
    assert_eq!(order.read().await.order.payment_status, PaymentStatus::Paid);
    shop.work_off().await;
    assert_eq!(order.story().await, ["created", "placed", "capture_requested", "capture_succeeded"]);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_refused_capture_takes_nothing_and_may_be_tried_again() {
    let shop = open().await;
    let order = Plan { card: Some(CAPTURE_REFUSED), ..Plan::default() }.placed(&shop).await;
    let answer: AdminOrder = order.capture(order.read().await.version, None).await.expect(200);
    assert_eq!(captures(&order).await, [(CaptureState::Failed, 2_990)]);
    assert_eq!(answer.payment.captured, euros(0));
    let again: AdminOrder = order.capture(answer.version, None).await.expect(200);
    assert_eq!(captures(&order).await.len(), 2);
    assert_eq!(order.cancel(again.version).await.status, 200, "nothing is captured, so it can be canceled");
    books_balance(&shop).await;
}

#[tokio::test]
async fn only_a_sale_is_captured_and_only_on_the_version_that_was_read() {
    let shop = open().await;
    let pending = Plan::default().pending(&shop).await;
    let reply = pending.capture(1, None).await;
    assert_eq!(reply.expect_problem(409, "order_not_placed").json["context"]["state"], "pending");
    let order = placed(&shop).await;
    let version = order.read().await.version;
    assert_eq!(order.capture(version - 1, None).await.expect_problem(412, "stale_version").json["context"]["version"], version);
    order.shop.staff("POST", &format!("{}/capture", order.path())).json(&json!({})).send().await.expect_problem(428, "version_required");
    assert!(captures(&order).await.is_empty());
    assert_eq!(order.read().await.version, version);
}
