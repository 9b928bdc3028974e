//! Whatever comes in, a problem with a stable code goes out and nothing is written.

use serde_json::{Value, json};

use crate::stand::{open, placed};

#[tokio::test]
async fn bodies_that_are_no_bodies_get_a_problem() {
    let shop = open().await;
    let order = placed(&shop).await;
    let version = order.read().await.version;
    let amount = |amount: Value| json!({ "amount": amount });
    let bodies = [
        ("capture", amount(json!({ "amount": 0, "currency": "EUR" })), "/amount/amount"),
        ("capture", amount(json!({ "amount": -1, "currency": "EUR" })), "/amount/amount"),
        ("capture", amount(json!({ "amount": 100, "currency": "USD" })), "/amount/currency"),
        ("capture", amount(json!({ "amount": 100, "currency": "XXX" })), "/amount/currency"),
        ("capture", amount(json!({ "amount": 1.5, "currency": "EUR" })), "/amount/amount"),
        ("capture", amount(json!({ "amount": 1e30, "currency": "EUR" })), "/amount/amount"),
        ("capture", amount(json!({ "amount": 100 })), "/amount/currency"),
        ("capture", amount(json!(100)), "/amount"),
        ("capture", json!({ "sum": 1 }), "/sum"),
        ("cancel", json!({ "reason": "x".repeat(1_001) }), "/reason"),
        ("cancel", json!({ "reason": "a\u{0}b" }), "/reason"),
        ("cancel", json!({ "reason": 7 }), "/reason"),
        ("cancel", json!({ "why": "x" }), "/why"),
        ("comments", json!({}), "/text"),
        ("comments", json!({ "text": "" }), "/text"),
        ("comments", json!({ "text": " \n " }), "/text"),
        ("comments", json!({ "text": "a\u{0}b" }), "/text"),
        ("comments", json!({ "text": "x".repeat(5_001) }), "/text"),
        ("comments", json!({ "text": null }), "/text"),
    ];
    for (what, body, pointer) in &bodies {
        let reply = order.change(what, version).json(body).send().await;
        reply.expect_problem(422, "invalid_body");
        assert_eq!(reply.json["errors"][0]["pointer"], *pointer, "{body}");
    }
    for what in ["capture", "cancel", "comments"] {
        let change = || order.change(what, version);
        change().header("content-type", "application/json").body("{").send().await.expect_problem(400, "malformed_json");
        change().header("content-type", "text/plain").body("{}").send().await.expect_problem(415, "unsupported_media_type");
        change().json(&Value::Null).send().await.expect_problem(422, "invalid_body");
    }
    let most: Value = order.change("capture", version).json(&amount(json!({ "amount": i64::MAX, "currency": "EUR" }))).send().await.json;
    assert_eq!(most["code"], "capture_exceeds_authorized");
    assert_eq!((order.read().await.version, order.story().await.len()), (version, 2));
}

#[tokio::test]
async fn queries_that_are_no_queries_get_a_problem() {
    let shop = open().await;
    placed(&shop).await;
    let cursor = |position: &Value| kernel::Cursor::encode(position);
    let queries = [
        ("limit=0".to_owned(), "limit"),
        ("limit=101".to_owned(), "limit"),
        ("limit=-1".to_owned(), "limit"),
        ("limit=many".to_owned(), "limit"),
        ("state=lost".to_owned(), "state"),
        ("sort=total".to_owned(), "sort"),
        ("after=nonsense".to_owned(), "after"),
        (format!("after={}", cursor(&json!(["x", 1]))), "after"),
        (format!("after={}", cursor(&json!([i64::MIN, "ord_01h00000000000000000000000"]))), "after"),
        (format!("after={}", cursor(&json!([i64::MAX, "ord_01h00000000000000000000000"]))), "after"),
        (format!("q={}", "x".repeat(255)), "q"),
        ("q=a%00b".to_owned(), "q"),
        ("channel=a%00b".to_owned(), "channel"),
    ];
    for (query, name) in &queries {
        let reply = shop.staff("GET", &format!("/admin/v1/orders?{query}")).send().await;
        reply.expect_problem(400, "invalid_query");
        assert_eq!(reply.json["errors"][0]["pointer"], *name, "{query}");
    }
}

#[tokio::test]
async fn paths_and_headers_that_name_nothing_get_a_problem() {
    let shop = open().await;
    let order = placed(&shop).await;
    for id in ["nonsense", "ord_", "crt_01h00000000000000000000000", "ord_%00"] {
        assert_eq!(shop.staff("GET", &format!("/admin/v1/orders/{id}")).send().await.status, 404, "{id}");
        assert_eq!(shop.get(&format!("/store/v1/orders/{id}")).header("x-order-token", &order.token).send().await.status, 404, "{id}");
    }
    let unknown = "/admin/v1/orders/ord_01h00000000000000000000000";
    shop.staff("GET", unknown).send().await.expect_problem(404, "order_not_found");
    for (what, body) in [("capture", json!({})), ("cancel", json!({})), ("comments", json!({ "text": "hello" }))] {
        let path = format!("{unknown}/{what}");
        shop.staff("POST", &path).header("if-match", "\"1\"").json(&body).send().await.expect_problem(404, "order_not_found");
        let path = format!("{}/{what}", order.path());
        for version in ["", "*", "\"x\"", "\"99999999999999999999\""] {
            shop.staff("POST", &path).header("if-match", version).json(&body).send().await.expect_problem(400, "invalid_header");
        }
        let keyed = shop.staff("POST", &path).header("if-match", "\"2\"").header("idempotency-key", &"x".repeat(201));
        keyed.json(&body).send().await.expect_problem(400, "invalid_header");
    }
    shop.staff("DELETE", &order.path()).send().await.expect_problem(405, "method_not_allowed");
    assert_eq!(order.story().await.len(), 2);
}
