//! All the SQL of orders.

mod read;
mod write;

pub(crate) use read::{LockedOrder, OrderFilter, OrderRow, broken_rules, find_order, list_lines, list_orders, list_timeline, lock_order};
pub(crate) use write::{Entry, bump_version, cancel, insert_entry, insert_lines, insert_order, place};
