use serde_json::{Value, json};

use crate::fixture::{Fixture, purchase};

/// After any refusal nothing is written: the cart is open, no order, no stock reserved.
async fn assert_nothing_happened(fixture: &Fixture, basket: &crate::fixture::Basket) {
    assert_eq!(fixture.cart(basket).await["state"], "active");
    assert_eq!(fixture.level().await.1, 0);
    for state in ["pending", "placed", "canceled"] {
        assert_eq!(fixture.orders(state).await, 0, "{state}");
    }
    fixture.assert_books_balance().await;
}

#[tokio::test]
async fn a_price_change_between_cart_and_completion_is_shown_and_nothing_is_sold_at_the_old_price() {
    let fixture = Fixture::open(5).await;
    let basket = fixture.basket(1).await;
    let product = fixture.shop.staff("GET", &format!("/admin/v1/products/{}", fixture.product_id)).send().await;
    let dearer = json!({ "prices": [{ "price": { "amount": 1200, "currency": "EUR" } }] });
    let path = format!("/admin/v1/products/{}/variants/{}", fixture.product_id, fixture.variant_id);
    fixture.shop.staff("PATCH", &path).header("if-match", product.header("etag")).json(&dearer).send().await.expect_status(200);

    let refused = fixture.complete(&basket, "one", &purchase(1, "manual", None)).await;
    refused.expect_problem(409, "cart_changed");
    let line = &refused.json["context"]["cart"]["lines"][0];
    let notice = json!([{ "code": "price_changed", "was": { "amount": 1000, "currency": "EUR" }, "now": { "amount": 1200, "currency": "EUR" } }]);
    assert_eq!(line["notices"], notice);
    assert_eq!(fixture.cart(&basket).await["lines"][0]["notices"], notice);
    assert_nothing_happened(&fixture, &basket).await;

    let mut agreed = purchase(1, "manual", None);
    agreed["expected_total"]["amount"] = json!(1690);
    let completion: Value = fixture.complete(&basket, "one", &agreed).await.expect(200);
    assert_eq!(completion["order"]["totals"]["total"]["amount"], 1690);
}

#[tokio::test]
async fn a_product_taken_back_meanwhile_is_not_sold() {
    let fixture = Fixture::open(5).await;
    let basket = fixture.basket(1).await;
    let path = format!("/admin/v1/products/{}", fixture.product_id);
    let product = fixture.shop.staff("GET", &path).send().await;
    fixture.shop.staff("PATCH", &path).header("if-match", product.header("etag")).json(&json!({ "published": false })).send().await.expect_status(200);
    fixture.complete(&basket, "one", &purchase(1, "manual", None)).await.expect_problem(409, "cart_changed");
    assert_nothing_happened(&fixture, &basket).await;
}

#[tokio::test]
async fn a_shortage_names_the_line_and_how_many_there_are() {
    let fixture = Fixture::open(3).await;
    let late = fixture.basket(2).await;
    let early = fixture.basket(2).await;
    fixture.complete(&early, "early", &purchase(2, "manual", None)).await.expect_status(200);
    let refused = fixture.complete(&late, "late", &purchase(2, "manual", None)).await;
    refused.expect_problem(409, "insufficient_stock");
    assert_eq!(refused.json["context"]["lines"][0]["available"], 1);
    assert_eq!(fixture.cart(&late).await["state"], "active");
    fixture.assert_books_balance().await;
}

#[tokio::test]
async fn bad_input_is_refused_with_the_field_to_mend() {
    let fixture = Fixture::open(5).await;
    let basket = fixture.basket(1).await;
    let cases: [(&str, Value, &str); 9] = [
        ("/email", json!("nobody"), "/email"),
        ("/shipping_address/country", json!("XX"), "/shipping_address/country"),
        ("/shipping_address/country", json!("US"), "/shipping_address/country"),
        ("/shipping_address/name", json!("  "), "/shipping_address/name"),
        ("/payment/provider", json!("barter"), "/payment/provider"),
        ("/expected_total/currency", json!("XXX"), "/expected_total/currency"),
        ("/expected_total/amount", json!("12"), "/expected_total/amount"),
        ("/return_url", json!("https://elsewhere.example/"), "/return_url"),
        ("/return_url", json!("//elsewhere.example/"), "/return_url"),
    ];
    for (field, value, pointer) in cases {
        let mut body = purchase(1, "manual", None);
        *body.pointer_mut(field).unwrap() = value.clone();
        let refused = fixture.complete(&basket, "one", &body).await;
        refused.expect_problem(422, "invalid_body");
        assert_eq!(refused.json["errors"][0]["pointer"], pointer, "{value}: {}", refused.text);
    }
    let mut unkept = purchase(1, "manual", None);
    unkept["shipping_address"]["postcode"] = json!("10\u{0}30");
    fixture.complete(&basket, "one", &unkept).await.expect_problem(422, "invalid_body");
    let mut unknown = purchase(1, "manual", None);
    unknown["coupon"] = json!("SUMMER");
    fixture.complete(&basket, "one", &unknown).await.expect_problem(422, "invalid_body");
    assert_nothing_happened(&fixture, &basket).await;
}

#[tokio::test]
async fn broken_requests_are_refused_before_anything_is_looked_at() {
    let fixture = Fixture::open(5).await;
    let basket = fixture.basket(1).await;
    let path = format!("/store/v1/carts/{}/complete", basket.id);
    let post = || fixture.shop.post(&path).header("x-cart-token", &basket.token);
    post().body("{}").send().await.expect_problem(415, "unsupported_media_type");
    post().header("content-type", "application/json").body("{\"email\":").send().await.expect_problem(400, "malformed_json");
    post().header("idempotency-key", "").json(&purchase(1, "manual", None)).send().await.expect_problem(400, "invalid_header");
    fixture.shop.post(&path).json(&purchase(1, "manual", None)).send().await.expect_problem(404, "cart_not_found");
    let other = fixture.basket(1).await;
    fixture.shop.post(&path).header("x-cart-token", &other.token).json(&purchase(1, "manual", None)).send().await.expect_problem(404, "cart_not_found");
    fixture
        .shop
        .post("/store/v1/carts/nonsense/complete")
        .header("x-cart-token", &other.token)
        .json(&purchase(1, "manual", None))
        .send()
        .await
        .expect_problem(404, "record_not_found");
    fixture.resume(&basket).await.expect_problem(404, "completion_not_found");
    assert_nothing_happened(&fixture, &basket).await;
}

#[tokio::test]
async fn an_empty_cart_is_refused() {
    let fixture = Fixture::open(5).await;
    let created: Value = fixture.shop.post("/store/v1/carts").send().await.expect(201);
    let basket = crate::fixture::Basket { id: crate::fixture::text(&created["cart"]["id"]), token: crate::fixture::text(&created["token"]) };
    fixture.complete(&basket, "one", &purchase(1, "manual", None)).await.expect_problem(409, "cart_empty");
}
