//! Schemas, their roles, and releases that meet schemas of other releases.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use db::migrate::{self, Manners, SchemaError, SchemaMigrations};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, SqlSafeStr};
use testkit::TestDatabase;
use tokio_util::sync::CancellationToken;

use crate::count;

/// The migrations of a schema that is made up for one test.
fn schema(name: &'static str, table: &'static str, migrations: &[&'static str]) -> SchemaMigrations {
    // As sqlx reads it from a file.
    let no_tx = |sql: &str| sql.starts_with("-- no-transaction");
    let migrations =
        (1..).zip(migrations).map(|(version, sql)| Migration::new(version, Cow::Borrowed("test"), MigrationType::Simple, sql.into_sql_str(), no_tx(sql)));
    let migrator = Migrator { migrations: Cow::Owned(migrations.collect()), table_name: Cow::Borrowed(table), ..Migrator::DEFAULT };
    SchemaMigrations { schema: name, migrator: Box::leak(Box::new(migrator)) }
}

async fn database() -> PgConnectOptions {
    TestDatabase::create(&[]).await.options()
}

async fn execute(conn: &mut PgConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.map(drop)
}

fn code(result: Result<(), sqlx::Error>) -> String {
    result.unwrap_err().as_database_error().unwrap().code().unwrap().into_owned()
}

/// SQLSTATE of insufficient_privilege.
const DENIED: &str = "42501";

#[tokio::test]
async fn a_target_reaches_its_own_schemas_and_no_other() {
    let options = database().await;
    let kitchen = schema("kitchen", "kitchen.migration", &["create table kitchen.pot (id integer primary key generated always as identity, name text)"]);
    let cellar = schema("cellar", "cellar.migration", &["create table cellar.bottle (id integer primary key)"]);
    migrate::run(&options, &[kitchen, cellar]).await.unwrap();
    let mut admin = options.clone().connect().await.unwrap();
    execute(&mut admin, "create role cook login; grant tw_kitchen_rw, tw_ops_rw to cook").await.unwrap();

    let mut cook = options.username("cook").connect().await.unwrap();
    execute(&mut cook, "insert into kitchen.pot (name) values ('a'); update kitchen.pot set name = 'b'; delete from kitchen.pot").await.unwrap();
    execute(&mut cook, "insert into ops.audit_entry (id, actor, action, subject, detail, occurred_at) values (gen_random_uuid(), '', '', '', '{}', now())")
        .await
        .unwrap();
    for forbidden in [
        "select from cellar.bottle",
        "insert into cellar.bottle (id) values (1)",
        "create table kitchen.pan (id integer)",
        "create table cellar.rack (id integer)",
        "create table public.rack (id integer)",
        "create schema attic",
        "alter table kitchen.pot add column lid text",
        "drop table kitchen.pot",
        "set role tw_kitchen_owner",
        "update kitchen.migration set checksum = ''",
        "delete from kitchen.migration",
        "delete from ops.migration",
        "update ops.audit_entry set actor = 'nobody'",
        "delete from ops.audit_entry",
        "truncate ops.audit_entry",
    ] {
        assert_eq!(code(execute(&mut cook, forbidden).await), DENIED, "{forbidden}");
    }
    migrate::check(&mut cook, &[kitchen]).await.unwrap();
}

#[tokio::test]
async fn a_migration_that_changed_after_it_was_applied_is_refused() {
    let options = database().await;
    migrate::run(&options, &[schema("kitchen", "kitchen.migration", &["create table kitchen.pot (id integer)"])]).await.unwrap();
    let changed = schema("kitchen", "kitchen.migration", &["create table kitchen.pot (id bigint)"]);
    let error = migrate::run(&options, &[changed]).await.unwrap_err();
    assert!(matches!(&error, SchemaError::Migration { schema: "kitchen", source: sqlx::migrate::MigrateError::VersionMismatch(1) }), "{error:?}");
}

#[tokio::test]
async fn an_older_release_runs_on_a_newer_schema() {
    let options = database().await;
    let first = "create table kitchen.pot (id integer)";
    let newer = schema("kitchen", "kitchen.migration", &[first, "alter table kitchen.pot add column lid text"]);
    migrate::run(&options, &[newer]).await.unwrap();
    let older = schema("kitchen", "kitchen.migration", &[first]);
    migrate::run(&options, &[older]).await.unwrap();
    let mut conn = options.connect().await.unwrap();
    migrate::check(&mut conn, &[older]).await.unwrap();
    assert_eq!(count(&mut conn, "kitchen.migration").await, 2);
}

#[tokio::test]
async fn a_newer_release_refuses_an_older_schema_and_says_what_to_do() {
    let options = database().await;
    let first = "create table kitchen.pot (id integer)";
    let mut conn = options.clone().connect().await.unwrap();
    let newer = schema("kitchen", "kitchen.migration", &[first, "alter table kitchen.pot add column lid text"]);
    let error = migrate::check(&mut conn, &[newer]).await.unwrap_err();
    assert!(matches!(error, SchemaError::TooOld { schema: "kitchen", version: 1 }), "{error:?}");
    migrate::run(&options, &[schema("kitchen", "kitchen.migration", &[first])]).await.unwrap();
    let error = migrate::check(&mut conn, &[newer]).await.unwrap_err();
    assert_eq!(error.to_string(), "schema kitchen lacks migration 2: run `tradewind migrate` first");
}

#[tokio::test]
async fn two_migrators_at_once_take_turns_however_long_the_first_takes() {
    let options = database().await;
    // Longer than a migration may wait for a table.
    let slow = schema("kitchen", "kitchen.migration", &["create table kitchen.pot (id integer); select pg_sleep(5.5)"]);
    let schemas = [slow];
    let (first, second) = tokio::join!(migrate::run(&options, &schemas), migrate::run(&options, &schemas));
    first.unwrap();
    second.unwrap();
    let mut conn = options.connect().await.unwrap();
    assert_eq!(count(&mut conn, "kitchen.migration").await, 1);
}

#[tokio::test]
async fn a_migration_gives_up_on_a_table_in_use_and_leaves_everything_as_it_was() {
    let options = database().await;
    let first = "create table kitchen.pot (id integer)";
    migrate::run(&options, &[schema("kitchen", "kitchen.migration", &[first])]).await.unwrap();
    let mut busy = options.clone().connect().await.unwrap();
    execute(&mut busy, "begin; lock table kitchen.pot in access exclusive mode").await.unwrap();

    let second = schema("kitchen", "kitchen.migration", &[first, "create table kitchen.pan (id integer); alter table kitchen.pot add column lid text"]);
    let begun = Instant::now();
    let manners = Manners { patience: Duration::from_secs(2), pause: Duration::from_millis(100), ..Manners::default() };
    let error = migrate::run_with(&options, &[second], manners).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(12), "it waited {:?}", begun.elapsed());
    let SchemaError::Migration { source, .. } = &error else { panic!("{error:?}") };
    assert!(format!("{source:?}").contains("55P03"), "{source:?}");
    execute(&mut busy, "rollback").await.unwrap();
    assert_eq!(count(&mut busy, "pg_tables where schemaname = 'kitchen'").await, 2);

    migrate::run(&options, &[second]).await.unwrap();
    assert_eq!(count(&mut busy, "pg_tables where schemaname = 'kitchen'").await, 3);
}

/// What one shopper met while a migration wanted his table.
#[derive(Default)]
struct Met {
    statements: usize,
    longest: Duration,
}

/// Reads and writes the table all the time until told to stop. No statement may fail.
async fn shop(options: PgConnectOptions, stop: CancellationToken) -> Met {
    let mut conn = options.connect().await.unwrap();
    let mut met = Met::default();
    while !stop.is_cancelled() {
        let begun = Instant::now();
        execute(&mut conn, "update kitchen.pot set uses = uses + 1 where id = 1; select id, uses from kitchen.pot where id < 10").await.unwrap();
        met.longest = met.longest.max(begun.elapsed());
        met.statements += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    met
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_behind_a_long_transaction_steps_aside_for_shoppers_and_gets_through_in_the_end() {
    let options = database().await;
    let first =
        "create table kitchen.pot (id integer primary key, uses integer not null); insert into kitchen.pot select id, 0 from generate_series(1, 100) id";
    migrate::run(&options, &[schema("kitchen", "kitchen.migration", &[first])]).await.unwrap();
    let held = Duration::from_secs(6);
    let mut report = options.clone().connect().await.unwrap();
    execute(&mut report, "begin; select count(*) from kitchen.pot").await.unwrap();

    let second = schema("kitchen", "kitchen.migration", &[first, "alter table kitchen.pot add column lid text"]);
    let stop = CancellationToken::new();
    let shoppers = async {
        let (one, other) = tokio::join!(shop(options.clone(), stop.clone()), shop(options.clone(), stop.clone()));
        (one.longest.max(other.longest), one.statements + other.statements)
    };
    let migration = async {
        let begun = Instant::now();
        migrate::run(&options, &[second]).await.unwrap();
        stop.cancel();
        begun.elapsed()
    };
    let reader = async {
        tokio::time::sleep(held).await;
        execute(&mut report, "commit").await.unwrap();
    };
    let ((longest, statements), took, ()) = tokio::join!(shoppers, migration, reader);
    assert!(took >= held - Duration::from_millis(500), "it did not have to wait: {took:?}");
    // Half a second behind the waiting migration, and what a busy machine adds; with a patient migration it would be all six.
    assert!(longest < held / 2, "a shopper waited {longest:?}");
    assert!(statements > 50, "only {statements} statements in {took:?}");
    let mut conn = options.connect().await.unwrap();
    assert_eq!(count(&mut conn, "information_schema.columns where table_schema = 'kitchen' and column_name = 'lid'").await, 1);
}

#[tokio::test]
async fn an_index_that_was_broken_off_is_built_anew() {
    let options = database().await;
    let first = "create table kitchen.pot (id integer); insert into kitchen.pot values (1), (1)";
    let second = "-- no-transaction\ncreate unique index concurrently pot_once on kitchen.pot (id)";
    let both = [schema("kitchen", "kitchen.migration", &[first, second])];
    migrate::run(&options, &both).await.unwrap_err();
    let mut conn = options.clone().connect().await.unwrap();
    let broken = "pg_index where not indisvalid";
    assert_eq!(count(&mut conn, broken).await, 1, "PostgreSQL leaves it behind");
    execute(&mut conn, "delete from kitchen.pot where ctid = (select min(ctid) from kitchen.pot)").await.unwrap();
    migrate::run(&options, &both).await.unwrap();
    assert_eq!(count(&mut conn, broken).await, 0);
    assert_eq!(count(&mut conn, "pg_indexes where indexname = 'pot_once'").await, 1);
}
