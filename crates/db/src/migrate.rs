//! Migrations: one schema per service, each owned by a role of its own, run one after the other under one lock.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use sqlx::migrate::{Migrate, MigrateError, Migration, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

/// The migrations of one schema.
#[derive(Clone, Copy)]
pub struct SchemaMigrations {
    /// The schema, which is the service's name.
    pub schema: &'static str,
    /// The migrations in its folder.
    pub migrator: &'static Migrator,
}

/// The platform's own schema `ops`: outbox, jobs, idempotency keys, audit. It is migrated first.
pub static OPS: SchemaMigrations = SchemaMigrations { schema: "ops", migrator: &OPS_MIGRATOR };
static OPS_MIGRATOR: Migrator = sqlx::migrate!();

/// Why the schemas could not be brought up to date, or are not.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The database failed, or took too long to give up a lock.
    #[error("database failed while migrating")]
    Database(#[from] sqlx::Error),
    /// A migration failed, or one that was applied has changed since.
    #[error("schema {schema} could not be migrated")]
    Migration {
        /// Which schema.
        schema: &'static str,
        /// What happened.
        source: MigrateError,
    },
    /// The schema is older than this program.
    #[error("schema {schema} lacks migration {version}: run `tradewind migrate` first")]
    TooOld {
        /// Which schema.
        schema: &'static str,
        /// The first migration that is missing.
        version: i64,
    },
}

/// How a migration behaves towards those who use its tables meanwhile. Whoever comes after a migration that waits for a table waits
/// behind it, even to read. So it waits a moment only, steps aside, and comes again.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// How long it waits for a lock, and others behind it.
    pub lock_timeout: Duration,
    /// How long it stays away after that.
    pub pause: Duration,
    /// How long it goes on coming before it gives up without harm.
    pub patience: Duration,
}

impl Default for Manners {
    fn default() -> Self {
        Self { lock_timeout: Duration::from_millis(500), pause: Duration::from_secs(2), patience: Duration::from_secs(180) }
    }
}

/// SQLSTATE of lock_not_available and deadlock_detected: somebody else was there first.
const TAKEN: &[&str] = &["55P03", "40P01"];
/// The advisory lock that lets one migrate run at a time.
const MIGRATE_LOCK: i64 = 7_461_000;

/// Brings `ops` and then every schema in order up to date. Runs one at a time per database; unknown newer migrations are
/// left alone (release N-1 on schema N), changed ones are refused.
///
/// # Errors
/// See [`SchemaError`]. What was applied before the error stays applied.
pub async fn run(direct: &PgConnectOptions, schemas: &[SchemaMigrations]) -> Result<(), SchemaError> {
    run_with(direct, schemas, Manners::default()).await
}

/// The same with other manners.
///
/// # Errors
/// See [`run`].
pub async fn run_with(direct: &PgConnectOptions, schemas: &[SchemaMigrations], manners: Manners) -> Result<(), SchemaError> {
    let mut guard = connect(direct).await?;
    // Another migrate may take its time; waiting for it harms nobody.
    sqlx::query("select pg_advisory_lock($1)").bind(MIGRATE_LOCK).execute(&mut guard).await?;
    let outcome = run_locked(direct, &mut guard, schemas, manners).await;
    // Closing the connection gives up the advisory lock.
    guard.close().await?;
    outcome
}

async fn run_locked(direct: &PgConnectOptions, guard: &mut PgConnection, schemas: &[SchemaMigrations], manners: Manners) -> Result<(), SchemaError> {
    for schema in std::iter::once(&OPS).chain(schemas) {
        prepare_schema(guard, schema.schema).await?;
        // A connection of its own, so that the role does not outlive the schema's migrations.
        let mut conn = connect(direct).await?;
        let owner = format!("set role tw_{}_owner", schema.schema);
        sqlx::raw_sql(AssertSqlSafe(owner)).execute(&mut conn).await?;
        for migration in schema.migrator.iter() {
            apply(&mut conn, schema, migration, manners).await?;
        }
        // A schema without migrations has no history.
        if schema.migrator.iter().next().is_some() {
            protect_history(&mut conn, schema).await?;
        }
        conn.close().await?;
    }
    Ok(())
}

/// Applies one migration if it is not yet applied, and comes again while somebody else has its table.
async fn apply(conn: &mut PgConnection, schema: &SchemaMigrations, migration: &Migration, manners: Manners) -> Result<(), SchemaError> {
    let mut migrator = Migrator { migrations: Cow::Owned(vec![migration.clone()]), locking: false, ..borrowed(schema.migrator) };
    migrator.set_ignore_missing(true);
    let begun = Instant::now();
    // What runs outside a transaction (`concurrently`) lets others by while it waits, and would have to begin from nothing.
    let wait = if migration.no_tx { manners.patience } else { manners.lock_timeout };
    set_lock_timeout(conn, wait).await?;
    loop {
        if migration.no_tx {
            drop_broken_indexes(conn, schema, migration).await?;
        }
        let error = match migrator.run_direct(None, conn, false).await {
            Ok(()) => return Ok(set_lock_timeout(conn, Duration::ZERO).await?),
            Err(error) => error,
        };
        if !is_taken(&error) || begun.elapsed() >= manners.patience {
            return Err(SchemaError::Migration { schema: schema.schema, source: error });
        }
        tracing::warn!(schema = schema.schema, version = migration.version, "a table is in use; the migration steps aside and comes again");
        // Ends the failed transaction now, not with the next statement.
        conn.ping().await?;
        tokio::time::sleep(manners.pause).await;
    }
}

fn is_taken(error: &MigrateError) -> bool {
    let (MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)) = error else { return false };
    source.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| TAKEN.contains(&code.as_ref()))
}

async fn set_lock_timeout(conn: &mut PgConnection, timeout: Duration) -> Result<(), sqlx::Error> {
    sqlx::query("select set_config('lock_timeout', $1, false)").bind(format!("{}ms", timeout.as_millis())).execute(conn).await?;
    Ok(())
}

/// An index whose `create index concurrently` was broken off stays behind, of no use and in the way of the next attempt.
async fn drop_broken_indexes(conn: &mut PgConnection, schema: &SchemaMigrations, migration: &Migration) -> Result<(), SchemaError> {
    let wrapped = |source| SchemaError::Migration { schema: schema.schema, source };
    let applied = conn.list_applied_migrations(&schema.migrator.table_name).await.map_err(wrapped)?;
    if applied.iter().any(|done| done.version == migration.version) {
        return Ok(());
    }
    let broken: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', schema.nspname, index.relname)
         from pg_index join pg_class index on index.oid = indexrelid join pg_namespace schema on schema.oid = index.relnamespace
         where not indisvalid and schema.nspname = $1",
    )
    .bind(schema.schema)
    .fetch_all(&mut *conn)
    .await?;
    for name in broken {
        tracing::warn!(%name, "an index that was broken off is built anew");
        sqlx::raw_sql(AssertSqlSafe(format!("drop index concurrently {name}"))).execute(&mut *conn).await?;
    }
    Ok(())
}

/// The default privileges let `_rw` write every table of the schema; what was migrated is for the owner to write.
async fn protect_history(conn: &mut PgConnection, schema: &SchemaMigrations) -> Result<(), sqlx::Error> {
    let revoke = format!("revoke insert, update, delete on {} from tw_{}_rw", schema.migrator.table_name, schema.schema);
    sqlx::raw_sql(AssertSqlSafe(revoke)).execute(conn).await?;
    Ok(())
}

fn borrowed(migrator: &'static Migrator) -> Migrator {
    Migrator {
        migrations: Cow::Borrowed(&migrator.migrations),
        table_name: migrator.table_name.clone(),
        create_schemas: migrator.create_schemas.clone(),
        ..*migrator
    }
}

async fn connect(direct: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    // Limits that the database sets for others' statements are not for migrations.
    direct.clone().application_name("tradewind migrate").options([("lock_timeout", "0"), ("statement_timeout", "0")]).connect().await
}

/// Makes the schema and its two roles: the owner, who migrates, and `_rw`, which targets are members of. The names come from our own
/// list of services, never from outside.
async fn prepare_schema(conn: &mut PgConnection, schema: &'static str) -> Result<(), sqlx::Error> {
    let statements = format!(
        "do $$
         declare
             role text;
             -- Since PostgreSQL 16, whoever makes a role is its member and yet may not act as it until granted.
             act_as text := case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end;
         begin
             foreach role in array array['tw_{schema}_owner', 'tw_{schema}_rw'] loop
                 if not exists (select from pg_roles where rolname = role) then
                     begin
                         execute format('create role %I nologin', role);
                     -- Roles belong to the whole server: another database's migrate may have been faster.
                     exception when duplicate_object or unique_violation then null;
                     end;
                 end if;
             end loop;
             if not pg_has_role(current_user, 'tw_{schema}_owner', act_as) then execute format('grant tw_{schema}_owner to %I', current_user); end if;
         end $$;
         create schema if not exists {schema} authorization tw_{schema}_owner;
         grant usage on schema {schema} to tw_{schema}_rw;
         alter default privileges for role tw_{schema}_owner in schema {schema} grant select, insert, update, delete on tables to tw_{schema}_rw;
         alter default privileges for role tw_{schema}_owner in schema {schema} grant usage, select on sequences to tw_{schema}_rw;"
    );
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(conn).await?;
    Ok(())
}

/// Checks that every migration this program knows is applied; newer ones do not matter.
///
/// # Errors
/// [`SchemaError::TooOld`] names the first migration that is missing.
pub async fn check(conn: &mut PgConnection, schemas: &[SchemaMigrations]) -> Result<(), SchemaError> {
    for schema in std::iter::once(&OPS).chain(schemas) {
        let table = &schema.migrator.table_name;
        let exists: bool = sqlx::query_scalar("select to_regclass($1) is not null").bind(table.as_ref()).fetch_one(&mut *conn).await?;
        let applied = if exists {
            conn.list_applied_migrations(table).await.map_err(|source| SchemaError::Migration { schema: schema.schema, source })?
        } else {
            Vec::new()
        };
        let missing = schema.migrator.iter().find(|migration| !applied.iter().any(|done| done.version == migration.version));
        if let Some(migration) = missing {
            return Err(SchemaError::TooOld { schema: schema.schema, version: migration.version });
        }
    }
    Ok(())
}
