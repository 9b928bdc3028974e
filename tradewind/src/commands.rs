//! What the command line can do, one file each.

pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod ready;
pub(crate) mod seed;
pub(crate) mod serve;
pub(crate) mod smoke;
pub(crate) mod staff;
pub(crate) mod version;
