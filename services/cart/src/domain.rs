//! The rules of the cart, without input or output.

use cart_api::CartState;
use chrono::TimeDelta;
use kernel::Timestamp;

/// How long a cart waits for its shopper.
pub(crate) const CART_LIFE: TimeDelta = TimeDelta::days(30);
/// How long a cart that is over is kept, for those who look into a complaint.
pub(crate) const KEPT: TimeDelta = TimeDelta::days(90);
/// How many lines a cart holds at most.
pub(crate) const MAX_LINES: usize = 100;

/// Every state a cart can be in.
pub(crate) const STATES: [CartState; 5] = [CartState::Active, CartState::Completing, CartState::Completed, CartState::Abandoned, CartState::Merged];

/// What moves a cart from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CartEvent {
    /// A checkout claims it.
    Claim,
    /// Its order is placed.
    Finish,
    /// Its order is placed at once, in the transaction that has it locked.
    Buy,
    /// Its checkout came to nothing.
    Reopen,
    /// Nobody came back for it.
    Abandon,
}

/// The state machine: from, event, to. `merged` is reached by nothing until customers can sign in.
const TRANSITIONS: [(CartState, CartEvent, CartState); 5] = [
    (CartState::Active, CartEvent::Claim, CartState::Completing),
    (CartState::Completing, CartEvent::Finish, CartState::Completed),
    (CartState::Active, CartEvent::Buy, CartState::Completed),
    (CartState::Completing, CartEvent::Reopen, CartState::Active),
    (CartState::Active, CartEvent::Abandon, CartState::Abandoned),
];

/// Where an event leads from a state; nothing if it may not happen there.
#[must_use]
pub(crate) fn transition(from: CartState, event: CartEvent) -> Option<CartState> {
    TRANSITIONS.iter().find(|(state, cause, _)| *state == from && *cause == event).map(|(_, _, to)| *to)
}

/// The moves an event may make, as the words the table holds: from where, and where to. For the conditional updates.
#[must_use]
pub(crate) fn moves(event: CartEvent) -> (Vec<String>, Vec<String>) {
    let moves = STATES.iter().filter_map(|from| transition(*from, event).map(|to| (from.as_str().to_owned(), to.as_str().to_owned())));
    moves.unzip()
}

/// A state as the tables hold it. The constraint lets nothing else in; if it did, nobody could use that cart.
#[must_use]
pub(crate) fn state(text: &str) -> CartState {
    STATES.into_iter().find(|state| state.as_str() == text).unwrap_or(CartState::Abandoned)
}

/// Whether a cart can still be reached with its secret. One that was abandoned, merged or has run out is forgotten, swept or not.
#[must_use]
pub(crate) fn is_reachable(state: CartState, expires_at: Timestamp, now: Timestamp) -> bool {
    match state {
        CartState::Active => now < expires_at,
        CartState::Completing | CartState::Completed => true,
        CartState::Abandoned | CartState::Merged => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EVENTS: [CartEvent; 5] = [CartEvent::Claim, CartEvent::Finish, CartEvent::Buy, CartEvent::Reopen, CartEvent::Abandon];

    proptest! {
        #[test]
        fn no_history_leads_out_of_an_end_or_past_a_claim(history in prop::collection::vec(prop::sample::select(EVENTS.to_vec()), 0..40)) {
            let mut at = CartState::Active;
            for event in history {
                let Some(to) = transition(at, event) else { continue };
                prop_assert!(!matches!(at, CartState::Completed | CartState::Abandoned | CartState::Merged), "{at:?} is an end");
                if to == CartState::Completed {
                    prop_assert!(at == CartState::Completing || event == CartEvent::Buy, "a claimed cart becomes an order, or one that is bought at once");
                }
                at = to;
            }
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
    fn every_state_survives_the_table() {
        for known in STATES {
            assert_eq!(state(known.as_str()), known);
        }
    }

    #[test]
    fn an_expired_cart_is_forgotten_unless_a_checkout_has_it() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(is_reachable(CartState::Active, now + TimeDelta::seconds(1), now));
        assert!(!is_reachable(CartState::Active, now, now));
        assert!(is_reachable(CartState::Completing, now, now));
        assert!(!is_reachable(CartState::Abandoned, now + TimeDelta::days(1), now));
    }
}
