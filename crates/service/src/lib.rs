//! What a service is to the binary, and what the binary gives to every service: the contract, the call, the answer,
//! the detached unit of work, staff authentication, jobs and schedules.

mod answer;
mod audit;
mod auth;
mod call;
mod context;
mod contract;
mod failure;
mod limits;
mod mutation;
mod queue;
mod surfaces;
pub mod worker;

pub use answer::Answer;
pub use auth::{Authenticator, Permission, Principal, Staff, require_staff};
pub use call::{Call, Command};
pub use context::Context;
pub use contract::{EventHandler, Job, JobHandler, Schedule, Service, WorkHandler};
pub use failure::Failure;
pub use futures_util::future::BoxFuture;
pub use limits::ShopperLimits;
pub use mutation::{claim_key, in_progress, key_reused};
pub use surfaces::Surfaces;
