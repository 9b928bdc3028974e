//! The same request again, by its key.

use orders_api::AdminOrder;
use serde_json::json;

use crate::stand::{books_balance, euros, number, open, placed};

#[tokio::test]
async fn a_repeat_under_the_same_key_gets_the_same_answer_and_no_second_effect() {
    let shop = open().await;
    let order = placed(&shop).await;
    let version = order.read().await.version;
    let bodies = [("comments", json!({ "text": "Once" })), ("capture", json!({ "amount": euros(1_000) }))];
    for (step, (what, body)) in (0..).zip(bodies) {
        let send = || order.change(what, version + step).header("idempotency-key", "mine").json(&body).send();
        let (first, again) = (send().await, send().await);
        assert_eq!((first.status, again.status, &first.text), (200, 200, &again.text));
        assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
        assert_eq!(first.header("etag"), again.header("etag"));
    }
    assert_eq!(order.story().await, ["created", "placed", "comment", "capture_requested"]);

    let other = placed(&shop).await;
    let cancel = || other.change("cancel", 2).header("idempotency-key", "mine").json(&json!({})).send();
    let (first, again) = (cancel().await, cancel().await);
    assert_eq!((first.status, &first.text, again.status), (200, &again.text, 200));
    let changed = other.change("cancel", 2).header("idempotency-key", "mine").json(&json!({ "reason": "Other" })).send().await;
    changed.expect_problem(422, "idempotency_key_reused");
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_refusal_is_not_kept_so_the_key_may_be_used_again() {
    let shop = open().await;
    let order = placed(&shop).await;
    let version = order.read().await.version;
    let capture = |version: i64| order.change("capture", version).header("idempotency-key", "mine").json(&json!({})).send();
    capture(version - 1).await.expect_problem(412, "stale_version");
    assert_eq!(capture(version).await.status, 200);
}

#[tokio::test]
async fn a_request_that_died_after_its_first_commit_is_answered_without_a_second_wish() {
    let shop = open().await;
    let order = placed(&shop).await;
    let version = order.read().await.version;
    let capture = || order.change("capture", version).header("idempotency-key", "mine").json(&json!({ "amount": euros(1_000) })).send();
    let first: AdminOrder = capture().await.expect(200);
    // As a process leaves it that dies before it could keep the answer.
    sqlx::query("update ops.idempotency_key set state = 'running', status = null, body = null, version = null")
        .execute(shop.context().db().writer())
        .await
        .unwrap();
    shop.wait(61);
    let again: AdminOrder = capture().await.expect(200);
    assert_eq!((again.payment.captured, again.version), (euros(1_000), first.version));
    assert_eq!(number(&shop, "select count(*) from payments.capture").await, 1);
    assert_eq!(capture().await.header("idempotency-replayed"), "true");
    books_balance(&shop).await;
}
