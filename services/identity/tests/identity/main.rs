//! Staff access through the router, on a real PostgreSQL.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod invitations;
mod sessions;
mod stand;
mod throttle;
mod views;
