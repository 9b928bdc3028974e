//! The core promises under concurrency: nothing oversold, nothing bought twice, nothing lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::fixture::{Basket, Fixture, purchase, without_instance};
use crate::payment::APPROVED;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_buyers_at_once_get_exactly_the_fifty_units_there_are() {
    for (provider, card) in [("manual", None), ("sandbox", Some(APPROVED))] {
        let fixture = Arc::new(Fixture::open(50).await);
        let mut baskets = Vec::new();
        for _ in 0..200 {
            baskets.push(fixture.basket(1).await);
        }
        let mut buyers = JoinSet::new();
        for (number, basket) in baskets.into_iter().enumerate() {
            let fixture = Arc::clone(&fixture);
            buyers.spawn(async move { fixture.complete_patiently(&basket, &format!("buyer {number}"), &purchase(1, provider, card)).await });
        }
        let replies = buyers.join_all().await;
        let placed = replies.iter().filter(|reply| reply.status == 200).count();
        let refused = replies.iter().filter(|reply| reply.status == 409 && reply.code() == "insufficient_stock").count();
        assert_eq!((placed, refused), (50, 150), "{provider}");
        let numbers: BTreeSet<&str> = replies.iter().filter_map(|reply| reply.json["order"]["number"].as_str()).collect();
        assert_eq!(numbers.len(), 50, "every order has a number of its own");
        assert_eq!((fixture.orders("placed").await, fixture.orders("pending").await), (50, 0));
        assert_eq!(fixture.level().await, (50, 50));
        fixture.assert_books_balance().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_completion_ten_times_at_once_makes_one_order_and_ten_equal_answers() {
    for (provider, card) in [("manual", None), ("sandbox", Some(APPROVED))] {
        let fixture = Arc::new(Fixture::open(50).await);
        let basket = fixture.basket(1).await;
        let answers = at_once(&fixture, &basket, &["same"; 10], provider, card).await;
        assert_eq!(answers[0].0, 200, "{}", answers[0].1);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{provider}: {answers:#?}");
        assert_one_sale(&fixture).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_completing_one_cart_make_one_order() {
    for (provider, card) in [("manual", None), ("sandbox", Some(APPROVED))] {
        let fixture = Arc::new(Fixture::open(50).await);
        let basket = fixture.basket(1).await;
        let answers = at_once(&fixture, &basket, &["phone", "laptop"], provider, card).await;
        let sold: Vec<&Value> = answers.iter().filter(|(status, _)| *status == 200).map(|(_, body)| &body["order"]["id"]).collect();
        let told: Vec<&Value> = answers.iter().filter(|(_, body)| body["code"] == "cart_completed").map(|(_, body)| &body["context"]["order_id"]).collect();
        assert_eq!(sold.len() + told.len(), 2, "{provider}: {answers:#?}");
        assert!(!sold.is_empty() && sold.iter().chain(&told).all(|id| *id == sold[0]), "{provider}: {answers:#?}");
        assert_one_sale(&fixture).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_who_hangs_up_at_any_moment_leaves_a_sale_or_nothing() {
    let fixture = Fixture::open(100).await;
    let mut started = 0;
    for delay_ms in 0..25 {
        let basket = fixture.basket(1).await;
        let body = purchase(1, "sandbox", Some(APPROVED));
        let request = fixture.complete(&basket, "gone", &body);
        if tokio::time::timeout(Duration::from_millis(delay_ms), request).await.is_err() {
            started += 1;
        }
        // The shopper comes back with the same key and gets the one answer there is.
        let again: Value = fixture.complete(&basket, "gone", &body).await.expect(200);
        assert_eq!(again["status"], "placed");
    }
    assert!(started > 0, "no request was cut off, so nothing was tried");
    assert_eq!((fixture.orders("placed").await, fixture.orders("pending").await, fixture.orders("canceled").await), (25, 0, 0));
    assert_eq!(fixture.level().await, (100, 25));
    fixture.assert_books_balance().await;
}

async fn at_once(fixture: &Arc<Fixture>, basket: &Basket, keys: &[&'static str], provider: &'static str, card: Option<&'static str>) -> Vec<(u16, Value)> {
    let mut devices = JoinSet::new();
    for key in keys.iter().copied() {
        let (fixture, basket) = (Arc::clone(fixture), basket.clone());
        devices.spawn(async move { without_instance(&fixture.complete_patiently(&basket, key, &purchase(1, provider, card)).await) });
    }
    devices.join_all().await
}

async fn assert_one_sale(fixture: &Fixture) {
    assert_eq!((fixture.orders("placed").await, fixture.orders("pending").await, fixture.orders("canceled").await), (1, 0, 0));
    let orders: Value = fixture.shop.staff("GET", "/admin/v1/orders").send().await.expect(200);
    let order: Value = fixture.shop.staff("GET", &format!("/admin/v1/orders/{}", orders["items"][0]["id"].as_str().unwrap())).send().await.expect(200);
    assert_eq!(order["payment"]["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(fixture.level().await.1, 1);
    fixture.assert_books_balance().await;
}
