//! Whatever comes in, a problem with a stable code goes out and nothing is written.

use serde_json::{Value, json};

use crate::stand::{Basket, open, variant};

#[tokio::test]
async fn bodies_that_are_no_bodies_get_a_problem() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 50).await;
    let basket = Basket::make(&shop).await;
    let line = basket.put(pitcher, 1).await.lines[0].id;
    let bodies: Vec<(Value, &str)> = vec![
        (json!({}), "/variant_id"),
        (json!({ "variant_id": pitcher }), "/quantity"),
        (json!({ "variant_id": pitcher, "quantity": 0 }), "/quantity"),
        (json!({ "variant_id": pitcher, "quantity": -1 }), "/quantity"),
        (json!({ "variant_id": pitcher, "quantity": 10_000 }), "/quantity"),
        (json!({ "variant_id": pitcher, "quantity": 1.5 }), "/quantity"),
        (json!({ "variant_id": pitcher, "quantity": "1" }), "/quantity"),
        (json!({ "variant_id": pitcher, "quantity": 1e21 }), "/quantity"),
        (json!({ "variant_id": "var_nonsense", "quantity": 1 }), "/variant_id"),
        (json!({ "variant_id": basket.id, "quantity": 1 }), "/variant_id"),
        (json!({ "variant_id": null, "quantity": 1 }), "/variant_id"),
        (json!({ "variant_id": pitcher, "quantity": 1, "price": 1 }), "/price"),
        (json!([]), ""),
        (Value::Null, ""),
    ];
    for (body, pointer) in &bodies {
        let reply = basket.request("POST", "/lines").json(body).send().await;
        reply.expect_problem(422, "invalid_body");
        assert_eq!(reply.json["errors"][0]["pointer"], *pointer, "{body}");
    }
    for body in
        [json!({}), json!({ "quantity": 0 }), json!({ "quantity": 10_000 }), json!({ "quantity": null }), json!({ "quantity": 1, "more": 1 }), Value::Null]
    {
        basket.request("PATCH", &format!("/lines/{line}")).json(&body).send().await.expect_problem(422, "invalid_body");
    }
    assert_eq!(basket.read().await.lines[0].quantity.get(), 1);
}

#[tokio::test]
async fn broken_foreign_and_oversized_bodies_get_a_problem() {
    let shop = open().await;
    let basket = Basket::make(&shop).await;
    let post = || basket.request("POST", "/lines");
    post().header("content-type", "application/json").body("{\"variant_id\":").send().await.expect_problem(400, "malformed_json");
    post().header("content-type", "application/json").body(vec![0xff, 0xfe]).send().await.expect_problem(400, "malformed_json");
    post().header("content-type", "text/plain").body("{}").send().await.expect_problem(415, "unsupported_media_type");
    post().send().await.expect_problem(415, "unsupported_media_type");
    let nested = "[".repeat(100_000);
    post().header("content-type", "application/json").body(nested).send().await.expect_problem(422, "invalid_body");
    basket.request("PUT", "/lines").send().await.expect_problem(405, "method_not_allowed");
    assert_eq!(basket.read().await.version, 1);
}

#[tokio::test]
async fn paths_that_name_nothing_get_404() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 50).await;
    let (basket, other) = (Basket::make(&shop).await, Basket::make(&shop).await);
    let foreign = other.put(pitcher, 1).await.lines[0].id;
    let quantity = json!({ "quantity": 1 });
    for line in ["nonsense".to_owned(), "cln_".to_owned(), basket.id.to_string(), "cln_%00".to_owned(), "x".repeat(5_000)] {
        assert_eq!(basket.request("PATCH", &format!("/lines/{line}")).json(&quantity).send().await.status, 404, "{line}");
        assert_eq!(basket.request("DELETE", &format!("/lines/{line}")).send().await.status, 404, "{line}");
    }
    basket.request("PATCH", &format!("/lines/{foreign}")).json(&quantity).send().await.expect_problem(404, "cart_line_not_found");
    basket.request("DELETE", &format!("/lines/{foreign}")).send().await.expect_problem(404, "cart_line_not_found");
    for id in ["nonsense", "crt_", "ord_01h00000000000000000000000"] {
        let reply = shop.get(&format!("/store/v1/carts/{id}")).header("x-cart-token", &basket.token).send().await;
        assert_eq!(reply.status, 404, "{}", reply.text);
    }
    assert_eq!(other.read().await.lines.len(), 1);
}

#[tokio::test]
async fn headers_that_are_no_headers_of_ours_get_a_problem() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 50).await;
    let basket = Basket::make(&shop).await;
    let body = json!({ "variant_id": pitcher, "quantity": 1 });
    for key in [String::new(), "x".repeat(201)] {
        basket.request("POST", "/lines").header("idempotency-key", &key).json(&body).send().await.expect_problem(400, "invalid_header");
    }
    for version in ["", "*", "\"\"", "\"1.5\"", "\"99999999999999999999\""] {
        basket.request("POST", "/lines").header("if-match", version).json(&body).send().await.expect_problem(400, "invalid_header");
    }
    basket.request("POST", "/lines").header("if-match", "\"-9223372036854775808\"").json(&body).send().await.expect_problem(412, "stale_version");
    assert_eq!(basket.read().await.version, 1);
}
