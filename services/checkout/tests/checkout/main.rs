//! Checkout through the router, on real PostgreSQL, with every service it works with.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod completion;
mod fixture;
mod payment;
mod proofs;
mod refusals;
