//! PostgreSQL for everyone: pools, the unit of work, outbox and jobs, idempotency keys, migrations, and a
//! private server for machines that have none running.

mod actor;
pub mod audit;
pub mod check;
mod database;
mod error;
pub mod idempotency;
pub mod jobs;
pub mod local;
pub mod migrate;
mod pool;
pub mod schedules;
mod tx;
mod wake;

pub use actor::Actor;
pub use database::{Db, DbOptions};
pub use error::{DbError, constraint_of, is_lock_timeout, is_unavailable, is_unstorable_text};
pub use jobs::{Outdates, Subscriber, Subscriptions};
pub use tx::Tx;
pub use wake::Wake;
