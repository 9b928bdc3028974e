//! The pages over a hand-made API, as a browser without JavaScript uses them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod api;
mod browser;
mod buying;
mod closing;
mod crawling;
mod files;
mod looking;
mod narrowing;
mod parts;
mod refusals;
mod shared;
