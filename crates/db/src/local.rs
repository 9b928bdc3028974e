//! A private PostgreSQL for machines that have none running: found, set up, started and stopped by Tradewind itself.
//!
//! The server is a child that listens on a unix socket only, writes through to the disk, checks its pages, and shuts
//! down cleanly by itself when Tradewind dies, however it dies (parent-death signal on Linux).

mod account;
mod binaries;
mod cluster;

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::sync::watch;

use account::Account;
use binaries::Binaries;
use cluster::Cluster;

/// The superuser of a private cluster. Whoever reaches the socket folder (mode 0700) is trusted.
const USER: &str = "tradewind";
/// How long a server may take to accept connections, to stop, or to finish stopping for a Tradewind that died.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a server that says it is starting up may go on so: after a loss of power it replays its log first.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(600);
/// The port in the socket's name, said on both sides so that PGPORT in the environment does not matter.
const PORT: u16 = 5432;

/// Where the private server lives and how it runs.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// Tradewind's data folder; the cluster lies in `postgres` below it.
    pub data_dir: PathBuf,
    /// Where PostgreSQL's programs are; found if absent.
    pub bin_dir: Option<PathBuf>,
    /// Whether commits reach the disk. Only tests say no.
    pub durable: bool,
    /// The most connections.
    pub max_connections: u16,
}

impl LocalOptions {
    /// A durable server below `data_dir`.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), bin_dir: None, durable: true, max_connections: 100 }
    }
}

/// Why the private server is not there.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// PostgreSQL is not installed.
    #[error(
        "no PostgreSQL {0} was found. Install it (Debian: `apt-get install postgresql`; macOS: `brew install postgresql@17`), set TRADEWIND__DATABASE__LOCAL_BIN to its bin folder, or set DATABASE_URL to a server that runs"
    )]
    NoBinaries(String),
    /// Another Tradewind uses the folder.
    #[error("{folder} is in use by another Tradewind (process {holder}): stop it, or set TRADEWIND__DATA_DIR to another folder")]
    InUse {
        /// The data folder.
        folder: String,
        /// Its process id, if it wrote one.
        holder: String,
    },
    /// A server of a Tradewind that died does not go away.
    #[error("an earlier PostgreSQL (process {0}) still runs on this folder and does not stop")]
    StillRunning(i32),
    /// A program failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Which one.
        program: &'static str,
        /// What it said.
        output: String,
    },
    /// The server ended or did not accept connections in time.
    #[error("PostgreSQL did not start; its last words in {log}:\n{words}")]
    NotStarted {
        /// The log file.
        log: String,
        /// The end of it.
        words: String,
    },
    /// A file or folder refused.
    #[error("{path}")]
    Io {
        /// Which one.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The server refused.
    #[error("the private database refused")]
    Database(#[from] sqlx::Error),
}

/// Where a private server can be reached: a socket in a folder only its account may enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAddress {
    socket_dir: PathBuf,
}

impl LocalAddress {
    /// How to connect to `database`.
    #[must_use]
    pub fn options(&self, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass().socket(&self.socket_dir).port(PORT).username(USER).database(database);
        // Nothing of PGSSLMODE in the environment either: a unix socket speaks no TLS.
        options.ssl_mode(PgSslMode::Disable)
    }

    /// The address as `DATABASE_URL` writes it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@localhost/{database}?host={}", self.socket_dir.display())
    }
}

/// A private server that runs for as long as this value lives.
#[derive(Debug)]
pub struct LocalPostgres {
    address: LocalAddress,
    postmaster: Pid,
    exited: watch::Receiver<bool>,
    _lock: File,
}

impl LocalPostgres {
    /// Starts the server, setting it up the first time.
    ///
    /// # Errors
    /// See [`LocalError`]; each says what to do.
    pub async fn start(options: &LocalOptions) -> Result<Self, LocalError> {
        let data_dir = prepare_folder(&options.data_dir)?;
        let lock = lock(&data_dir)?;
        let account = Account::current();
        let place = Cluster::of(&data_dir, &account);
        place.announce(&data_dir);
        let binaries = Binaries::find(options.bin_dir.as_deref(), place.version().as_deref())?;
        place.set_up(&binaries, &account, options.durable)?;
        place.wait_for_predecessor(PATIENCE).await?;
        let (postmaster, exited) = place.spawn(&binaries, &account, options)?;
        let server = Self { address: LocalAddress { socket_dir: place.socket_dir.clone() }, postmaster, exited, _lock: lock };
        server.wait_until_ready(&place).await?;
        Ok(server)
    }

    /// The address of a server that another Tradewind runs on `data_dir`, for tools that work beside it. Nothing if none runs.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn attach(data_dir: &Path) -> Result<Option<LocalAddress>, LocalError> {
        let data_dir = prepare_folder(data_dir)?;
        match lock(&data_dir) {
            Ok(_) => Ok(None),
            Err(LocalError::InUse { .. }) => Ok(Some(LocalAddress { socket_dir: Cluster::of(&data_dir, &Account::current()).socket_dir })),
            Err(error) => Err(error),
        }
    }

    /// Where PostgreSQL's programs are that [`LocalPostgres::start`] would run; starts nothing.
    ///
    /// # Errors
    /// There are none.
    pub fn find_programs(options: &LocalOptions) -> Result<PathBuf, LocalError> {
        let version = std::fs::canonicalize(&options.data_dir).ok().and_then(|data_dir| Cluster::of(&data_dir, &Account::current()).version());
        let programs = Binaries::find(options.bin_dir.as_deref(), version.as_deref())?;
        Ok(programs.postgres.parent().map(Path::to_owned).unwrap_or_default())
    }

    /// Where it can be reached.
    #[must_use]
    pub const fn address(&self) -> &LocalAddress {
        &self.address
    }

    /// Makes a database unless it is there.
    ///
    /// # Errors
    /// The server refused.
    pub async fn ensure_database(&self, name: &str) -> Result<(), LocalError> {
        let mut conn = self.address.options("postgres").connect().await?;
        let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)").bind(name).fetch_one(&mut conn).await?;
        if !exists {
            sqlx::raw_sql(AssertSqlSafe(format!("create database \"{}\"", name.replace('"', "")))).execute(&mut conn).await?;
        }
        conn.close().await?;
        Ok(())
    }

    /// Waits until the server has ended, which it should not do by itself.
    pub async fn exited(&self) {
        // An error means that the watching thread is gone, and with it the server.
        drop(self.exited.clone().wait_for(|gone| *gone).await);
    }

    /// Stops the server cleanly and waits for it.
    pub async fn stop(self) {
        self.interrupt();
        if tokio::time::timeout(PATIENCE, self.exited()).await.is_err() {
            tracing::warn!("PostgreSQL takes long to stop; it goes on stopping by itself");
        }
    }

    /// SIGINT is PostgreSQL's fast shutdown: it rolls back, checkpoints and ends.
    fn interrupt(&self) {
        if *self.exited.borrow() {
            return;
        }
        if let Err(error) = kill_process(self.postmaster, Signal::INT) {
            tracing::debug!(%error, "PostgreSQL was gone already");
        }
    }

    async fn wait_until_ready(&self, place: &Cluster) -> Result<(), LocalError> {
        let begun = Instant::now();
        loop {
            match self.address.options("postgres").connect().await {
                Ok(conn) => return Ok(conn.close().await?),
                Err(error) => {
                    let patience = if is_starting_up(&error) { RECOVERY_PATIENCE } else { PATIENCE };
                    if begun.elapsed() > patience || *self.exited.borrow() {
                        return Err(place.not_started());
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        self.interrupt();
    }
}

/// SQLSTATE 57P03: the server is there and takes no connections yet.
fn is_starting_up(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "57P03")
}

fn prepare_folder(data_dir: &Path) -> Result<PathBuf, LocalError> {
    std::fs::create_dir_all(data_dir).map_err(|source| io(data_dir, source))?;
    std::fs::canonicalize(data_dir).map_err(|source| io(data_dir, source))
}

/// Takes the folder for this process until the file is closed, which the system does however the process ends.
fn lock(data_dir: &Path) -> Result<File, LocalError> {
    let path = data_dir.join("tradewind.lock");
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(|source| io(&path, source))?;
    match file.try_lock() {
        Ok(()) => {
            let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
            written.map_err(|source| io(&path, source))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The process id is a courtesy; without it the message still says what to do.
            drop(file.read_to_string(&mut holder));
            Err(LocalError::InUse { folder: data_dir.display().to_string(), holder: if holder.is_empty() { "unknown".to_owned() } else { holder } })
        }
        Err(TryLockError::Error(source)) => Err(io(&path, source)),
    }
}

fn io(path: &Path, source: std::io::Error) -> LocalError {
    LocalError::Io { path: path.display().to_string(), source }
}
