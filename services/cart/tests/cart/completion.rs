//! The claim of a checkout.

use cart_api::{CartAnswer, CartState};
use catalog::Channels;
use serde_json::json;

use crate::stand::{Basket, claim, finish, open, reopen, stock, variant};

#[tokio::test]
async fn a_claimed_cart_refuses_changes_until_it_is_reopened() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 5).await;
    let basket = Basket::make(&shop).await;
    let line = basket.put(pitcher, 1).await.lines[0].id;
    assert!(claim(&basket).await);
    assert!(!claim(&basket).await, "a claim is one checkout's");

    let held = basket.read().await;
    assert_eq!(held.state, CartState::Completing);
    basket.add(pitcher, 1).await.expect_problem(409, "cart_completing");
    basket.set(0, 2).await.expect_problem(409, "cart_completing");
    basket.take_out(0).await.expect_problem(409, "cart_completing");

    assert!(reopen(&basket).await);
    assert!(!reopen(&basket).await && !finish(&basket).await);
    let open_again = basket.read().await;
    assert_eq!((open_again.state, open_again.lines[0].id), (CartState::Active, line));
    assert!(open_again.version > held.version);
    basket.put(pitcher, 1).await;
}

#[tokio::test]
async fn a_completed_cart_stays_readable_and_never_changes_again() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 5).await;
    let basket = Basket::make(&shop).await;
    basket.put(pitcher, 1).await;
    assert!(!finish(&basket).await, "nothing is completed that was not claimed");
    assert!(claim(&basket).await && finish(&basket).await);
    assert!(!claim(&basket).await && !reopen(&basket).await && !finish(&basket).await);
    basket.add(pitcher, 1).await.expect_problem(409, "cart_completed");
    basket.take_out(0).await.expect_problem(409, "cart_completed");
    assert_eq!(basket.read().await.state, CartState::Completed);
}

#[tokio::test]
async fn the_claim_has_a_deadline_that_the_checkout_can_read() {
    let shop = open().await;
    let basket = Basket::make(&shop).await;
    assert!(claim(&basket).await);
    let channels = Channels::new(shop.context()).known().await.unwrap();
    let mut tx = shop.begin().await;
    let locked = cart::lock(&mut tx, &channels, basket.id, &basket.token.hash()).await.unwrap().unwrap();
    assert_eq!((locked.state, locked.completing_until), (CartState::Completing, Some(shop.clock().now() + chrono::TimeDelta::minutes(15))));
}

#[tokio::test]
async fn a_claimed_cart_is_not_told_that_its_held_units_are_gone() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 2).await;
    let basket = Basket::make(&shop).await;
    basket.put(pitcher, 2).await;
    stock(&shop, pitcher, -2).await;
    assert_eq!(basket.read().await.lines[0].notices.len(), 1);
    assert!(claim(&basket).await);
    assert!(basket.read().await.lines[0].notices.is_empty());
}

#[tokio::test]
async fn a_kept_answer_is_given_again_even_after_the_cart_has_become_an_order() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 5).await;
    let basket = Basket::make(&shop).await;
    let body = json!({ "variant_id": pitcher, "quantity": 1 });
    let add = || basket.request("POST", "/lines").header("idempotency-key", "once").json(&body).send();
    let first: CartAnswer = add().await.expect(200);
    assert!(claim(&basket).await && finish(&basket).await);
    assert_eq!(add().await.expect::<CartAnswer>(200), first);
}
