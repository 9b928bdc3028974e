//! The routes.

pub(crate) mod admin;
mod cached;
pub(crate) mod store;
