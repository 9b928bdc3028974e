//! What each test card does, and what is refused.

use std::sync::Arc;

use catalog_api::ChannelKind;
use futures_util::future::join_all;
use kernel::Problem;
use payments::{AttemptError, Outcome, Payments, RecordError, Settings};
use payments_api::{AttemptState, NextAction, PaymentChoice, PaymentStatus};
use serde_json::json;
use service::Context;
use testkit::StaffPass;

use crate::{Stand, bank_transfer, card, choice, euros, new_attempt, order};

#[tokio::test]
async fn cards_that_answer_at_once_are_approved_declined_or_ask_for_a_second_step() {
    let stand = Stand::open().await;
    let cases = [
        (card::APPROVED, AttemptState::Authorized, None),
        ("0000000000002001", AttemptState::Failed, Some("card_declined")),
        ("0000000000002002", AttemptState::Failed, Some("insufficient_funds")),
        ("0000000000002003", AttemptState::Failed, Some("expired_card")),
        (card::SECOND_STEP, AttemptState::RequiresAction, None),
        (card::ANSWERS_LATE, AttemptState::Processing, None),
        (card::DECLINES_LATE, AttemptState::Processing, None),
        (card::ANSWERS_TWICE, AttemptState::Authorized, None),
        (card::CAPTURE_TIMES_OUT, AttemptState::Authorized, None),
        (card::CAPTURE_REFUSED, AttemptState::Authorized, None),
    ];
    for (card, state, code) in cases {
        let attempt = stand.pay(card).await;
        assert_eq!((attempt.state, attempt.failure_code.as_deref()), (state, code), "{card}");
        assert!(attempt.provider_reference.is_some(), "{card}");
        let status = if state == AttemptState::Authorized { PaymentStatus::Authorized } else { PaymentStatus::Pending };
        assert_eq!(stand.summary(&attempt).await.status, status, "{card}");
    }
    assert_eq!(stand.check().await, [""; 0]);
}

#[tokio::test]
async fn a_second_step_leads_to_a_page_and_then_on() {
    let stand = Stand::open().await;
    let attempt = stand.pay(card::SECOND_STEP).await;
    let Some(NextAction::Redirect { url }) = &attempt.next_action else { panic!("{attempt:?}") };
    assert!(url.starts_with("/sandbox/payments/sbx_"));
    assert!(matches!(stand.payments.look_up(&attempt).await, Outcome::RequiresAction { .. }));

    stand.shop.post(url).body("decision=approve").send().await;
    let outcome = stand.payments.look_up(&attempt).await;
    let recorded = stand.record(attempt.id, &outcome).await;
    assert!(recorded.changed);
    assert_eq!((recorded.attempt.state, recorded.attempt.next_action), (AttemptState::Authorized, None));
}

#[tokio::test]
async fn the_same_attempt_authorized_many_times_is_one_payment_at_the_sandbox() {
    let stand = Stand::open().await;
    let attempt = stand.create(choice(card::APPROVED)).await;
    let outcomes = join_all((0..8).map(|_| stand.payments.authorize(&attempt))).await;
    assert!(matches!(outcomes[0], Outcome::Authorized { .. }));
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    assert_eq!(stand.count("select count(*) from payments.sandbox_payment").await, 1);
}

#[tokio::test]
async fn a_bank_transfer_is_authorized_inside_the_transaction_that_writes_it() {
    let stand = Stand::open().await;
    assert!(stand.payments.is_immediate("manual") && !stand.payments.is_immediate("sandbox") && !stand.payments.is_immediate("nobody"));
    let mut tx = stand.shop.begin().await;
    let attempt = payments::insert_attempt(&mut tx, new_attempt(order(), bank_transfer())).await.unwrap();
    let outcome = stand.payments.authorize(&attempt).await;
    let recorded = payments::record(&mut tx, attempt.id, &outcome).await.unwrap();
    assert_eq!((recorded.attempt.state, recorded.changed), (AttemptState::Authorized, true));
    tx.commit().await.unwrap();
    assert_eq!(stand.attempt(attempt.id).await, recorded.attempt);
}

#[tokio::test]
async fn a_number_that_is_no_test_card_is_refused_and_kept_nowhere() {
    let stand = Stand::open().await;
    let number = "5105105105105100";
    let problem = stand.payments.check_choice(ChannelKind::Test, &choice(number)).unwrap_err();
    assert_eq!((problem.status(), problem.errors()[0].pointer.as_str()), (422, "/payment/test_card"));
    assert!(!serde_json::to_string(&problem).unwrap().contains(number));

    let mut tx = stand.shop.begin().await;
    let refused = payments::insert_attempt(&mut tx, new_attempt(order(), choice(number))).await;
    assert!(matches!(&refused, Err(AttemptError::Choice(_))));
    assert!(!format!("{refused:?}").contains(number));
    tx.commit().await.unwrap();
    assert_eq!(stand.count("select count(*) from payments.attempt").await, 0);
}

#[test]
fn a_choice_is_read_without_repeating_what_was_typed_into_the_wrong_form() {
    let read = |card: serde_json::Value| serde_json::from_value::<PaymentChoice>(json!({ "provider": "sandbox", "test_card": card }));
    assert_eq!(read(json!("0000")).unwrap().test_card.as_deref(), Some("0000"));
    assert_eq!(read(json!(null)).unwrap().test_card, None);
    assert_eq!(serde_json::from_value::<PaymentChoice>(json!({ "provider": "manual" })).unwrap().test_card, None);
    for wrong in [json!(5_105_105_105_105_100_i64), json!([5_105_105_105_105_100_i64]), json!({ "n": "5105105105105100" })] {
        let refusal = read(wrong).unwrap_err().to_string();
        assert!(refusal.contains("must be text") && !refusal.contains("5105"), "{refusal}");
    }
}

#[tokio::test]
async fn a_choice_that_cannot_be_charged_points_at_the_field_to_mend() {
    let stand = Stand::open().await;
    let pointer = |problem: Result<(), Problem>| problem.unwrap_err().errors()[0].pointer.clone();
    let check = |choice| stand.payments.check_choice(ChannelKind::Test, &choice);
    let mut unknown = bank_transfer();
    unknown.provider = "nobody".to_owned();
    assert_eq!(pointer(check(unknown)), "/payment/provider");
    let mut without_card = choice(card::APPROVED);
    without_card.test_card = None;
    assert_eq!(pointer(check(without_card)), "/payment/test_card");
    let mut with_card = bank_transfer();
    with_card.test_card = Some(card::APPROVED.to_owned());
    assert_eq!(pointer(check(with_card)), "/payment/test_card");
    assert!(check(choice(card::APPROVED)).is_ok() && check(bank_transfer()).is_ok());
}

#[tokio::test]
async fn the_sandbox_serves_live_channels_in_demo_shops_only() {
    let stand = Stand::open().await;
    let demo = stand.shop.context();
    let real = Context::new(demo.db().clone(), demo.tasks().clone(), Arc::new(StaffPass::default()), "internal".into(), false);
    let real = Payments::new(&real, Settings::default());
    let providers = |payments: &Payments, kind| payments.methods(kind).into_iter().map(|method| method.provider).collect::<Vec<_>>();
    assert_eq!(providers(&stand.payments, ChannelKind::Live), ["manual", "sandbox"]);
    assert_eq!(providers(&real, ChannelKind::Test), ["manual", "sandbox"]);
    assert_eq!(providers(&real, ChannelKind::Live), ["manual"]);
    assert!(real.check_choice(ChannelKind::Live, &choice(card::APPROVED)).is_err());
}

#[tokio::test]
async fn an_order_has_one_live_attempt_and_may_try_again_after_a_refusal() {
    let stand = Stand::open().await;
    let declined = stand.pay("0000000000002001").await;
    let again = new_attempt(declined.order_id, choice(card::APPROVED));
    let mut tx = stand.shop.begin().await;
    payments::insert_attempt(&mut tx, again.clone()).await.unwrap();
    assert!(matches!(payments::insert_attempt(&mut tx, again).await, Err(AttemptError::AlreadyOpen)));
}

#[tokio::test]
async fn an_attempt_of_nothing_or_with_a_way_back_to_elsewhere_is_refused() {
    let stand = Stand::open().await;
    let mut tx = stand.shop.begin().await;
    let nothing = payments::NewAttempt { amount: euros(0), ..new_attempt(order(), bank_transfer()) };
    assert!(matches!(payments::insert_attempt(&mut tx, nothing).await, Err(AttemptError::Amount)));
    for url in ["https://evil.example/", "//evil.example/", "/\\evil.example", "checkout"] {
        let elsewhere = payments::NewAttempt { return_url: Some(url.to_owned()), ..new_attempt(order(), choice(card::SECOND_STEP)) };
        assert!(matches!(payments::insert_attempt(&mut tx, elsewhere).await, Err(AttemptError::ReturnUrl)), "{url}");
    }
}

#[tokio::test]
async fn an_authorization_of_another_amount_is_refused() {
    let stand = Stand::open().await;
    let attempt = stand.create(choice(card::APPROVED)).await;
    for amount in [euros(9_999), kernel::Money::new(10_000, "USD".parse().unwrap())] {
        let outcome = Outcome::Authorized { reference: "sbx_1".to_owned(), amount };
        let mut tx = stand.shop.begin().await;
        assert!(matches!(payments::record(&mut tx, attempt.id, &outcome).await, Err(RecordError::AmountMismatch { .. })));
        tx.commit().await.unwrap();
    }
    assert_eq!(stand.attempt(attempt.id).await, attempt);
}

#[tokio::test]
async fn stale_and_repeated_outcomes_change_nothing() {
    let stand = Stand::open().await;
    let attempt = stand.pay(card::APPROVED).await;
    let reference = attempt.provider_reference.clone().unwrap();
    let declined = Outcome::Declined { reference: reference.clone(), code: "card_declined".to_owned() };
    let authorized = Outcome::Authorized { reference: reference.clone(), amount: attempt.amount };
    for outcome in [authorized, Outcome::Processing { reference }, declined, Outcome::Canceled, Outcome::Unheard, Outcome::Unknown] {
        let recorded = stand.record(attempt.id, &outcome).await;
        assert_eq!((recorded.changed, recorded.attempt), (false, attempt.clone()), "{outcome:?}");
    }
}
