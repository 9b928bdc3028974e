//! What goes into a cart and out of it.

use cart_api::CartAnswer;
use catalog_api::VariantId;
use serde_json::{Value, json};

use crate::stand::{Basket, number, open, product, publish, stock, variant};

#[tokio::test]
async fn units_of_one_variant_go_into_one_line_and_everything_adds_up() {
    let shop = open().await;
    let (pitcher, bowl) = (variant(&shop, "pitcher", 1_999, 10).await, variant(&shop, "bowl", 500, 10).await);
    let basket = Basket::make(&shop).await;
    basket.put(pitcher, 2).await;
    basket.put(bowl, 1).await;
    let cart = basket.put(pitcher, 1).await;

    assert_eq!(cart.lines.iter().map(|line| (line.sku.as_str(), line.quantity.get())).collect::<Vec<_>>(), [("PITCHER", 3), ("BOWL", 1)]);
    let first = &cart.lines[0];
    assert_eq!((first.title.as_str(), first.product_slug.as_str(), first.total.amount_minor()), ("The pitcher", "pitcher", 5_997));
    assert_eq!(first.image.as_ref().unwrap().url, "/media/pitcher.svg");
    assert!(first.notices.is_empty());
    let totals = cart.totals;
    assert_eq!((totals.item_count, totals.subtotal.amount_minor(), totals.delivery.amount_minor(), totals.total.amount_minor()), (4, 6_497, 490, 6_987));
    assert_eq!(basket.read().await, cart);
}

#[tokio::test]
async fn a_line_can_be_set_and_taken_out() {
    let shop = open().await;
    let basket = Basket::make(&shop).await;
    basket.put(variant(&shop, "pitcher", 1_000, 10).await, 1).await;
    basket.put(variant(&shop, "bowl", 1_000, 10).await, 1).await;
    let cart: CartAnswer = basket.set(0, 7).await.expect(200);
    assert_eq!((cart.lines[0].quantity.get(), cart.totals.item_count), (7, 8));
    let cart: CartAnswer = basket.take_out(0).await.expect(200);
    assert_eq!(cart.lines.iter().map(|line| line.sku.as_str()).collect::<Vec<_>>(), ["BOWL"]);
    let cart: CartAnswer = basket.take_out(0).await.expect(200);
    assert!(cart.lines.is_empty() && cart.totals.total.is_zero(), "an empty cart costs no delivery");
}

#[tokio::test]
async fn more_than_there_are_is_refused_with_how_many_there_are() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 5).await;
    let basket = Basket::make(&shop).await;
    basket.put(pitcher, 3).await;
    let context = |reply: &testkit::Reply| reply.json["context"].clone();
    let refused = basket.add(pitcher, 3).await;
    refused.expect_problem(409, "insufficient_stock");
    assert_eq!(context(&refused), json!({ "variant_id": pitcher, "requested": 6, "available": 5 }));
    let refused = basket.set(0, 6).await;
    assert_eq!(context(refused.expect_problem(409, "insufficient_stock")), json!({ "variant_id": pitcher, "requested": 6, "available": 5 }));
    stock(&shop, pitcher, -5).await;
    assert_eq!(context(basket.add(pitcher, 1).await.expect_problem(409, "insufficient_stock"))["available"], 0);
    assert_eq!(basket.read().await.lines[0].quantity.get(), 3);
    basket.put(pitcher_again(&shop, pitcher).await, 2).await;
}

/// The same variant, with five units again.
async fn pitcher_again(shop: &testkit::Shop, variant: VariantId) -> VariantId {
    stock(shop, variant, 5).await;
    variant
}

#[tokio::test]
async fn what_is_unknown_unpublished_or_sold_elsewhere_cannot_be_put_in() {
    let shop = open().await;
    let hidden = product(&shop, "hidden", 1_000, 5).await;
    publish(&shop, &hidden, false).await;
    let basket = Basket::make(&shop).await;
    for variant in [hidden.variants[0].id, VariantId::new(shop.clock().now())] {
        let reply = basket.add(variant, 1).await;
        reply.expect_problem(422, "variant_unavailable");
        assert_eq!(reply.json["errors"][0]["pointer"], "/variant_id");
    }
    let elsewhere = json!({
        "slug": "elsewhere", "title": "Elsewhere", "published": true, "channels": ["smoke"],
        "variants": [{ "sku": "ELSEWHERE", "prices": [{ "price": { "amount": 1, "currency": "EUR" } }] }]
    });
    let elsewhere: Value = shop.staff("POST", "/admin/v1/products").json(&elsewhere).send().await.expect(201);
    let elsewhere = elsewhere["variants"][0]["id"].as_str().unwrap().parse().unwrap();
    basket.add(elsewhere, 1).await.expect_problem(422, "variant_unavailable");
    assert_eq!(basket.read().await.version, 1);
}

#[tokio::test]
async fn a_line_holds_9999_units_and_a_cart_100_lines() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1, 20_000).await;
    let basket = Basket::make(&shop).await;
    basket.put(pitcher, 9_999).await;
    let reply = basket.add(pitcher, 1).await;
    assert_eq!(reply.expect_problem(422, "quantity_too_large").json["errors"][0]["pointer"], "/quantity");

    let full = Basket::make(&shop).await;
    sqlx::query(
        "insert into cart.line (id, cart_id, variant_id, quantity, noted_price_minor, noted_currency, product_id, product_slug, sku, title, options,
                                created_at, updated_at)
         select gen_random_uuid(), $1, gen_random_uuid(), 1, 1, 'EUR', gen_random_uuid(), 'old', 'OLD', 'Old', '{}', now(), now() from generate_series(1, 99)",
    )
    .bind(full.id.uuid())
    .execute(shop.context().db().writer())
    .await
    .unwrap();
    full.put(pitcher, 1).await;
    full.add(variant(&shop, "bowl", 1, 1).await, 1).await.expect_problem(409, "cart_full");
    assert_eq!(full.put(pitcher, 1).await.lines.len(), 100, "more of a line that is there still goes in");
}

#[tokio::test]
async fn every_change_makes_a_new_version_and_time_anew() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 5).await;
    let basket = Basket::make(&shop).await;
    shop.wait(3_600);
    let reply = basket.add(pitcher, 1).await;
    let cart: CartAnswer = reply.expect(200);
    assert_eq!((cart.version, reply.header("etag")), (2, "\"2\""));
    assert_eq!(cart.expires_at, shop.clock().now() + chrono::TimeDelta::days(30));
    assert_eq!(basket.set(0, 2).await.expect::<CartAnswer>(200).version, 3);
    assert_eq!(basket.take_out(0).await.expect::<CartAnswer>(200).version, 4);
    basket.add(pitcher, 50).await.expect_problem(409, "insufficient_stock");
    assert_eq!(basket.read().await.version, 4, "a refusal is no change");
}

#[tokio::test]
async fn a_change_meant_for_another_version_is_refused() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 5).await;
    let basket = Basket::make(&shop).await;
    let line = basket.put(pitcher, 1).await.lines[0].id;
    let body = json!({ "quantity": 2 });
    let patch = |version: &str| basket.request("PATCH", &format!("/lines/{line}")).header("if-match", version).json(&body);
    let stale = patch("\"1\"").send().await;
    assert_eq!(stale.expect_problem(412, "stale_version").json["context"]["version"], 2);
    assert_eq!(patch("\"2\"").send().await.expect::<CartAnswer>(200).version, 3);
    basket.request("DELETE", &format!("/lines/{line}")).header("if-match", "\"2\"").send().await.expect_problem(412, "stale_version");
    patch("yesterday").send().await.expect_problem(400, "invalid_header");
}

#[tokio::test]
async fn the_same_key_adds_once() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 9).await;
    let basket = Basket::make(&shop).await;
    let add =
        |quantity: i64| basket.request("POST", "/lines").header("idempotency-key", "once").json(&json!({ "variant_id": pitcher, "quantity": quantity })).send();
    let first = add(2).await;
    let again = add(2).await;
    assert_eq!((again.status, &again.json, again.header("etag")), (first.status, &first.json, first.header("etag")));
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    add(3).await.expect_problem(422, "idempotency_key_reused");
    assert_eq!(basket.read().await.totals.item_count, 2);

    let other = Basket::make(&shop).await;
    let theirs = other.request("POST", "/lines").header("idempotency-key", "once").json(&json!({ "variant_id": pitcher, "quantity": 1 })).send().await;
    assert_eq!(theirs.expect::<CartAnswer>(200).id, other.id, "a key belongs to a secret");
    assert_eq!(number(&shop, "select count(*) from ops.idempotency_key").await, 2);
}
