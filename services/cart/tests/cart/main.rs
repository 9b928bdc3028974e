//! The cart through its routes and its public face, on a real PostgreSQL.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod access;
mod bad_input;
mod completion;
mod forgetting;
mod lines;
mod notices;
mod races;
mod stand;
