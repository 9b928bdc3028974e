//! Orders through their routes and their public face, on a real PostgreSQL, with the sandbox as the provider.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod bad_input;
mod cancel;
mod capture;
mod comment;
mod guest;
mod listing;
mod placing;
mod races;
mod replay;
mod safeguards;
mod stand;
