//! The database layer on a real PostgreSQL.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on panics")]

mod begin;
mod idempotency;
mod jobs;
mod local;
mod migrations;
mod outbox;
mod pools;

use std::time::Duration;

use db::{Actor, Db, DbOptions, Tx};
use kernel::{Clock, Timestamp};
use serde_json::Value;
use sqlx::PgConnection;
use testkit::TestDatabase;

/// 1 March 2026, noon.
fn noon() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// A database with `ops` and nothing else, on a clock that stands still.
async fn open() -> Db {
    let database = TestDatabase::create(&[]).await;
    Db::new(&DbOptions::new(database.options()), Clock::frozen(noon()))
}

/// A database whose statements give up waiting for a lock after `lock_timeout`.
async fn open_impatient(lock_timeout: Duration) -> Db {
    let database = TestDatabase::create(&[]).await;
    Db::new(&DbOptions { lock_timeout, ..DbOptions::new(database.options()) }, Clock::frozen(noon()))
}

async fn begin(db: &Db) -> Tx {
    db.begin(Actor::system("test")).await.unwrap()
}

async fn enqueue(db: &Db, kind: &str, payload: &Value) {
    let mut tx = begin(db).await;
    tx.enqueue(kind, payload, None, None).await.unwrap();
    tx.commit().await.unwrap();
}

async fn count(conn: &mut PgConnection, from: &str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {from}"))).fetch_one(conn).await.unwrap()
}
