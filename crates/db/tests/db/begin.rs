//! The hazard of sqlx 0.9: a `BEGIN` whose future is dropped in flight.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use db::{Actor, Db, DbOptions};
use futures_util::future::BoxFuture;
use kernel::Clock;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use testkit::TestDatabase;

use crate::noon;

/// Opens a transaction and drops it; its future is what clients that hang up drop.
type Begin = fn(Db) -> BoxFuture<'static, ()>;

fn guarded(db: Db) -> BoxFuture<'static, ()> {
    Box::pin(async move { drop(db.begin(Actor::system("test")).await) })
}

#[expect(clippy::disallowed_methods, reason = "shows what the guard is there for")]
fn unguarded(db: Db) -> BoxFuture<'static, ()> {
    Box::pin(async move { drop(db.writer().begin().await) })
}

/// Polls a future `polls` times, letting others run in between, and drops it: a handler whose client hangs up.
async fn poll_and_drop(future: BoxFuture<'static, ()>, polls: usize) {
    let mut future = pin!(future);
    for _ in 0..polls {
        if futures_util::poll!(future.as_mut()).is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Writes rows on a small pool while clients hang up in the middle of `begin`, and returns how many of the writes that were acknowledged
/// others cannot see.
async fn writes_lost(begin: Begin) -> usize {
    let database = TestDatabase::create(&[]).await;
    let db = Db::new(&DbOptions { max_connections: 4, ..DbOptions::new(database.options()) }, Clock::frozen(noon()));
    // All connections are there before anybody hangs up, so that it is `BEGIN` that is dropped and not the connecting.
    drop(futures_util::future::join_all((0..4).map(|_| db.read_latest())).await);
    let mut witness = database.options().connect().await.unwrap();
    sqlx::query("create table public.written (id integer primary key)").execute(&mut witness).await.unwrap();

    let over = Arc::new(AtomicBool::new(false));
    let hangers = (0..6).map(|seed: usize| {
        let (db, over) = (db.clone(), Arc::clone(&over));
        #[expect(clippy::disallowed_methods, reason = "a test waits for its own tasks")]
        tokio::spawn(async move {
            let mut round = seed;
            while !over.load(Ordering::SeqCst) {
                poll_and_drop(begin(db.clone()), round % 4 + 1).await;
                tokio::task::yield_now().await;
                round += 1;
            }
        })
    });
    let hangers: Vec<_> = hangers.collect();

    let mut lost = 0;
    for id in 0..400 {
        let mut conn = db.read_latest().await.unwrap();
        sqlx::query("insert into public.written (id) values ($1)").bind(id).execute(&mut *conn).await.unwrap();
        drop(conn);
        lost += usize::from(!is_visible(&mut witness, id).await);
    }
    over.store(true, Ordering::SeqCst);
    for hanger in hangers {
        hanger.await.unwrap();
    }
    db.close().await;
    lost
}

async fn is_visible(witness: &mut PgConnection, id: i32) -> bool {
    sqlx::query_scalar("select exists (select from public.written where id = $1)").bind(id).fetch_one(witness).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_acknowledged_write_is_lost_while_clients_hang_up_during_begin() {
    assert_eq!(writes_lost(guarded).await, 0);
}

/// The counter-proof: without the guard writes vanish. When this fails, sqlx has mended the hazard and the guard may go.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_guard_acknowledged_writes_are_lost() {
    assert!(writes_lost(unguarded).await > 0);
}

#[tokio::test]
async fn a_begin_that_nobody_waits_for_leaves_its_connection_outside_any_transaction() {
    let database = TestDatabase::create(&[]).await;
    let options: PgConnectOptions = database.options();
    let db = Db::new(&DbOptions { max_connections: 1, ..DbOptions::new(options.clone()) }, Clock::frozen(noon()));
    drop(db.begin(Actor::system("test")).await.unwrap());
    poll_and_drop(guarded(db.clone()), 1).await;

    let mut conn = db.read_latest().await.unwrap();
    sqlx::query("create table public.written (id integer)").execute(&mut *conn).await.unwrap();
    drop(conn);

    let mut witness = options.connect().await.unwrap();
    let exists: bool = sqlx::query_scalar("select to_regclass('public.written') is not null").fetch_one(&mut witness).await.unwrap();
    assert!(exists);
    witness.close().await.unwrap();
}

#[tokio::test]
async fn a_unit_of_work_keeps_its_plans_and_reads_beside_it_do_not() {
    let database = TestDatabase::create(&[]).await;
    let db = Db::new(&DbOptions { max_connections: 1, ..DbOptions::new(database.options()) }, Clock::frozen(noon()));
    let mode = "select current_setting('plan_cache_mode')";
    let mut tx = db.begin(Actor::system("test")).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, String>(mode).fetch_one(tx.conn()).await.unwrap(), "force_generic_plan");
    tx.commit().await.unwrap();
    let mut conn = db.read_latest().await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, String>(mode).fetch_one(&mut *conn).await.unwrap(), "auto");
}
