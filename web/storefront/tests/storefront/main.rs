//! The pages over a hand-made API, as a browser without JavaScript uses them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod api;
mod browser;
mod buying;
mod crawling;
mod files;
mod looking;
mod refusals;
mod shared;
