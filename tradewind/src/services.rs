//! The one list of services. A new service is one line here.

use db::{Db, DbOptions};
use kernel::Clock;
use payments::Payments;
use platform::config::{Config, Loaded};
use platform::lifecycle::Tasks;
use service::{Context, Service};
use sqlx::postgres::PgConnectOptions;
use stores::Stores;

/// Every service, in the order in which their schemas are migrated.
pub(crate) fn all(context: &Context, config: &Config) -> Vec<Service> {
    let payments = Payments::new(context, payment_settings(config));
    vec![
        identity::service(context),
        catalog::service(context),
        inventory::service(context),
        cart::service(context),
        payments::service(&payments),
        orders::service(context, payments.clone()),
        checkout::service(context, payments),
    ]
}

fn payment_settings(config: &Config) -> payments::Settings {
    let platform::config::Payments { provider_timeout, reconcile_every, action_timeout } = config.payments;
    payments::Settings { provider_timeout, reconcile_every, action_timeout }
}

/// Every service on a database that nobody connects to: for their names, schemas and documents.
///
/// # Errors
/// The defaults are not valid, which a test would have told.
pub(crate) fn unconnected() -> anyhow::Result<(Context, Vec<Service>)> {
    let nowhere = DbOptions::new(PgConnectOptions::new_without_pgpass().host("/nonexistent"));
    let db = Db::new(&nowhere, Clock::system());
    let context = Context::new(db.clone(), Tasks::new(), identity::authenticator(db, &Stores::off()), "".into(), false);
    let services = all(&context, &Loaded::load(None, [])?.config);
    Ok((context, services))
}
