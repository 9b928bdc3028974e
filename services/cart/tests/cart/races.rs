//! Two hands in one cart.

use cart_api::{CartAnswer, CartState};
use tokio::task::JoinSet;

use crate::stand::{Basket, claim, open, variant};

#[tokio::test(flavor = "multi_thread")]
async fn two_adds_at_once_make_one_line_with_the_sum() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 100).await;
    for _ in 0..10 {
        let basket = Basket::make(&shop).await;
        let (first, second) = tokio::join!(basket.add(pitcher, 2), basket.add(pitcher, 3));
        assert_eq!((first.status, second.status), (200, 200), "{} {}", first.text, second.text);
        let cart = basket.read().await;
        assert_eq!(cart.lines.iter().map(|line| line.quantity.get()).collect::<Vec<_>>(), [5]);
        assert_eq!(cart.version, 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_adds_at_once_never_pass_what_there_is_nor_the_limit_of_lines() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 5).await;
    let basket = Basket::make(&shop).await;
    let mut adds = JoinSet::new();
    for _ in 0..8 {
        let basket = basket.clone();
        adds.spawn(async move { basket.add(pitcher, 1).await.status });
    }
    let mut statuses = adds.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 409, 409, 409]);
    assert_eq!(basket.read().await.lines[0].quantity.get(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_meant_for_one_version_one_is_made() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 50).await;
    let basket = Basket::make(&shop).await;
    let line = basket.put(pitcher, 1).await.lines[0].id;
    let set = |quantity: i64| {
        let body = serde_json::json!({ "quantity": quantity });
        basket.request("PATCH", &format!("/lines/{line}")).header("if-match", "\"2\"").json(&body).send()
    };
    let (first, second) = tokio::join!(set(10), set(20));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_twice_at_once_adds_once() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 50).await;
    let basket = Basket::make(&shop).await;
    let body = serde_json::json!({ "variant_id": pitcher, "quantity": 2 });
    let add = || basket.request("POST", "/lines").header("idempotency-key", "once").json(&body).send();
    let (first, second) = tokio::join!(add(), add());
    assert_eq!(first.expect::<CartAnswer>(200), second.expect::<CartAnswer>(200));
    assert_eq!(basket.read().await.totals.item_count, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_and_a_claim_at_once_leave_the_claimed_cart_as_it_was_claimed() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 50).await;
    for _ in 0..10 {
        let basket = Basket::make(&shop).await;
        basket.put(pitcher, 1).await;
        let (added, claimed) = tokio::join!(basket.add(pitcher, 1), claim(&basket));
        assert!(claimed);
        let cart = basket.read().await;
        assert_eq!(cart.state, CartState::Completing);
        assert_eq!(cart.totals.item_count, if added.status == 200 { 2 } else { 1 }, "{}", added.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_is_claimed_by_one_of_many_checkouts() {
    let shop = open().await;
    let basket = Basket::make(&shop).await;
    let mut claims = JoinSet::new();
    for _ in 0..8 {
        let basket = basket.clone();
        claims.spawn(async move { claim(&basket).await });
    }
    assert_eq!(claims.join_all().await.into_iter().filter(|claimed| *claimed).count(), 1);
}
