//! The contract between services and the binary, through the router on a real PostgreSQL.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on panics")]

mod kitchen;
mod mutations;
mod queue;
mod surfaces;
mod worker;
