//! What becomes of carts nobody comes back for.

use crate::stand::{Basket, claim, finish, number, open, variant};

const DAY: i64 = 86_400;

async fn sweep(shop: &testkit::Shop) {
    shop.tick().await;
    shop.work_off().await;
    assert_eq!(number(shop, "select count(*) from ops.job where kind = 'cart.abandon' and state <> 'done'").await, 0);
}

#[tokio::test]
async fn a_cart_is_forgotten_thirty_days_after_its_last_change_swept_or_not() {
    let shop = open().await;
    let basket = Basket::make(&shop).await;
    shop.wait(29 * DAY);
    basket.put(variant(&shop, "pitcher", 1_000, 5).await, 1).await;
    shop.wait(29 * DAY);
    sweep(&shop).await;
    basket.read().await;
    shop.wait(DAY);
    basket.request("GET", "").send().await.expect_problem(404, "cart_not_found");
    assert_eq!(number(&shop, "select count(*) from cart.cart where state = 'active'").await, 1);
    sweep(&shop).await;
    assert_eq!(number(&shop, "select count(*) from cart.cart where state = 'abandoned'").await, 1);
    basket.request("GET", "").send().await.expect_problem(404, "cart_not_found");
}

#[tokio::test]
async fn a_cart_in_a_checkout_is_never_abandoned() {
    let shop = open().await;
    let (claimed, completed) = (Basket::make(&shop).await, Basket::make(&shop).await);
    assert!(claim(&claimed).await && claim(&completed).await && finish(&completed).await);
    shop.wait(31 * DAY);
    sweep(&shop).await;
    assert_eq!(number(&shop, "select count(*) from cart.cart where state = 'abandoned'").await, 0);
    claimed.read().await;
    completed.read().await;
}

#[tokio::test]
async fn carts_that_are_over_are_deleted_after_ninety_days_with_their_lines() {
    let shop = open().await;
    let (left, bought) = (Basket::make(&shop).await, Basket::make(&shop).await);
    left.put(variant(&shop, "pitcher", 1_000, 5).await, 1).await;
    assert!(claim(&bought).await && finish(&bought).await);
    shop.wait(31 * DAY);
    sweep(&shop).await;
    shop.wait(60 * DAY);
    sweep(&shop).await;
    assert_eq!(number(&shop, "select count(*) from cart.cart").await, 1, "the completed one is gone first");
    shop.wait(31 * DAY);
    sweep(&shop).await;
    assert_eq!(number(&shop, "select (select count(*) from cart.cart) + (select count(*) from cart.line)").await, 0);
}

#[tokio::test]
async fn a_great_many_expired_carts_are_swept_in_one_run_of_small_transactions() {
    let shop = open().await;
    sqlx::query(
        "insert into cart.cart (id, token_hash, channel_id, created_at, updated_at, expires_at)
         select gen_random_uuid(), decode(repeat('00', 32), 'hex'), gen_random_uuid(), $1, $1, $1 from generate_series(1, 1201)",
    )
    .bind(shop.clock().now())
    .execute(shop.context().db().writer())
    .await
    .unwrap();
    sweep(&shop).await;
    assert_eq!(number(&shop, "select count(*) from cart.cart where state = 'abandoned'").await, 1_201);
    assert!(number(&shop, "select count(distinct xmin::text) from cart.cart").await >= 3, "no transaction takes them all");
}
