//! What staff say to each other about an order.

use orders_api::AdminOrder;
use serde_json::json;

use crate::stand::{Plan, number, open, placed};

#[tokio::test]
async fn a_comment_stands_in_the_timeline_with_who_said_it() {
    let shop = open().await;
    let order = placed(&shop).await;
    let version = order.read().await.version;
    let reply = order.change("comments", version).json(&json!({ "text": "Call first.\nTwice." })).send().await;
    let answer: AdminOrder = reply.expect(200);
    let entry = answer.timeline.last().unwrap();
    assert_eq!((entry.kind.as_str(), entry.detail.as_deref()), ("comment", Some("Call first.\nTwice.")));
    assert!(entry.actor.ends_with(":Test"), "{}", entry.actor);
    assert_eq!(answer.version, version + 1);
    assert_eq!(number(&shop, "select count(*) from ops.audit_entry where action = 'order.commented'").await, 1);
    order.change("comments", version).json(&json!({ "text": "Late" })).send().await.expect_problem(412, "stale_version");
    let path = format!("{}/comments", order.path());
    shop.staff("POST", &path).json(&json!({ "text": "Blind" })).send().await.expect_problem(428, "version_required");
    assert_eq!(order.story().await, ["created", "placed", "comment"]);
}

#[tokio::test]
async fn an_order_in_any_state_can_be_commented_on() {
    let shop = open().await;
    let pending = Plan::default().pending(&shop).await;
    assert_eq!(pending.change("comments", 1).json(&json!({ "text": "Waiting" })).send().await.status, 200);
    assert!(pending.cancel_pending("card_declined").await);
    assert_eq!(pending.change("comments", 3).json(&json!({ "text": "Sad" })).send().await.status, 200);
}
