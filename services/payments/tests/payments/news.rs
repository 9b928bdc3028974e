//! What the provider tells late, twice, or too late.

use payments::Outcome;
use payments_api::{AttemptState, PaymentStatus};

use crate::{Stand, card, choice};

const CHANGED: &str = "payments.AttemptChanged";

#[tokio::test]
async fn late_news_moves_the_attempt_and_is_told_once() {
    let stand = Stand::open().await;
    for (card, state) in [(card::ANSWERS_LATE, AttemptState::Authorized), (card::DECLINES_LATE, AttemptState::Failed)] {
        let told = stand.events(CHANGED).await;
        let attempt = stand.pay(card).await;
        assert_eq!(attempt.state, AttemptState::Processing);
        stand.shop.work_off().await;
        assert_eq!(stand.attempt(attempt.id).await.state, AttemptState::Processing, "two seconds have not passed");
        stand.shop.wait(3);
        stand.shop.work_off().await;
        assert_eq!(stand.attempt(attempt.id).await.state, state);
        stand.payments.reconcile().await.unwrap();
        assert_eq!(stand.events(CHANGED).await, told + 1);
    }
}

#[tokio::test]
async fn the_same_news_a_second_time_does_nothing() {
    let stand = Stand::open().await;
    // The call's own answer is lost in a crash, so the news is the first we hear.
    let attempt = stand.create(choice(card::ANSWERS_TWICE)).await;
    stand.payments.authorize(&attempt).await;
    stand.shop.wait(3);
    assert_eq!(stand.shop.work_off().await, 2, "the sandbox sends it twice");
    let attempt = stand.attempt(attempt.id).await;
    assert_eq!((attempt.state, attempt.version), (AttemptState::Authorized, 2));
    assert_eq!(stand.events(CHANGED).await, 1);
    assert_eq!(stand.count("select count(*) from payments.provider_event").await, 1);
}

#[tokio::test]
async fn news_of_what_is_known_already_changes_nothing() {
    let stand = Stand::open().await;
    let attempt = stand.pay(card::ANSWERS_TWICE).await;
    stand.shop.wait(3);
    stand.shop.work_off().await;
    assert_eq!(stand.attempt(attempt.id).await, attempt);
    assert_eq!(stand.events(CHANGED).await, 0);
    assert_eq!(stand.count("select count(*) from payments.provider_event where not changed").await, 1);
}

#[tokio::test]
async fn an_authorization_after_a_cancellation_is_let_go_at_the_provider_once() {
    let stand = Stand::open().await;
    let attempt = stand.create(choice(card::ANSWERS_TWICE)).await;
    let authorized = stand.payments.authorize(&attempt).await;
    stand.record(attempt.id, &Outcome::Canceled).await;
    for _ in 0..3 {
        let recorded = stand.record(attempt.id, &authorized).await;
        assert_eq!((recorded.changed, recorded.attempt.state), (false, AttemptState::Canceled));
    }
    assert_eq!(stand.at_sandbox(&attempt).await, "authorized");
    stand.shop.work_off().await;
    stand.shop.wait(3);
    stand.shop.work_off().await;
    assert_eq!(stand.at_sandbox(&attempt).await, "voided");
    assert_eq!(stand.attempt(attempt.id).await.state, AttemptState::Canceled);
    assert_eq!(stand.count("select count(*) from payments.void where state = 'succeeded'").await, 1);
    assert_eq!(stand.count("select count(*) from payments.void").await, 1);
    assert_eq!(stand.summary(&attempt).await.status, PaymentStatus::Pending, "it never was the order's money");
    assert_eq!(stand.check().await, [""; 0]);
}

#[tokio::test]
async fn money_held_for_an_attempt_that_ended_without_it_is_found_by_the_check() {
    let stand = Stand::open().await;
    let attempt = stand.create(choice(card::APPROVED)).await;
    stand.payments.authorize(&attempt).await;
    stand.record(attempt.id, &Outcome::Canceled).await;
    assert_eq!(stand.check().await.len(), 1);
}
