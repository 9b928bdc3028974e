//! The step from cart to order: one transaction writes the intent, the provider is called, one transaction settles.

mod answer;
mod completion;
mod domain;
pub mod faults;
mod http;
mod jobs;
mod settle;
mod store;

use std::time::Duration;

use db::check::Check;
use payments::Payments;
use service::{Context, Service};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The kind of job that settles a purchase whose payment moved without the shopper.
pub const SETTLE_ATTEMPT: &str = "checkout.settle_attempt";
/// How often old completions are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// The service as the binary mounts it.
#[must_use]
pub fn service(context: &Context, payments: Payments) -> Service {
    let retention = context.clone();
    Service::new("checkout", &MIGRATOR)
        .checks(checks())
        .store_api(http::store_routes(context, payments))
        .on::<payments_api::AttemptChanged>(SETTLE_ATTEMPT, |tx, event| Box::pin(jobs::settle_attempt(tx, event)))
        .schedule("checkout.sweep", SWEEP_EVERY, move || Box::pin(jobs::sweep(retention.clone())))
}

pub use domain::CompletionState;
pub use store::stands::{CompletionStand, list_completions, list_completions_after, list_completions_of_carts};

/// The invariants of this schema.
#[must_use]
pub fn checks() -> Vec<Check> {
    store::stands::checks()
}
