//! What is kept, for how long, and what happens when news and renders cross.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod caching;
mod shared;
mod shortcuts;
