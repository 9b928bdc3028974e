//! Two members of staff at one order.

use orders_api::{AdminOrder, OrderState};
use serde_json::json;
use testkit::Reply;
use tokio::task::JoinSet;

use crate::stand::{Plan, books_balance, euros, open, placed};

fn statuses(replies: &[&Reply]) -> Vec<u16> {
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_captures_at_once_one_is_made() {
    let shop = open().await;
    for card in [Plan::default().card, None] {
        let order = Plan { card, ..Plan::default() }.placed(&shop).await;
        let version = order.read().await.version;
        let (first, second) = tokio::join!(order.capture(version, Some(2_000)), order.capture(version, Some(2_000)));
        assert_eq!(statuses(&[&first, &second]), [200, 412], "{} {}", first.text, second.text);
        assert_eq!(order.read().await.payment.captured, euros(2_000));
    }
    books_balance(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_captures_that_all_guess_the_next_version_never_take_more_than_is_held() {
    let shop = open().await;
    let order = placed(&shop).await;
    let version = order.read().await.version;
    let mut captures = JoinSet::new();
    for step in 0..8 {
        let order = order.clone();
        captures.spawn(async move {
            // Some of them fit the version that another capture has just made.
            for offset in 0..=step {
                let reply = order.capture(version + offset, Some(1_000)).await;
                assert!(matches!(reply.status, 200 | 409 | 412), "{}", reply.text);
            }
        });
    }
    captures.join_all().await;
    assert!(order.read().await.payment.captured.amount_minor() <= 2_990);
    shop.work_off().await;
    assert_eq!(order.read().await.payment.captured, euros(2_000), "two fit, a third does not");
    books_balance(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_cancel_and_a_capture_at_once_one_is_made_whole() {
    let shop = open().await;
    for _ in 0..6 {
        let order = placed(&shop).await;
        let version = order.read().await.version;
        let (captured, canceled) = tokio::join!(order.capture(version, None), order.cancel(version));
        assert_eq!(statuses(&[&captured, &canceled]), [200, 412], "{} {}", captured.text, canceled.text);
        let end = order.read().await;
        if captured.status == 200 {
            assert_eq!((end.order.state, end.payment.captured, order.reserved().await), (OrderState::Placed, euros(2_990), 2));
        } else {
            assert_eq!((end.order.state, end.payment.captured, order.reserved().await), (OrderState::Canceled, euros(0), 0));
        }
    }
    shop.work_off().await;
    books_balance(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_capture_ten_times_at_once_under_one_key_is_made_once_and_answered_alike() {
    let shop = open().await;
    let order = placed(&shop).await;
    let version = order.read().await.version;
    let mut requests = JoinSet::new();
    for _ in 0..10 {
        let order = order.clone();
        requests.spawn(async move { order.change("capture", version).header("idempotency-key", "once").json(&json!({ "amount": euros(1_000) })).send().await });
    }
    let replies = requests.join_all().await;
    let first: AdminOrder = replies[0].expect(200);
    assert_eq!(first.payment.captured, euros(1_000));
    for reply in &replies {
        assert_eq!((reply.status, &reply.text), (200, &replies[0].text));
    }
    assert_eq!(order.read().await.payment.attempts[0].captures.len(), 1);
    books_balance(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_placed_at_once_get_numbers_of_their_own() {
    let shop = open().await;
    let mut placing = JoinSet::new();
    for _ in 0..12 {
        let order = Plan::default().pending(&shop).await;
        placing.spawn(async move {
            let (once, twice) = tokio::join!(order.place(), order.place());
            assert!(once != twice, "one of two places it");
            order.read().await.order.number.unwrap()
        });
    }
    let mut numbers = placing.join_all().await;
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 12);
}
