//! What the provider answers, and what becomes of the order, the stock and the cart.

use serde_json::{Value, json};

use crate::fixture::{Basket, Fixture, purchase, text};

pub(crate) const APPROVED: &str = "0000000000001000";
const DECLINED: &str = "0000000000002001";
const SECOND_STEP: &str = "0000000000003000";
const SILENT: &str = "0000000000004000";
const LATE: &str = "0000000000005000";
const TWICE: &str = "0000000000006000";

#[tokio::test]
async fn a_decline_is_told_opens_the_cart_again_and_another_key_may_try_anew() {
    let fixture = Fixture::open(5).await;
    let basket = fixture.basket(1).await;
    let declined = fixture.complete(&basket, "one", &purchase(1, "sandbox", Some(DECLINED))).await;
    declined.expect_problem(402, "payment_declined");
    assert_eq!(fixture.cart(&basket).await["state"], "active");
    assert_eq!(fixture.level().await, (5, 0));
    assert_eq!(fixture.orders("canceled").await, 1);

    let replayed = fixture.complete(&basket, "one", &purchase(1, "sandbox", Some(DECLINED))).await;
    assert_eq!((replayed.status, &replayed.text), (402, &declined.text));
    let placed: Value = fixture.complete(&basket, "two", &purchase(1, "sandbox", Some(APPROVED))).await.expect(200);
    assert_eq!(placed["status"], "placed");
    fixture.assert_books_balance().await;
}

#[tokio::test]
async fn a_second_step_that_is_approved_makes_a_sale_when_the_shopper_comes_back() {
    let fixture = Fixture::open(5).await;
    let (basket, page) = second_step(&fixture).await;
    assert_eq!(fixture.cart(&basket).await["state"], "completing");
    decide(&fixture, &page, "approve").await;
    let placed: Value = fixture.resume(&basket).await.expect(200);
    assert_eq!(placed["order"]["state"], "placed");
    let again: Value = fixture.resume(&basket).await.expect(200);
    assert_eq!(again, placed);
    fixture.assert_books_balance().await;
}

#[tokio::test]
async fn a_second_step_that_is_declined_opens_the_cart_again() {
    let fixture = Fixture::open(5).await;
    let (basket, page) = second_step(&fixture).await;
    decide(&fixture, &page, "decline").await;
    fixture.resume(&basket).await.expect_problem(402, "payment_declined");
    assert_eq!(fixture.cart(&basket).await["state"], "active");
    assert_eq!(fixture.level().await, (5, 0));
    fixture.assert_books_balance().await;
}

#[tokio::test]
async fn a_second_step_that_is_approved_makes_a_sale_though_the_shopper_never_comes_back() {
    let fixture = Fixture::open(5).await;
    let (basket, page) = second_step(&fixture).await;
    decide(&fixture, &page, "approve").await;
    work_for(&fixture, 60).await;
    assert_eq!(fixture.cart(&basket).await["state"], "completed");
    assert_eq!(fixture.orders("placed").await, 1);
    fixture.assert_books_balance().await;
}

#[tokio::test]
async fn a_second_step_nobody_takes_lets_the_stock_go_after_its_time() {
    let fixture = Fixture::open(5).await;
    let (basket, _) = second_step(&fixture).await;
    work_for(&fixture, 14 * 60).await;
    assert_eq!(fixture.level().await, (5, 1), "a hold whose shopper has to act does not run out by itself");
    work_for(&fixture, 3 * 60).await;
    assert_eq!(fixture.level().await, (5, 0));
    assert_eq!(fixture.cart(&basket).await["state"], "active");
    assert_eq!(fixture.orders("canceled").await, 1);
    fixture.assert_books_balance().await;
}

#[tokio::test]
async fn a_provider_that_does_not_answer_leaves_the_order_pending_until_it_does() {
    let fixture = Fixture::open(5).await;
    let basket = fixture.basket(1).await;
    let completion: Value = fixture.complete(&basket, "one", &purchase(1, "sandbox", Some(SILENT))).await.expect(202);
    assert_eq!((&completion["status"], &completion["order"]["state"]), (&json!("processing"), &json!("pending")));
    assert_eq!(fixture.level().await, (5, 1));
    work_for(&fixture, 120).await;
    assert_eq!(fixture.orders("placed").await, 1);
    let placed: Value = fixture.resume(&basket).await.expect(200);
    assert_eq!(placed["status"], "placed");
    fixture.assert_books_balance().await;
}

#[tokio::test]
async fn late_and_doubled_news_place_one_order() {
    for card in [LATE, TWICE] {
        let fixture = Fixture::open(5).await;
        let basket = fixture.basket(1).await;
        let reply = fixture.complete(&basket, "one", &purchase(1, "sandbox", Some(card))).await;
        assert!(matches!(reply.status, 200 | 202), "{}", reply.text);
        work_for(&fixture, 120).await;
        assert_eq!((fixture.orders("placed").await, fixture.orders("pending").await), (1, 0), "{card}");
        assert_eq!(fixture.level().await, (5, 1));
        fixture.assert_books_balance().await;
    }
}

#[tokio::test]
async fn money_that_comes_after_the_hold_ran_out_takes_stock_anew_or_is_let_go() {
    for (left, placed, reserved) in [(1, 1, 1), (0, 1, 1)] {
        let fixture = Fixture::open(1).await;
        let (basket, page) = second_step(&fixture).await;
        // As if the hold had run out before the provider's first answer was written.
        let hold = release_the_hold(&fixture).await;
        assert!(hold, "there was a hold to release");
        if left == 0 {
            let other = fixture.basket(1).await;
            fixture.complete(&other, "other", &purchase(1, "manual", None)).await.expect_status(200);
        }
        decide(&fixture, &page, "approve").await;
        let reply = fixture.resume(&basket).await;
        if left == 1 {
            assert_eq!(reply.status, 200, "{}", reply.text);
        } else {
            reply.expect_problem(409, "insufficient_stock");
            work_for(&fixture, 60).await;
            assert_eq!(fixture.cart(&basket).await["state"], "active");
        }
        assert_eq!((fixture.orders("placed").await, fixture.level().await.1), (placed, reserved));
        fixture.assert_books_balance().await;
    }
}

async fn second_step(fixture: &Fixture) -> (Basket, String) {
    let basket = fixture.basket(1).await;
    let completion: Value = fixture.complete(&basket, "one", &purchase(1, "sandbox", Some(SECOND_STEP))).await.expect(202);
    assert_eq!(completion["status"], "requires_action");
    (basket, text(&completion["next_action"]["url"]))
}

async fn decide(fixture: &Fixture, page: &str, decision: &str) {
    let path = page.find("/sandbox/").map_or(page, |start| &page[start..]);
    fixture.shop.read(path).await;
    let reply = fixture.shop.post(path).header("content-type", "application/x-www-form-urlencoded").body(format!("decision={decision}")).send().await;
    assert_eq!((reply.status, reply.header("location")), (303, "/checkout/return"), "{}", reply.text);
}

async fn release_the_hold(fixture: &Fixture) -> bool {
    let mut tx = fixture.shop.begin().await;
    let hold: uuid::Uuid = sqlx::query_scalar("select hold_id from checkout.completion order by created_at limit 1").fetch_one(tx.conn()).await.unwrap();
    let released = inventory::release_hold(&mut tx, inventory_api::HoldId::from_uuid(hold)).await.unwrap();
    tx.commit().await.unwrap();
    released
}

/// Lets the workers work for so many seconds of the shop's time.
async fn work_for(fixture: &Fixture, seconds: i64) {
    for _ in 0..seconds.div_euclid(5) {
        fixture.shop.wait(5);
        let mut tx = fixture.shop.begin().await;
        tx.enqueue("payments.reconcile", &Value::Null, Some("test"), None).await.unwrap();
        tx.enqueue("inventory.expire_holds", &Value::Null, Some("test"), None).await.unwrap();
        tx.commit().await.unwrap();
        fixture.shop.work_off().await;
    }
}
