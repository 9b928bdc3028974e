//! The stock through its public face and its routes, on a real PostgreSQL.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod bands;
mod endpoints;
mod holds;
mod races;
mod stand;
