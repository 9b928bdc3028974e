//! All the SQL of orders.

pub(crate) mod checks;
mod listing;
mod read;
mod stands;
mod write;

pub(crate) use listing::{NotedPayment, OrderFilter, figures, list_noted_payments, list_orders};
pub(crate) use read::{LockedOrder, OrderRow, find_order, list_lines, list_sales, list_timeline, lock_order};
pub(crate) use stands::{list_ids_after, list_orders_of_holds, list_stands, list_units};
pub(crate) use write::{Beginning, Entry, NewSale, Written, bump_version, cancel, insert_entry, insert_order, place, update_payment};
