//! Taking a sale back.

use orders_api::{AdminOrder, OrderState};
use payments_api::PaymentStatus;
use serde_json::json;

use crate::stand::{Plan, books_balance, number, open, placed};

#[tokio::test]
async fn a_canceled_sale_lets_its_stock_and_its_money_go() {
    let shop = open().await;
    for card in [Plan::default().card, None] {
        let order = Plan { card, ..Plan::default() }.placed(&shop).await;
        assert_eq!(order.reserved().await, 2);
        let reply = order.change("cancel", order.read().await.version).json(&json!({ "reason": "The shopper asked" })).send().await;
        let answer: AdminOrder = reply.expect(200);
        assert_eq!((answer.order.state, answer.order.cancel_reason.as_deref()), (OrderState::Canceled, Some("canceled_by_staff")));
        assert_eq!(answer.order.payment_status, PaymentStatus::Voided);
        assert!(answer.order.number.is_some(), "what was a sale keeps its number");
        assert_eq!(answer.timeline.last().unwrap().detail.as_deref(), Some("The shopper asked"));
        assert_eq!(order.reserved().await, 0);
        shop.work_off().await;
        assert_eq!(order.story().await, ["created", "placed", "canceled", "payment_voided"]);
    }
    assert_eq!(number(&shop, "select count(*) from payments.ledger_transaction where kind = 'sale_reversal'").await, 2);
    assert_eq!(number(&shop, "select count(*) from ops.event where name = 'orders.OrderCanceled'").await, 2);
    assert_eq!(number(&shop, "select count(*) from ops.audit_entry where action = 'order.canceled'").await, 2);
    books_balance(&shop).await;
}

#[tokio::test]
async fn what_is_captured_even_in_part_is_not_canceled() {
    let shop = open().await;
    let order = placed(&shop).await;
    let captured: AdminOrder = order.capture(order.read().await.version, Some(1)).await.expect(200);
    order.cancel(captured.version).await.expect_problem(409, "already_captured");
    let still = order.read().await;
    assert_eq!((still.order.state, still.version, order.reserved().await), (OrderState::Placed, captured.version, 2));
    books_balance(&shop).await;
}

#[tokio::test]
async fn only_a_sale_is_canceled_once_and_only_on_the_version_that_was_read() {
    let shop = open().await;
    let pending = Plan::default().pending(&shop).await;
    pending.cancel(1).await.expect_problem(409, "order_not_placed");
    let order = placed(&shop).await;
    let version = order.read().await.version;
    order.cancel(version + 1).await.expect_problem(412, "stale_version");
    shop.staff("POST", &format!("{}/cancel", order.path())).json(&json!({})).send().await.expect_problem(428, "version_required");
    let canceled: AdminOrder = order.cancel(version).await.expect(200);
    order.cancel(canceled.version).await.expect_problem(409, "order_not_placed");
    order.capture(canceled.version, None).await.expect_problem(409, "order_not_placed");
}
