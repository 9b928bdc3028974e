//! Who reaches a cart.

use cart_api::{CartAnswer, CartCreated, CartState};
use catalog::Channels;
use kernel::Token;
use serde_json::json;

use crate::stand::{Basket, channel, number, open, variant};

#[tokio::test]
async fn a_new_cart_is_empty_free_and_tells_its_secret_once() {
    let shop = open().await;
    let reply = shop.post("/store/v1/carts").send().await;
    let CartCreated { cart, token } = reply.expect(201);
    assert_eq!((cart.state, cart.lines.len(), cart.channel.as_str(), cart.version), (CartState::Active, 0, "default", 1));
    assert!(cart.totals.total.is_zero() && cart.totals.delivery.is_zero());
    assert_eq!(cart.delivery.price.amount_minor(), 490);
    assert_eq!(cart.expires_at, shop.clock().now() + chrono::TimeDelta::days(30));
    assert_eq!((reply.header("etag"), reply.header("cache-control")), ("\"1\"", "no-store"));

    let read = shop.get(&format!("/store/v1/carts/{}", cart.id)).header("x-cart-token", &token).send().await;
    assert_eq!(read.expect::<CartAnswer>(200), cart);
    assert!(!read.text.contains(&token.reveal()), "told once");
}

#[tokio::test]
async fn a_cart_buys_in_the_channel_it_was_made_in() {
    let shop = open().await;
    let created: CartCreated = shop.post("/store/v1/carts").header("x-channel", "smoke").send().await.expect(201);
    assert_eq!(created.cart.channel, "smoke");
    shop.post("/store/v1/carts").header("x-channel", "nowhere").send().await.expect_problem(404, "channel_not_found");
    let read = shop.get(&format!("/store/v1/carts/{}", created.cart.id)).header("x-cart-token", &created.token).header("x-channel", "default");
    assert_eq!(read.send().await.expect::<CartAnswer>(200).channel, "smoke");
}

#[tokio::test]
async fn a_wrong_or_missing_secret_and_an_unknown_cart_are_answered_alike() {
    let shop = open().await;
    let variant = variant(&shop, "pitcher", 1_000, 5).await;
    let (basket, other) = (Basket::make(&shop).await, Basket::make(&shop).await);
    let line = basket.put(variant, 1).await.lines[0].id;
    let unknown = format!("/store/v1/carts/{}", "crt_01h00000000000000000000000");
    let body = json!({ "variant_id": variant, "quantity": 1 });

    let mut answers = Vec::new();
    for secret in [other.token.reveal(), Token::generate().reveal(), "no token".to_owned(), String::new()] {
        let path = basket.path();
        let requests = [
            shop.get(&path),
            shop.post(&format!("{path}/lines")).json(&body),
            shop.request("PATCH", &format!("{path}/lines/{line}")).json(&json!({ "quantity": 2 })),
            shop.request("DELETE", &format!("{path}/lines/{line}")),
            shop.get(&unknown),
        ];
        for request in requests {
            let reply = request.header("x-cart-token", &secret).send().await;
            reply.expect_problem(404, "cart_not_found");
            answers.push(reply.json);
        }
    }
    shop.get(&basket.path()).send().await.expect_problem(404, "cart_not_found");
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(basket.read().await.lines[0].quantity.get(), 1, "nothing was changed");
}

#[tokio::test]
async fn the_secret_is_kept_as_a_hash_only() {
    let shop = open().await;
    let basket = Basket::make(&shop).await;
    let kept: Vec<u8> = sqlx::query_scalar("select token_hash from cart.cart").fetch_one(shop.context().db().writer()).await.unwrap();
    assert!(basket.token.hash().matches(&kept));
    let created = shop.post("/store/v1/carts").header("idempotency-key", "mine").send().await;
    let again = shop.post("/store/v1/carts").header("idempotency-key", "mine").send().await;
    assert_ne!(created.expect::<CartCreated>(201).cart.id, again.expect::<CartCreated>(201).cart.id, "no answer with a secret is kept");
    assert_eq!(number(&shop, "select count(*) from ops.idempotency_key").await, 0);
}

#[tokio::test]
async fn the_public_face_opens_a_cart_with_its_secret_only() {
    let shop = open().await;
    let basket = Basket::make(&shop).await;
    let channels = Channels::new(shop.context()).known().await.unwrap();
    let mut tx = shop.begin().await;
    let locked = cart::lock(&mut tx, &channels, basket.id, &basket.token.hash()).await.unwrap().unwrap();
    assert_eq!((locked.id, locked.channel.id, locked.state), (basket.id, channel(), CartState::Active));
    assert!(cart::lock(&mut tx, &channels, basket.id, &Token::generate().hash()).await.unwrap().is_none());
}
