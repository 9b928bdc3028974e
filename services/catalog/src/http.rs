//! The routes.

pub(crate) mod admin;
mod shelf;
pub(crate) mod store;
