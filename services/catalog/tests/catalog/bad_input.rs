//! What is refused, and how.

use catalog_api::{CategoryId, ChannelId, ProductId, VariantId};
use kernel::{Cursor, Timestamp};
use serde_json::{Value, json};
use testkit::Shop;

use crate::{create, events, matrix, open, single};

/// Changes a good draft at a pointer and expects it refused there.
async fn refuse(shop: &Shop, mut draft: Value, at: &str, to: Value, pointer: &str, code: &str) {
    let (parent, key) = at.rsplit_once('/').unwrap();
    match draft.pointer_mut(parent).unwrap() {
        Value::Object(object) => drop(object.insert(key.to_owned(), to)),
        Value::Array(array) => array[key.parse::<usize>().unwrap()] = to,
        other => panic!("{other}"),
    }
    let reply = shop.staff("POST", "/admin/v1/products").json(&draft).send().await;
    reply.expect_problem(422, "invalid_body");
    let errors = reply.json["errors"].as_array().unwrap();
    assert!(errors.iter().any(|error| error["pointer"] == pointer && error["code"] == code), "{at}: {}", reply.text);
}

#[tokio::test]
async fn a_product_with_a_bad_field_is_refused_at_that_field() {
    let shop = open().await;
    let long = |length: usize| json!("a".repeat(length));
    let cases = [
        ("/slug", json!("No Slug"), "/slug"),
        ("/slug", json!("a\u{0}"), "/slug"),
        ("/slug", long(101), "/slug"),
        ("/title", json!(""), "/title"),
        ("/title", json!("   "), "/title"),
        ("/title", json!("a\u{0}b"), "/title"),
        ("/title", long(201), "/title"),
        ("/title", json!(7), "/title"),
        ("/title", json!(null), "/title"),
        ("/summary", long(501), "/summary"),
        ("/description", json!("a\u{0}b"), "/description"),
        ("/description", long(20_001), "/description"),
        ("/facts", json!(["ok", "\u{0}"]), "/facts/1"),
        ("/published", json!("yes"), "/published"),
        ("/options/0/name", json!("\u{0}"), "/options/0/name"),
        ("/options/0/values", json!([]), "/options/0/values"),
        ("/options/0/values/0/swatch", json!("red"), "/options/0/values/0/swatch"),
        ("/variants", json!([]), "/variants"),
        ("/variants/0/sku", json!("has space"), "/variants/0/sku"),
        ("/variants/0/sku", long(65), "/variants/0/sku"),
        ("/variants/0/prices", json!([]), "/variants/0/prices"),
        ("/variants/0/prices/0/price/amount", json!(-1), "/variants/0/prices/0/price"),
        ("/variants/0/prices/0/price/amount", json!(100_000_000_001_i64), "/variants/0/prices/0/price"),
        ("/variants/0/prices/0/price/amount", json!(19.99), "/variants/0/prices/0/price/amount"),
        ("/variants/0/prices/0/price/amount", json!("100"), "/variants/0/prices/0/price/amount"),
        ("/variants/0/prices/0/price/currency", json!("XYZ"), "/variants/0/prices/0/price/currency"),
        ("/variants/0/prices/0/price/currency", json!("eur"), "/variants/0/prices/0/price/currency"),
        ("/media/0/url", json!("javascript:alert(1)"), "/media/0/url"),
        ("/media/0/width", json!(0), "/media/0/width"),
        ("/media/0/sources/0/url", json!("data:image/webp;base64,AA"), "/media/0/sources/0/url"),
        ("/media/0/sources/0/url", json!("/media/two words.webp"), "/media/0/sources/0/url"),
        ("/media/0/sources/0/url", json!("/media/a.webp,"), "/media/0/sources/0/url"),
        ("/media/0/sources/0/width", json!(0), "/media/0/sources/0/width"),
        ("/media/0/sources/0/width", json!(640), "/media/0/sources"),
    ];
    for (at, to, pointer) in cases {
        refuse(&shop, matrix("hills"), at, to, pointer, "invalid").await;
    }
    assert_eq!(events(&shop, "catalog.ProductChanged").await, 0);
}

#[tokio::test]
async fn a_product_that_does_not_fit_together_is_refused_with_its_own_codes() {
    let shop = open().await;
    let cases = [
        ("/variants/1/options/Size", json!("S"), "/variants/1/options", "duplicate_combination"),
        ("/variants/1/options/Size", json!("XL"), "/variants/1/options/Size", "option_value_unknown"),
        ("/variants/1/options", json!({ "Frame": "Oak" }), "/variants/1/options", "option_missing"),
        ("/variants/1/options/Colour", json!("Red"), "/variants/1/options/Colour", "option_unknown"),
        ("/variants/1/sku", json!("hills-black-s"), "/variants/1/sku", "duplicate_sku"),
        ("/options/1/name", json!("Frame"), "/options/1/name", "duplicate_option"),
        ("/options/1/values/1/value", json!("S"), "/options/1/values/1/value", "duplicate_option_value"),
        ("/variants/0/prices/0/compare_at/amount", json!(4_900), "/variants/0/prices/0/compare_at/amount", "not_above_price"),
        ("/variants/0/prices/0/compare_at/currency", json!("USD"), "/variants/0/prices/0/compare_at/currency", "currency_mismatch"),
        ("/media/1/option_value", json!("Pine"), "/media/1/option_value", "option_value_unknown"),
        ("/category", json!("nowhere"), "/category", "unknown"),
        ("/channels", json!(["default", "nowhere"]), "/channels/1", "unknown"),
    ];
    for (at, to, pointer, code) in cases {
        refuse(&shop, matrix("hills"), at, to, pointer, code).await;
    }
    let twice = json!([{ "price": { "amount": 1, "currency": "EUR" } }, { "price": { "amount": 2, "currency": "EUR" } }]);
    refuse(&shop, matrix("hills"), "/variants/2/prices", twice, "/variants/2/prices/1/price/currency", "duplicate_currency").await;
    assert_eq!(events(&shop, "catalog.ProductChanged").await, 0);
}

#[tokio::test]
async fn bodies_that_are_no_json_or_hold_unknown_fields_are_refused_everywhere() {
    let shop = open().await;
    let product = create(&shop, &single("cup", 900)).await;
    let channel: ChannelId = shop.read("/store/v1/channel").await.json["id"].as_str().unwrap().parse().unwrap();
    let one = format!("/admin/v1/products/{}", product.id);
    let edits = [
        ("POST", "/admin/v1/products".to_owned()),
        ("POST", "/admin/v1/categories".to_owned()),
        ("PATCH", one.clone()),
        ("PATCH", format!("{one}/variants/{}", product.variants[0].id)),
        ("PATCH", format!("/admin/v1/channels/{channel}")),
    ];
    for (method, path) in &edits {
        let request = || shop.staff(method, path).header("if-match", "\"1\"");
        let text = |body: &str| request().header("content-type", "application/json").body(body.to_owned());
        for broken in ["", "{", "{,}", "nul", "{'a': 1}", "\u{0}"] {
            text(broken).send().await.expect_problem(400, "malformed_json");
        }
        for shape in ["[]", "\"text\"", "7", "null"] {
            text(shape).send().await.expect_problem(422, "invalid_body");
        }
        request().json(&json!({ "surprise": 1 })).send().await.expect_problem(422, "invalid_body");
        request().body("{}").send().await.expect_problem(415, "unsupported_media_type");
        request().json(&json!({})).header("idempotency-key", "").send().await.expect_problem(400, "invalid_header");
    }
    assert_eq!(events(&shop, "catalog.ProductChanged").await, 1);
}

#[tokio::test]
async fn edits_with_bad_fields_are_refused() {
    let shop = open().await;
    let product = create(&shop, &single("cup", 900)).await;
    let channel = shop.read("/store/v1/channel").await.json["id"].as_str().unwrap().to_owned();
    let one = format!("/admin/v1/products/{}", product.id);
    let variant = format!("{one}/variants/{}", product.variants[0].id);
    let channel = format!("/admin/v1/channels/{channel}");
    let price = |amount: i64, currency: &str| json!({ "prices": [{ "price": { "amount": amount, "currency": currency } }] });
    let cases = [
        (&one, json!({ "title": "" }), "/title"),
        (&one, json!({ "title": 7 }), "/title"),
        (&one, json!({ "published": "no" }), "/published"),
        (&one, json!({ "description": "a\u{0}" }), "/description"),
        (&variant, json!({ "sku": "" }), "/sku"),
        (&variant, json!({ "sku": "a b" }), "/sku"),
        (&variant, price(-1, "EUR"), "/prices/0/price"),
        (&variant, price(1, "ZZZ"), "/prices/0/price/currency"),
        (&channel, json!({ "countries": [] }), "/countries"),
        (&channel, json!({ "countries": ["XX"] }), "/countries/0"),
        (&channel, json!({ "hosts": ["Has Space"] }), "/hosts/0"),
        (&channel, json!({ "hosts": ["a.example.com:8080"] }), "/hosts/0"),
        (&channel, json!({ "name": "\n" }), "/name"),
        (&channel, json!({ "delivery_price": { "amount": -1, "currency": "EUR" } }), "/delivery_price"),
    ];
    for (path, body, pointer) in cases {
        let reply = shop.staff("PATCH", path).header("if-match", "\"1\"").json(&body).send().await;
        assert_eq!(reply.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], pointer, "{body}");
    }
}

#[tokio::test]
async fn queries_outside_the_closed_set_are_refused() {
    let shop = open().await;
    let forged = [
        Cursor::encode(&json!({ "featured": "x" })),
        Cursor::encode(&json!({ "title": ["a", 1] })),
        Cursor::encode(&json!(7)),
        "%20".to_owned(),
        "e30".to_owned(),
        "no-cursor".to_owned(),
    ];
    let queries = ["limit=0", "limit=101", "limit=-1", "limit=ten", "limit=4294967296", "sort=cheapest", "surprise=1", "limit=1&limit=2"];
    for query in queries.into_iter().map(str::to_owned).chain(forged.iter().map(|cursor| format!("after={cursor}"))) {
        shop.get(&format!("/store/v1/products?{query}")).send().await.expect_problem(400, "invalid_query");
    }
    for (sort, cursor) in [("title", json!({ "title": ["\u{0}", 1] })), ("newest", json!({ "newest": [i64::MIN, 1] }))] {
        let query = format!("/store/v1/products?sort={sort}&after={}", Cursor::encode(&cursor));
        shop.get(&query).send().await.expect_problem(400, "invalid_query");
    }
    let far = Cursor::encode(&json!({ "newest": [i64::MAX, i64::MAX] }));
    assert_eq!(shop.get(&format!("/store/v1/products?sort=newest&after={far}")).send().await.status, 200);
    let long = format!("q={}", "a".repeat(101));
    for query in ["limit=0", "limit=101", "after=x", "published=maybe", "surprise=1", &long] {
        shop.staff("GET", &format!("/admin/v1/products?{query}")).send().await.expect_problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let shop = open().await;
    for slug in ["nothing", "No-Slug", "a%00b", "%FF", &"a".repeat(500)] {
        shop.get(&format!("/store/v1/products/{slug}")).send().await.expect_problem(404, if slug == "%FF" { "record_not_found" } else { "product_not_found" });
    }
    for category in ["nothing", "a%00b", "%FF", ""] {
        shop.get(&format!("/store/v1/products?category={category}")).send().await.expect_problem(404, "category_not_found");
    }
    let epoch = Timestamp::UNIX_EPOCH;
    let product = format!("/admin/v1/products/{}", ProductId::new(epoch));
    shop.staff("GET", &product).send().await.expect_problem(404, "product_not_found");
    let edit = |path: &str| shop.staff("PATCH", path).header("if-match", "\"1\"").json(&json!({}));
    edit(&product).send().await.expect_problem(404, "product_not_found");
    edit(&format!("{product}/variants/{}", VariantId::new(epoch))).send().await.expect_problem(404, "product_not_found");
    edit(&format!("/admin/v1/channels/{}", ChannelId::new(epoch))).send().await.expect_problem(404, "channel_not_found");
    let other_kind = CategoryId::new(epoch);
    for path in [format!("/admin/v1/products/{other_kind}"), "/admin/v1/products/7".to_owned(), format!("{product}/variants/7")] {
        edit(&path).send().await.expect_problem(404, "record_not_found");
    }
}
