use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use db::local::{LocalOptions, LocalPostgres};
use db::migrate::{self, SchemaMigrations};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::sync::{Mutex, OnceCell};

/// One server for all tests of this process. It ends with the process, by the parent-death signal.
static SERVER: OnceCell<LocalPostgres> = OnceCell::const_new();
/// The migrated templates, by the schemas they hold.
static TEMPLATES: Mutex<Option<HashMap<String, String>>> = Mutex::const_new(None);
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A database that one test has for itself, migrated.
#[derive(Debug, Clone)]
pub struct TestDatabase {
    name: String,
    options: PgConnectOptions,
}

impl TestDatabase {
    /// Makes a database with `ops` and these schemas, copied from a template that is migrated once per process.
    pub async fn create(schemas: &[SchemaMigrations]) -> Self {
        let server = SERVER.get_or_init(start).await;
        let key = schemas.iter().map(|schema| schema.schema).collect::<Vec<_>>().join(",");
        // One at a time: a template may not be in use while it is copied.
        let mut templates = TEMPLATES.lock().await;
        let templates = templates.get_or_insert_default();
        let template = match templates.get(&key) {
            Some(template) => template.clone(),
            None => {
                let template = format!("template_{}", templates.len());
                server.ensure_database(&template).await.unwrap();
                migrate::run(&server.address().options(&template), schemas).await.unwrap();
                templates.insert(key, template.clone());
                template
            }
        };
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        execute(server, &format!("create database {name} template {template} strategy file_copy")).await;
        Self { options: server.address().options(&name), name }
    }

    /// How to connect.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// The address as `DATABASE_URL` writes it, for programs under test.
    #[must_use]
    pub fn url(&self) -> String {
        SERVER.get().expect("a database exists, so its server does").address().url(&self.name)
    }
}

async fn execute(server: &LocalPostgres, statement: &str) {
    let mut conn = server.address().options("postgres").connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

async fn start() -> LocalPostgres {
    let root = std::env::temp_dir().join("tradewind-tests");
    std::fs::create_dir_all(&root).unwrap();
    remove_leftovers(&root);
    let options = LocalOptions { durable: false, max_connections: 400, ..LocalOptions::new(root.join(std::process::id().to_string())) };
    LocalPostgres::start(&options).await.unwrap()
}

/// Removes the folders of test processes that are gone.
fn remove_leftovers(root: &Path) {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let folders = entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !belongs_to_someone(path)).collect::<Vec<PathBuf>>();
    for folder in folders {
        // Another test process may be removing it too.
        drop(std::fs::remove_dir_all(folder));
    }
}

fn belongs_to_someone(folder: &Path) -> bool {
    let pid = folder.file_name().and_then(|name| name.to_str()?.parse().ok()).and_then(rustix::process::Pid::from_raw);
    let server = std::fs::read_to_string(folder.join("postgres/postmaster.pid"))
        .ok()
        .and_then(|text| text.lines().next()?.trim().parse().ok())
        .and_then(rustix::process::Pid::from_raw);
    [pid, server].into_iter().flatten().any(|pid| rustix::process::test_kill_process(pid).is_ok())
}
