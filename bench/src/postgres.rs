//! The private PostgreSQL of the shop: what it has committed, and pgbench beside the shop on the same cluster.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use db::local::{LocalAddress, LocalOptions, LocalPostgres};
use serde::Serialize;
use sqlx::{ConnectOptions, PgConnection};
use tokio::process::Command;

/// The database of the shop.
const SHOP: &str = "tradewind";
/// The database of pgbench, on the same cluster.
const PGBENCH: &str = "pgbench";
/// pgbench's scale: a million rows, small enough to stay in memory.
const SCALE: u32 = 10;

/// The cluster, and a connection that only looks.
pub(crate) struct Cluster {
    address: LocalAddress,
    programs: PathBuf,
    looking: PgConnection,
}

/// What a cluster has done since it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    /// Transactions that wrote something.
    written: i64,
    /// Transactions of the database that ended well, those that only read among them.
    committed: i64,
    /// Bytes of the write-ahead log.
    wal_bytes: i64,
    /// How often the log was written through to the disk.
    syncs: i64,
}

/// How hard the cluster worked in a while.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Rates {
    /// Transactions per second that wrote something.
    pub(crate) written: u64,
    /// Commits per second as `pg_stat_database` counts them.
    pub(crate) committed: u64,
    /// Kilobytes of the write-ahead log per second.
    pub(crate) wal_kilobytes: u64,
    /// Writes through to the disk per second.
    pub(crate) syncs: u64,
}

impl Work {
    /// What was done since, per second.
    pub(crate) fn since(self, earlier: Self, took: Duration) -> Rates {
        let rate = |now: i64, then: i64| crate::load::per_second(u64::try_from(now - then).unwrap_or(0), took);
        Rates {
            written: rate(self.written, earlier.written),
            committed: rate(self.committed, earlier.committed),
            wal_kilobytes: rate(self.wal_bytes, earlier.wal_bytes) / 1_000,
            syncs: rate(self.syncs, earlier.syncs),
        }
    }
}

/// What pgbench is to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Simple {
    pub(crate) connections: u32,
    pub(crate) seconds: u64,
    /// Whether statements are prepared once, as sqlx does, or sent as text each time, as `pgbench -N` does by itself.
    pub(crate) prepared: bool,
}

impl Cluster {
    /// The cluster of a shop that runs.
    ///
    /// # Errors
    /// It does not run, or a commit there does not reach the disk: then every figure would be a lie.
    pub(crate) async fn attach(data_dir: &Path) -> anyhow::Result<Self> {
        let address = LocalPostgres::attach(data_dir)?.context("the shop's database does not run")?;
        // Links to the server's programs may lie where pgbench has none.
        let server = LocalPostgres::find_programs(&LocalOptions::new(data_dir))?.join("postgres").canonicalize()?;
        let programs = server.parent().map(Path::to_owned).unwrap_or_default();
        let mut looking = address.options(SHOP).connect().await?;
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let value: String = sqlx::query_scalar("select current_setting($1)").bind(setting).fetch_one(&mut looking).await?;
            anyhow::ensure!(value == "on", "{setting} is {value}");
        }
        let exceptions: i64 = sqlx::query_scalar("select count(*) from pg_db_role_setting where array_to_string(setconfig, ' ') ~ 'fsync|synchronous_commit'")
            .fetch_one(&mut looking)
            .await?;
        anyhow::ensure!(exceptions == 0, "a role or database commits in another way");
        Ok(Self { address, programs, looking })
    }

    /// What the shop's database has done.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn work_of_shop(&mut self) -> anyhow::Result<Work> {
        self.work_of(SHOP).await
    }

    async fn work_of(&mut self, database: &str) -> anyhow::Result<Work> {
        let statement = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint, xact_commit, wal_bytes::bigint, wal_sync
                         from pg_stat_database, pg_stat_wal where datname = $1";
        let (written, committed, wal_bytes, syncs) = sqlx::query_as(statement).bind(database).fetch_one(&mut self.looking).await?;
        Ok(Work { written, committed, wal_bytes, syncs })
    }

    /// How many orders are sales.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn placed(&mut self) -> anyhow::Result<u64> {
        let placed: i64 = sqlx::query_scalar("select count(*) from orders.\"order\" where state = 'placed'").fetch_one(&mut self.looking).await?;
        Ok(placed.try_into()?)
    }

    /// How many jobs wait for a worker.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn backlog(&mut self) -> anyhow::Result<u64> {
        let waiting: i64 = sqlx::query_scalar("select count(*) from ops.job where state = 'ready' and run_at <= now()").fetch_one(&mut self.looking).await?;
        Ok(waiting.try_into()?)
    }

    /// Fills pgbench's tables.
    ///
    /// # Errors
    /// pgbench is not there or failed.
    pub(crate) async fn prepare_pgbench(&mut self) -> anyhow::Result<()> {
        sqlx::query("create database pgbench").execute(&mut self.looking).await?;
        let ended = self.pgbench(&["-i", "-q", "-s", &SCALE.to_string()]).output().await.context("pgbench, which comes with PostgreSQL")?;
        anyhow::ensure!(ended.status.success(), "pgbench -i: {}", String::from_utf8_lossy(&ended.stderr));
        // What the filling left to write must not be written while we measure.
        sqlx::query("checkpoint").execute(&mut self.looking).await?;
        Ok(())
    }

    /// Runs `pgbench -N` and looks at what was committed meanwhile, its first second aside.
    ///
    /// # Errors
    /// pgbench failed.
    pub(crate) async fn run_pgbench(&mut self, simple: Simple) -> anyhow::Result<Rates> {
        let Simple { connections, seconds, prepared } = simple;
        let protocol = if prepared { "prepared" } else { "simple" };
        let (clients, time) = (connections.to_string(), (seconds + 2).to_string());
        let child = self.pgbench(&["-N", "-n", "-M", protocol, "-c", &clients, "-j", "2", "-T", &time]).spawn()?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (before, begun) = (self.work_of(PGBENCH).await?, std::time::Instant::now());
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let rates = self.work_of(PGBENCH).await?.since(before, begun.elapsed());
        let ended = child.wait_with_output().await?;
        anyhow::ensure!(ended.status.success(), "pgbench: {}", String::from_utf8_lossy(&ended.stderr));
        Ok(rates)
    }

    fn pgbench(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join("pgbench"));
        let options = self.address.options(PGBENCH);
        command.env("PGUSER", options.get_username()).env("PGPORT", options.get_port().to_string());
        if let Some(socket) = options.get_socket() {
            command.env("PGHOST", socket);
        }
        command.args(arguments).arg(PGBENCH).stdin(std::process::Stdio::null());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).kill_on_drop(true);
        command
    }
}
