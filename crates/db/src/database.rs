use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kernel::Clock;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, Postgres};
use sqlx::{PgPool, SqlSafeStr, Transaction};

use crate::pool::{Absence, Pool};
use crate::{Actor, DbError, Subscriptions, Tx, Wake};

/// Units of work find their rows by key, and a plan by key is the same for every key. PostgreSQL would make some of these plans anew each
/// time, because it believes that a list of keys might be long; that was a third of the work of a purchase. Lists with filters that may be
/// absent need a plan for each case; they are read outside of units of work, where PostgreSQL decides.
const BEGIN: &str = "begin; set local plan_cache_mode = force_generic_plan";

/// Where the databases are and how hard to lean on them.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// The writer.
    pub writer: PgConnectOptions,
    /// The readers; the writer serves reads if absent.
    pub reader: Option<PgConnectOptions>,
    /// The writer past any pooler, for LISTEN, advisory locks and migrations; `writer` if absent.
    pub direct: Option<PgConnectOptions>,
    /// The most connections of each pool.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// How long a statement waits for another transaction's lock.
    pub lock_timeout: Duration,
    /// How long a statement may run.
    pub statement_timeout: Duration,
}

impl DbOptions {
    /// One server for everything, with the usual limits.
    #[must_use]
    pub fn new(writer: PgConnectOptions) -> Self {
        Self {
            writer,
            reader: None,
            direct: None,
            max_connections: 20,
            acquire_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(15),
        }
    }

    /// An address with the limits every connection has.
    fn limited(&self, connect: &PgConnectOptions) -> PgConnectOptions {
        connect.clone().application_name("tradewind").options([
            ("lock_timeout", format!("{}ms", self.lock_timeout.as_millis())),
            ("statement_timeout", format!("{}ms", self.statement_timeout.as_millis())),
            ("idle_in_transaction_session_timeout", "60s".to_owned()),
        ])
    }
}

/// The database: a writer, readers, and what every transaction carries along.
#[derive(Debug, Clone)]
pub struct Db {
    writer: Pool,
    reader: Pool,
    /// Whether the readers were away a moment ago.
    absence: Arc<Absence>,
    direct: Pool,
    clock: Clock,
    wake: Wake,
    subscriptions: Arc<OnceLock<Subscriptions>>,
}

impl Db {
    /// Prepares the pools. Nothing is connected yet, so a database that is down does not hinder the start.
    #[must_use]
    pub fn new(options: &DbOptions, clock: Clock) -> Self {
        let pool = |name: &'static str, connect: &PgConnectOptions, most: u32, is_tested: bool| {
            let pool = PgPoolOptions::new().max_connections(most).acquire_timeout(options.acquire_timeout).test_before_acquire(is_tested);
            Pool::new(name, most, pool.connect_lazy_with(options.limited(connect)))
        };
        let writer = pool("writer", &options.writer, options.max_connections, false);
        // A reader that has gone leaves its open connections behind. Nobody shall get one of those while the writer can answer.
        let reader = options.reader.as_ref().map_or_else(|| writer.clone(), |reader| pool("reader", reader, options.max_connections, true));
        let direct = pool("direct", options.direct.as_ref().unwrap_or(&options.writer), 3, false);
        Self { writer, reader, absence: Arc::default(), direct, clock, wake: Wake::default(), subscriptions: Arc::default() }
    }

    /// Connects from now on with these addresses and secrets: a password was rotated. Connections that are open stay.
    pub fn set_addresses(&self, options: &DbOptions) {
        self.writer.inner().set_connect_options(options.limited(&options.writer));
        if let Some(reader) = &options.reader {
            self.reader.inner().set_connect_options(options.limited(reader));
        }
        self.direct.inner().set_connect_options(options.limited(options.direct.as_ref().unwrap_or(&options.writer)));
    }

    /// Names who hears which event. Said once, when every service is known.
    pub fn set_subscriptions(&self, subscriptions: Subscriptions) {
        if self.subscriptions.set(subscriptions).is_err() {
            tracing::error!("subscriptions were set twice; the first ones hold");
        }
    }

    /// Calls `listener` with the tags of what a commit has made stale, right after the commit, and when another process tells of one. It
    /// must be quick.
    pub fn on_outdated(&self, listener: impl Fn(&[String]) + Send + Sync + 'static) {
        self.wake.on_outdated(Box::new(listener));
    }

    /// Calls `messenger` with the tags of what a commit of this process has made stale, after those of [`Db::on_outdated`] were called: to pass
    /// it on by another way than PostgreSQL's. It must be quick.
    pub fn on_outdated_here(&self, messenger: impl Fn(&[String]) + Send + Sync + 'static) {
        self.wake.on_outdated_here(Box::new(messenger));
    }

    /// Opens a unit of work on the writer.
    ///
    /// A `BEGIN` whose future is dropped in flight would leave the connection inside a transaction that the pool does not
    /// know of (sqlx 0.9), and a later request's commit would be lost. So `BEGIN` runs in a task of its own that nobody drops: when
    /// the caller has gone, the finished transaction is dropped there and rolled back. Waiting for a connection is the caller's own: who
    /// goes away leaves the queue.
    ///
    /// # Errors
    /// No connection in time, or the server is away.
    pub async fn begin(&self, actor: Actor) -> Result<Tx, DbError> {
        let conn = self.writer.acquire().await?;
        #[expect(clippy::disallowed_methods, reason = "the one place that begins a transaction, in a task that outlives its caller")]
        let begun = tokio::spawn(Transaction::begin(conn, Some(BEGIN.into_sql_str())));
        let transaction = begun.await??;
        Ok(Tx::new(transaction, actor, self.clock.now(), self.wake.clone(), Arc::clone(&self.subscriptions)))
    }

    /// A connection for reads that may be a moment behind: to a reader, or to the writer while the readers are away.
    ///
    /// # Errors
    /// No connection in time, or both are away.
    pub async fn read(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        if self.reader.is(&self.writer) || !self.absence.may_ask() {
            return self.writer.acquire().await;
        }
        match self.reader.acquire_unless_away().await {
            Some(conn) => {
                self.absence.is_over();
                conn
            }
            None => {
                self.absence.begins();
                self.writer.acquire().await
            }
        }
    }

    /// A connection for reads that must see the last commit. Never write through it: writes go through [`Db::begin`].
    ///
    /// # Errors
    /// No connection in time, or the server is away.
    pub async fn read_latest(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        self.writer.acquire().await
    }

    /// The pool past any pooler: LISTEN, advisory locks.
    #[must_use]
    pub fn direct(&self) -> &PgPool {
        self.direct.inner()
    }

    /// The writer's pool, for the parts of the house below the services.
    #[must_use]
    pub fn writer(&self) -> &PgPool {
        self.writer.inner()
    }

    /// Tells how busy the pools are to the metrics.
    pub fn report(&self) {
        self.writer.report();
        self.direct.report();
        if !self.reader.is(&self.writer) {
            self.reader.report();
        }
    }

    /// The clock every transaction reads.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The bell workers wait for.
    #[must_use]
    pub fn wake(&self) -> &Wake {
        &self.wake
    }

    /// Closes every pool, waiting for connections that are out.
    pub async fn close(&self) {
        for pool in [&self.writer, &self.reader, &self.direct] {
            pool.inner().close().await;
        }
    }
}
