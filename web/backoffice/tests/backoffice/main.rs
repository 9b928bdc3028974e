//! The back office in front of an API made by hand that answers its contracts.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod api;
mod browser;
mod door;
mod inventory;
mod jobs;
mod orders;
mod products;
mod samples;
mod search;
mod today;
