//! The one list of services. A new service is one line here.

use db::{Db, DbOptions};
use kernel::Clock;
use platform::config::{Config, Loaded};
use platform::lifecycle::Tasks;
use service::{Context, Service};
use sqlx::postgres::PgConnectOptions;

/// Every service, in the order in which their schemas are migrated.
pub(crate) fn all(context: &Context, _config: &Config) -> Vec<Service> {
    vec![identity::service(context)]
}

/// Every service on a database that nobody connects to: for their names, schemas and documents.
///
/// # Errors
/// The defaults are not valid, which a test would have told.
pub(crate) fn unconnected() -> anyhow::Result<(Context, Vec<Service>)> {
    let nowhere = DbOptions::new(PgConnectOptions::new_without_pgpass().host("/nonexistent"));
    let db = Db::new(&nowhere, Clock::system());
    let context = Context::new(db.clone(), Tasks::new(), identity::authenticator(db), "", false);
    let services = all(&context, &Loaded::load(None, [])?.config);
    Ok((context, services))
}
