//! What tests stand on: a real PostgreSQL, a database of its own for each test, real Redis servers, a clock that stands still, a staff pass,
//! and requests through the same router that is served.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "only tests use this crate, and a test that cannot go on panics")]

mod cluster;
mod pass;
mod redis;
mod request;
mod shop;

pub use cluster::TestDatabase;
pub use pass::StaffPass;
pub use redis::{RedisCluster, RedisServer};
pub use request::{Reply, TestRequest};
pub use shop::Shop;
