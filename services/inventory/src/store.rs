//! All the SQL of the stock.

mod bands;
pub(crate) mod checks;
mod holds;
mod levels;
mod locations;
mod stands;

pub(crate) use bands::{insert_bands, lock_bands, sum_available, update_bands};
pub(crate) use holds::{HeldLine, NewHold, delete_ended_holds, expire_overdue_holds, is_hold_in, lock_levels_of_holds, move_hold, pin_hold};
pub use levels::list_available;
pub(crate) use levels::{
    LevelFilter, OnHandMove, ReservedMove, insert_level, list_levels, list_movements, list_scarce_levels, lock_free_stock, lock_level, move_on_hand,
    move_reserved,
};
pub(crate) use locations::{NewLocation, insert_location, list_locations};
pub(crate) use stands::{list_banded_variants, list_bands_of, list_holds_after, list_lines_of_holds};

use kernel::{Id, Kind};
use uuid::Uuid;

/// Ids as array parameters take them.
fn uuids<K: Kind>(ids: &[Id<K>]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}
