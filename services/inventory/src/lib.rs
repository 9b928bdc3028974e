//! The stock: where it lies, how much of it is promised, and the holds that promise it. No unit is sold twice.

mod bands;
mod checks;
mod domain;
mod holds;
mod http;
mod jobs;
mod levels;
mod stands;
mod store;

pub use checks::checks;
pub use domain::Shortage;
pub use holds::{HoldError, HoldLine, HoldUntil, commit_hold, hold, pin_hold, release_hold};
pub use stands::{BandStand, HoldStand, list_bands_after, list_hold_stands, list_holds_after};
pub use store::list_available;

use service::{Context, Service};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The service as the binary mounts it.
#[must_use]
pub fn service(context: &Context) -> Service {
    let expiry = context.clone();
    let retention = context.clone();
    Service::new("inventory", &MIGRATOR)
        .admin_api(http::routes(context))
        .checks(checks())
        .schedule("inventory.expire_holds", jobs::EXPIRE_EVERY, move || Box::pin(jobs::expire_holds(expiry.clone())))
        .schedule("inventory.sweep", jobs::SWEEP_EVERY, move || Box::pin(jobs::sweep(retention.clone())))
}
