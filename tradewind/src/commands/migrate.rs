use std::path::Path;

use service::Service;

use crate::cli::say;
use crate::database::Database;
use crate::{faults, services, settings};

/// Brings every schema up to date: of the configured database, or of the private one.
///
/// # Errors
/// A migration failed; what was applied before it stays.
pub(crate) async fn run(file: Option<&Path>) -> anyhow::Result<()> {
    let loaded = settings::load(file)?;
    settings::init_tool_logs(&loaded)?;
    let config = loaded.config;
    let (_, services) = services::unconnected()?;
    let schemas: Vec<_> = services.iter().map(Service::migrations).chain(faults::expansion()).chain(faults::failing_migration()).collect();
    let database = Database::for_tool(&config).await?;
    let outcome = database.migrate(&schemas).await;
    database.stop().await;
    outcome?;
    let names: Vec<&str> = std::iter::once(db::migrate::OPS.schema).chain(schemas.iter().map(|schema| schema.schema)).collect();
    say(format_args!("The database is up to date: {}.", names.join(", ")));
    Ok(())
}
