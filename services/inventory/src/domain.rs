//! The rules of the stock, without input or output.

use std::collections::BTreeMap;

use catalog_api::VariantId;
use inventory_api::{AdjustLevel, AdjustmentReason, LocationId};
use kernel::Problem;

/// The most units that may lie at one location, far below where sums could overflow.
pub(crate) const MOST_ON_HAND: i64 = 1_000_000_000;

/// Where a hold stands. `held` and `committed` ones count as reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldState {
    /// Reserved for a checkout that goes on.
    Held,
    /// Reserved for an order.
    Committed,
    /// Given back by somebody.
    Released,
    /// Given back by time.
    Expired,
}

/// What moves a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldEvent {
    /// The order is placed.
    Commit,
    /// The checkout was given up, or the order canceled.
    Release,
    /// Its time ran out.
    Expire,
}

/// The whole machine: from, event, to. What does not stand here does not happen.
const TRANSITIONS: [(HoldState, HoldEvent, HoldState); 4] = [
    (HoldState::Held, HoldEvent::Commit, HoldState::Committed),
    (HoldState::Held, HoldEvent::Release, HoldState::Released),
    (HoldState::Committed, HoldEvent::Release, HoldState::Released),
    (HoldState::Held, HoldEvent::Expire, HoldState::Expired),
];

impl HoldState {
    const ALL: [Self; 4] = [Self::Held, Self::Committed, Self::Released, Self::Expired];

    /// The word used in tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Committed => "committed",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    /// The state a table's word names.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether the lines of such a hold are reserved.
    pub(crate) const fn reserves(self) -> bool {
        matches!(self, Self::Held | Self::Committed)
    }

    /// The states whose lines are reserved, as tables name them.
    pub(crate) fn reserving() -> Vec<String> {
        words(Self::ALL.into_iter().filter(|state| state.reserves()))
    }
}

impl HoldEvent {
    /// Where the event leads to.
    pub(crate) const fn to(self) -> HoldState {
        match self {
            Self::Commit => HoldState::Committed,
            Self::Release => HoldState::Released,
            Self::Expire => HoldState::Expired,
        }
    }

    /// The states it can happen in, as tables name them, for the condition of the update.
    pub(crate) fn from(self) -> Vec<String> {
        words(TRANSITIONS.iter().filter(|(_, event, _)| *event == self).map(|(from, _, _)| *from))
    }
}

fn words(states: impl Iterator<Item = HoldState>) -> Vec<String> {
    states.map(|state| state.as_str().to_owned()).collect()
}

/// A variant of which there is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// Of what.
    pub variant_id: VariantId,
    /// Units wanted.
    pub requested: i64,
    /// Units one could have.
    pub available: i64,
}

/// What is free at one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FreeStock {
    /// Of what.
    pub(crate) variant_id: VariantId,
    /// Where.
    pub(crate) location_id: LocationId,
    /// The location's place in the order of use.
    pub(crate) position: i64,
    /// On hand less reserved.
    pub(crate) available: i64,
}

/// What a hold takes from one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allocation {
    /// Of what.
    pub(crate) variant_id: VariantId,
    /// Where.
    pub(crate) location_id: LocationId,
    /// How many.
    pub(crate) quantity: i64,
}

/// Shares the wanted units out over the locations in their order, or says of every variant that runs short how much there is.
///
/// # Errors
/// Every variant whose free stock over all locations is less than what is wanted of it.
pub(crate) fn allocate(wanted: &BTreeMap<VariantId, i64>, free: &[FreeStock]) -> Result<Vec<Allocation>, Vec<Shortage>> {
    let mut free = free.to_vec();
    free.sort_by_key(|stock| (stock.variant_id, stock.position));
    let mut allocations = Vec::new();
    let mut shortages = Vec::new();
    for (&variant_id, &requested) in wanted {
        let mut missing = requested;
        for stock in free.iter().filter(|stock| stock.variant_id == variant_id) {
            let quantity = missing.min(stock.available.max(0));
            if quantity > 0 {
                allocations.push(Allocation { variant_id, location_id: stock.location_id, quantity });
                missing -= quantity;
            }
        }
        if missing > 0 {
            shortages.push(Shortage { variant_id, requested, available: requested - missing });
        }
    }
    if shortages.is_empty() { Ok(allocations) } else { Err(shortages) }
}

/// What staff do to a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Adjustment {
    /// On hand becomes this figure.
    Set(i64),
    /// On hand changes by this many.
    Add(i64),
}

impl Adjustment {
    /// Reads what the body asks for.
    ///
    /// # Errors
    /// 422 `invalid_body` when it names both ways or neither, or a change by nothing.
    pub(crate) fn of(body: &AdjustLevel) -> Result<Self, Problem> {
        match (body.on_hand, body.delta) {
            (Some(on_hand), None) => Ok(Self::Set(on_hand)),
            (None, Some(0)) => Err(Problem::invalid_body().field("/delta", "invalid", "must not be 0")),
            (None, Some(delta)) => Ok(Self::Add(delta)),
            (None, None) => Err(Problem::invalid_body().field("/on_hand", "required", "send either on_hand or delta")),
            (Some(_), Some(_)) => Err(Problem::invalid_body().field("/delta", "invalid", "send either on_hand or delta, not both")),
        }
    }

    /// What is on hand afterwards.
    pub(crate) const fn apply(self, on_hand: i64) -> i64 {
        match self {
            Self::Set(figure) => figure,
            Self::Add(delta) => on_hand.saturating_add(delta),
        }
    }
}

/// Whether a reason can explain a change: goods that came in are not fewer, goods written off are not more, a count finds anything.
pub(crate) const fn explains(reason: AdjustmentReason, delta: i64) -> bool {
    match reason {
        AdjustmentReason::Received => delta >= 0,
        AdjustmentReason::WrittenOff => delta <= 0,
        AdjustmentReason::Counted => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Id;
    use proptest::prelude::*;

    fn next(state: HoldState, event: HoldEvent) -> Option<HoldState> {
        event.from().iter().any(|from| from == state.as_str()).then(|| event.to())
    }

    fn event() -> impl Strategy<Value = HoldEvent> {
        prop_oneof![Just(HoldEvent::Commit), Just(HoldEvent::Release), Just(HoldEvent::Expire)]
    }

    /// Small numbers as ids, so that variants meet.
    fn variant(number: u8) -> VariantId {
        Id::from_uuid(uuid::Uuid::from_u128(number.into()))
    }

    fn levels() -> impl Strategy<Value = Vec<FreeStock>> {
        proptest::collection::btree_map((0_u8..4, 0_u8..4), 0_i64..30, 0..16).prop_map(|levels| {
            let level = |((number, place), available): ((u8, u8), i64)| FreeStock {
                variant_id: variant(number),
                location_id: Id::from_uuid(uuid::Uuid::from_u128(u128::from(place) + 100)),
                position: i64::from(place),
                available,
            };
            levels.into_iter().map(level).collect()
        })
    }

    fn wanted() -> impl Strategy<Value = BTreeMap<VariantId, i64>> {
        proptest::collection::btree_map((0_u8..5).prop_map(variant), 1_i64..60, 1..5)
    }

    #[test]
    fn every_transition_leads_where_its_event_leads() {
        assert!(TRANSITIONS.iter().all(|(_, event, to)| event.to() == *to));
    }

    #[test]
    fn reasons_explain_changes_in_their_direction_only() {
        assert!(explains(AdjustmentReason::Received, 1) && !explains(AdjustmentReason::Received, -1));
        assert!(explains(AdjustmentReason::WrittenOff, -1) && !explains(AdjustmentReason::WrittenOff, 1));
        assert!([-1, 0, 1].into_iter().all(|delta| explains(AdjustmentReason::Counted, delta)));
    }

    proptest! {
        /// Stock that was given back is given back once, and never promised again by the same hold.
        #[test]
        fn a_hold_gives_its_stock_back_at_most_once(events in proptest::collection::vec(event(), 0..12)) {
            let mut state = HoldState::Held;
            let mut given_back = 0;
            for event in events {
                let Some(to) = next(state, event) else { continue };
                prop_assert!(state.reserves(), "{state:?} moved by {event:?}");
                given_back += i32::from(!to.reserves());
                state = to;
            }
            prop_assert_eq!(given_back, i32::from(!state.reserves()));
        }

        #[test]
        fn a_committed_hold_does_not_expire(events in proptest::collection::vec(event(), 0..12)) {
            let end = events.into_iter().fold(HoldState::Committed, |state, event| next(state, event).unwrap_or(state));
            prop_assert!(matches!(end, HoldState::Committed | HoldState::Released));
        }

        #[test]
        fn allocations_add_up_and_take_no_more_than_is_free(wanted in wanted(), free in levels()) {
            let Ok(allocations) = allocate(&wanted, &free) else { return Ok(()) };
            for (variant_id, requested) in &wanted {
                let given: i64 = allocations.iter().filter(|given| given.variant_id == *variant_id).map(|given| given.quantity).sum();
                prop_assert_eq!(given, *requested);
            }
            for given in &allocations {
                let level = free.iter().find(|level| (level.variant_id, level.location_id) == (given.variant_id, given.location_id));
                prop_assert!(level.is_some_and(|level| given.quantity > 0 && given.quantity <= level.available));
            }
        }

        #[test]
        fn a_location_is_used_only_when_those_before_it_are_empty(wanted in wanted(), free in levels()) {
            let Ok(allocations) = allocate(&wanted, &free) else { return Ok(()) };
            let taken = |level: &FreeStock| {
                let of_level = |given: &&Allocation| (given.variant_id, given.location_id) == (level.variant_id, level.location_id);
                allocations.iter().find(of_level).map_or(0, |given| given.quantity)
            };
            for level in free.iter().filter(|level| taken(level) > 0) {
                let earlier = free.iter().filter(|other| other.variant_id == level.variant_id && other.position < level.position);
                prop_assert!(earlier.into_iter().all(|other| taken(other) == other.available));
            }
        }

        #[test]
        fn exactly_the_variants_that_run_short_are_named(wanted in wanted(), free in levels()) {
            let total = |variant_id| free.iter().filter(|level| level.variant_id == variant_id).map(|level| level.available).sum::<i64>();
            let short: Vec<Shortage> = wanted
                .iter()
                .map(|(&variant_id, &requested)| Shortage { variant_id, requested, available: total(variant_id) })
                .filter(|line| line.available < line.requested)
                .collect();
            prop_assert_eq!(allocate(&wanted, &free).err().unwrap_or_default(), short);
        }
    }
}
