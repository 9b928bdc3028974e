//! Who may enter the back office and the admin surface: staff, invitations, sessions.

mod domain;
mod http;
mod jobs;
mod password;
mod sessions;
mod sign_in;
mod staff;
mod store;
mod views;

pub use sessions::authenticator;
pub use staff::{InviteError, any_staff, invite, issue_system_session};

use service::{Context, Service};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The service as the binary mounts it.
#[must_use]
pub fn service(context: &Context) -> Service {
    let retention = context.clone();
    Service::new("identity", &MIGRATOR).admin_api(http::routes(context)).admin_api(views::routes(context)).open_admin_api(http::open_routes(context)).schedule(
        "identity.sweep",
        jobs::SWEEP_EVERY,
        move || Box::pin(jobs::sweep(retention.clone())),
    )
}
