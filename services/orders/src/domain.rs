//! The rules of orders, without input or output.

use catalog_api::ChannelKind;
use chrono::{Datelike, NaiveDate, NaiveTime};
use kernel::{Money, MoneyError, Timestamp};
use orders_api::{OrderState, OrderTotals};
use payments_api::{CaptureState, PaymentStatus, PaymentSummary};

/// Why an order was canceled that staff canceled.
pub(crate) const CANCELED_BY_STAFF: &str = "canceled_by_staff";

/// The first moment, in UTC, of the day that a text such as `2026-11-23` names. Nothing if it names none, or one that no shop of ours has
/// seen.
pub(crate) fn day(text: &str) -> Option<Timestamp> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (2000..=9999).contains(&day.year()).then(|| day.and_time(NaiveTime::MIN).and_utc())
}

/// The first moment of the day of a moment, in UTC.
pub(crate) fn first_moment(of: Timestamp) -> Timestamp {
    of.date_naive().and_time(NaiveTime::MIN).and_utc()
}

/// How an order stands in money, as the tables hold it. The constraint lets nothing else in; if it did, nothing would be held.
#[must_use]
pub(crate) fn payment_status(text: &str) -> PaymentStatus {
    PaymentStatus::ALL.into_iter().find(|status| status.as_str() == text).unwrap_or(PaymentStatus::Pending)
}

/// The statuses a text such as `authorized,partially_paid` names; nothing if it names something else.
#[must_use]
pub(crate) fn payment_statuses(text: &str) -> Option<Vec<PaymentStatus>> {
    text.split(',').map(|word| PaymentStatus::ALL.into_iter().find(|status| status.as_str() == word.trim())).collect()
}

/// Whether somebody has to look: the newest capture came to nothing, and there is still money to be captured.
#[must_use]
pub(crate) fn capture_has_failed(payment: &PaymentSummary) -> bool {
    let is_held = matches!(payment.status, PaymentStatus::Authorized | PaymentStatus::PartiallyPaid);
    let newest = payment.attempts.iter().flat_map(|attempt| &attempt.captures).max_by_key(|capture| (capture.created_at, capture.id));
    is_held && newest.is_some_and(|capture| capture.state == CaptureState::Failed)
}

/// What moves an order from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderEvent {
    /// Its payment is authorized, its stock committed: it is a sale.
    Place,
    /// Its payment came to nothing.
    Abort,
    /// Staff take the sale back.
    Cancel,
    /// Everything about the sale is done. Nothing closes an order until there are fulfilments.
    Close,
}

/// The state machine: from, event, to. A `draft` of staff is made by nothing yet.
const TRANSITIONS: [(OrderState, OrderEvent, OrderState); 4] = [
    (OrderState::Pending, OrderEvent::Place, OrderState::Placed),
    (OrderState::Pending, OrderEvent::Abort, OrderState::Canceled),
    (OrderState::Placed, OrderEvent::Cancel, OrderState::Canceled),
    (OrderState::Placed, OrderEvent::Close, OrderState::Closed),
];

/// Every state an order can be in.
const STATES: [OrderState; 5] = [OrderState::Draft, OrderState::Pending, OrderState::Placed, OrderState::Closed, OrderState::Canceled];

/// Where an event leads from a state; nothing if it may not happen there.
#[must_use]
pub(crate) fn transition(from: OrderState, event: OrderEvent) -> Option<OrderState> {
    TRANSITIONS.iter().find(|(state, cause, _)| *state == from && *cause == event).map(|(_, _, to)| *to)
}

/// The moves an event may make, as the words the table holds: from where, and where to. For the conditional updates.
#[must_use]
pub(crate) fn moves(event: OrderEvent) -> (Vec<String>, Vec<String>) {
    let moves = STATES.iter().filter_map(|from| transition(*from, event).map(|to| (from.as_str().to_owned(), to.as_str().to_owned())));
    moves.unzip()
}

/// A state as the tables hold it. The constraint lets nothing else in; if it did, that order would not count as a sale.
#[must_use]
pub(crate) fn state(text: &str) -> OrderState {
    STATES.into_iter().find(|state| state.as_str() == text).unwrap_or(OrderState::Canceled)
}

/// A channel's kind as the tables hold it; what is unknown stays out of every figure.
#[must_use]
pub(crate) fn channel_kind(text: &str) -> ChannelKind {
    if text == ChannelKind::Live.as_str() { ChannelKind::Live } else { ChannelKind::Test }
}

/// Whether lines of so many units and so much money come to these totals, all in one currency.
///
/// # Errors
/// Two currencies, or a sum beyond 64 bits.
pub(crate) fn adds_up(totals: &OrderTotals, lines: &[(i64, Money, Money)]) -> Result<bool, MoneyError> {
    let currency = totals.total.currency();
    let item_count: i64 = lines.iter().map(|(quantity, _, _)| quantity).sum();
    let lines_add_up = lines.iter().try_fold(true, |so_far, (quantity, unit_price, total)| Ok(so_far && unit_price.checked_mul(*quantity)? == *total))?;
    let subtotal = Money::sum(currency, lines.iter().map(|(_, _, total)| *total))?;
    let total = totals.subtotal.checked_add(totals.delivery)?;
    Ok(lines_add_up && item_count == totals.item_count && subtotal == totals.subtotal && total == totals.total)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use kernel::Currency;
    use payments_api::{AttemptAnswer, AttemptId, AttemptState, CaptureAnswer, CaptureId};
    use proptest::prelude::*;

    use super::*;

    const EVENTS: [OrderEvent; 4] = [OrderEvent::Place, OrderEvent::Abort, OrderEvent::Cancel, OrderEvent::Close];

    fn euros(minor: i64) -> Money {
        Money::new(minor, Currency::EUR)
    }

    proptest! {
        #[test]
        fn no_history_leads_out_of_an_end_or_past_the_payment(history in prop::collection::vec(prop::sample::select(EVENTS.to_vec()), 0..40)) {
            let mut at = OrderState::Pending;
            for event in history {
                let Some(to) = transition(at, event) else { continue };
                prop_assert!(!matches!(at, OrderState::Closed | OrderState::Canceled), "{at:?} is an end");
                prop_assert!(to != OrderState::Pending && to != OrderState::Draft, "nothing leads back");
                if to == OrderState::Closed {
                    prop_assert_eq!(at, OrderState::Placed, "only a sale is closed");
                }
                at = to;
            }
        }

        #[test]
        fn totals_are_taken_only_when_they_add_up(lines in prop::collection::vec((1_i64..9_999, 0_i64..1_000_000), 1..20), delivery in 0_i64..10_000, off in -3_i64..=3) {
            let lines: Vec<_> = lines.into_iter().map(|(quantity, price)| (quantity, euros(price), euros(price * quantity))).collect();
            let subtotal: i64 = lines.iter().map(|(_, _, total)| total.amount_minor()).sum();
            let item_count = lines.iter().map(|(quantity, _, _)| quantity).sum();
            let totals = OrderTotals { item_count, subtotal: euros(subtotal), delivery: euros(delivery), total: euros(subtotal + delivery + off) };
            prop_assert_eq!(adds_up(&totals, &lines), Ok(off == 0));
            let totals = OrderTotals { total: euros(subtotal + off + delivery), subtotal: euros(subtotal + off), ..totals };
            prop_assert_eq!(adds_up(&totals, &lines), Ok(off == 0));
        }
    }

    #[test]
    fn an_event_leads_from_a_state_to_one_state_only() {
        for state in STATES {
            for event in EVENTS {
                assert!(TRANSITIONS.iter().filter(|(from, cause, _)| *from == state && *cause == event).count() <= 1, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn a_failed_capture_wants_somebody_until_another_one_is_under_way_or_nothing_is_held() {
        use CaptureState::{Failed, Succeeded, Unknown};
        let payment = |status, captures: &[CaptureState]| {
            let capture = |(at, state): (i64, &CaptureState)| CaptureAnswer {
                id: CaptureId::new(Timestamp::from_timestamp(at, 0).unwrap()),
                state: *state,
                amount: euros(10),
                failure_code: None,
                created_at: Timestamp::from_timestamp(at, 0).unwrap(),
            };
            let attempt = AttemptAnswer {
                id: AttemptId::new(Timestamp::UNIX_EPOCH),
                provider: "sandbox".to_owned(),
                state: AttemptState::Authorized,
                amount: euros(100),
                provider_reference: None,
                failure_code: None,
                created_at: Timestamp::UNIX_EPOCH,
                captures: (0..).zip(captures).map(capture).collect(),
                void: None,
            };
            PaymentSummary { status, authorized: euros(100), captured: euros(0), attempts: vec![attempt] }
        };
        assert!(capture_has_failed(&payment(PaymentStatus::Authorized, &[Failed])));
        assert!(capture_has_failed(&payment(PaymentStatus::PartiallyPaid, &[Succeeded, Failed])));
        for over in [&[Failed, Succeeded][..], &[Failed, Unknown], &[]] {
            assert!(!capture_has_failed(&payment(PaymentStatus::PartiallyPaid, over)), "{over:?}");
        }
        assert!(!capture_has_failed(&payment(PaymentStatus::Voided, &[Failed])));
    }

    #[test]
    fn payment_statuses_are_read_one_by_one_and_nothing_is_guessed() {
        assert_eq!(payment_statuses("authorized, paid"), Some(vec![PaymentStatus::Authorized, PaymentStatus::Paid]));
        for wrong in ["", "authorized,", "Paid", "paid;voided"] {
            assert_eq!(payment_statuses(wrong), None, "{wrong}");
        }
        for status in PaymentStatus::ALL {
            assert_eq!(payment_status(status.as_str()), status);
        }
    }

    #[test]
    fn every_state_survives_the_table() {
        for known in STATES {
            assert_eq!(state(known.as_str()), known);
        }
    }

    #[test]
    fn a_line_that_is_not_price_times_quantity_is_refused() {
        let totals = OrderTotals { item_count: 2, subtotal: euros(10), delivery: euros(0), total: euros(10) };
        assert_eq!(adds_up(&totals, &[(2, euros(5), euros(10))]), Ok(true));
        assert_eq!(adds_up(&totals, &[(2, euros(4), euros(10))]), Ok(false));
        assert!(adds_up(&totals, &[(2, Money::new(5, "JPY".parse().unwrap()), euros(10))]).is_ok_and(|adds_up| !adds_up));
    }
}
