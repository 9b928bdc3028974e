//! The database a command works on: the configured one, or the private one, started here or found running.

use std::time::Duration;

use anyhow::Context as _;
use db::DbOptions;
use db::local::{LocalAddress, LocalOptions, LocalPostgres};
use db::migrate::{self, SchemaError, SchemaMigrations};
use platform::config::Config;
use sqlx::{ConnectOptions, Connection};

use crate::settings;

/// The name of the database on the private server.
const NAME: &str = "tradewind";
/// How long to wait before a database that is away is asked again.
const PAUSE: Duration = Duration::from_secs(2);

/// A database that can be reached.
pub(crate) struct Database {
    options: DbOptions,
    kind: Kind,
}

enum Kind {
    /// Somebody else's, named by `database.url`.
    Given,
    /// A private one that another Tradewind runs on our data folder.
    Beside,
    /// A private one of ours; it ends with us.
    Private(LocalPostgres),
}

impl Database {
    /// The database of a server, which owns its data folder.
    ///
    /// # Errors
    /// The private server cannot be started; the error says what to do.
    pub(crate) async fn for_server(config: &Config) -> anyhow::Result<Self> {
        match settings::database_options(config)? {
            Some(options) => Ok(Self { options, kind: Kind::Given }),
            None => Self::start(config).await,
        }
    }

    /// The database of a tool, which may work beside a running server.
    ///
    /// # Errors
    /// The private server cannot be started; the error says what to do.
    pub(crate) async fn for_tool(config: &Config) -> anyhow::Result<Self> {
        if let Some(options) = settings::database_options(config)? {
            return Ok(Self { options, kind: Kind::Given });
        }
        match LocalPostgres::attach(&config.data_dir)? {
            Some(address) => Ok(Self { options: options_of(config, &address), kind: Kind::Beside }),
            None => Self::start(config).await,
        }
    }

    async fn start(config: &Config) -> anyhow::Result<Self> {
        let server = LocalPostgres::start(&local_options(config)).await?;
        server.ensure_database(NAME).await?;
        Ok(Self { options: options_of(config, server.address()), kind: Kind::Private(server) })
    }

    /// How to connect.
    pub(crate) const fn options(&self) -> &DbOptions {
        &self.options
    }

    /// Makes sure that the schemas are as this release needs them: a private database is migrated, a given one only checked, because there
    /// a release has its own step for that (`tradewind migrate`). While a given one is away this waits for it.
    ///
    /// # Errors
    /// A migration failed, or a schema is older than this release.
    pub(crate) async fn prepare(&self, schemas: &[SchemaMigrations]) -> anyhow::Result<()> {
        if !matches!(self.kind, Kind::Given) {
            return self.migrate(schemas).await;
        }
        loop {
            match self.check(schemas).await {
                Err(SchemaError::Database(error)) if db::is_unavailable(&error) => {
                    tracing::warn!(%error, "the database cannot be reached yet");
                    tokio::time::sleep(PAUSE).await;
                }
                checked => return Ok(checked?),
            }
        }
    }

    /// The same for a tool, which does not wait.
    ///
    /// # Errors
    /// A migration failed, a schema is older than this release, or the database is away.
    pub(crate) async fn prepare_for_tool(&self, schemas: &[SchemaMigrations]) -> anyhow::Result<()> {
        match self.kind {
            Kind::Given => self.check(schemas).await.context("database.url"),
            Kind::Beside | Kind::Private(_) => self.migrate(schemas).await,
        }
    }

    /// Brings the schemas up to date.
    ///
    /// # Errors
    /// A migration failed.
    pub(crate) async fn migrate(&self, schemas: &[SchemaMigrations]) -> anyhow::Result<()> {
        let direct = self.options.direct.as_ref().unwrap_or(&self.options.writer);
        Ok(migrate::run(direct, schemas).await?)
    }

    /// Checks that the schemas are as new as this release.
    ///
    /// # Errors
    /// The database cannot be reached, or a schema is older.
    pub(crate) async fn check(&self, schemas: &[SchemaMigrations]) -> Result<(), SchemaError> {
        let options = self.options.writer.clone().application_name("tradewind check");
        let mut conn = tokio::time::timeout(self.options.acquire_timeout, options.connect()).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        migrate::check(&mut conn, schemas).await?;
        Ok(conn.close().await?)
    }

    /// Waits until the private server ends, which it must not do by itself; forever if the server is not ours.
    pub(crate) async fn ended_by_itself(&self) -> anyhow::Error {
        match &self.kind {
            Kind::Private(server) => server.exited().await,
            Kind::Given | Kind::Beside => std::future::pending().await,
        }
        anyhow::anyhow!("the private PostgreSQL ended by itself; its last words are in postgres.log beside its data")
    }

    /// Stops the private server, if it is ours. Comes after everything that uses it.
    pub(crate) async fn stop(self) {
        if let Kind::Private(server) = self.kind {
            server.stop().await;
        }
    }
}

/// How the private server runs: with room for our pools, and for tools that work beside us.
pub(crate) fn local_options(config: &Config) -> LocalOptions {
    let room = u16::try_from(config.database.max_connections.saturating_mul(2)).unwrap_or(u16::MAX).saturating_add(30);
    let mut options = LocalOptions::new(&config.data_dir);
    options.bin_dir = config.database.local_bin.clone();
    options.max_connections = options.max_connections.max(room);
    options
}

fn options_of(config: &Config, address: &LocalAddress) -> DbOptions {
    settings::limits(config, address.options(NAME))
}
