//! Migrations: one schema per service, each owned by a role of its own, run one after the other under one lock.

use sqlx::migrate::{Migrate, MigrateError, Migrator};
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

/// How long a migration waits for a table that others use, before it gives up without harm.
const LOCK_TIMEOUT: &str = "5s";
/// The advisory lock that lets one migrate run at a time.
const MIGRATE_LOCK: i64 = 7_461_000;

/// Brings `ops` and then every schema in order up to date. Runs one at a time per database; unknown newer migrations are
/// left alone (release N-1 on schema N), changed ones are refused.
///
/// # Errors
/// See [`SchemaError`]. What was applied before the error stays applied.
pub async fn run(direct: &PgConnectOptions, schemas: &[SchemaMigrations]) -> Result<(), SchemaError> {
    let mut guard = connect(direct).await?;
    // Another migrate may take its time; waiting for it harms nobody.
    sqlx::query("set lock_timeout = 0").execute(&mut guard).await?;
    sqlx::query("select pg_advisory_lock($1)").bind(MIGRATE_LOCK).execute(&mut guard).await?;
    sqlx::query("select set_config('lock_timeout', $1, false)").bind(LOCK_TIMEOUT).execute(&mut guard).await?;
    let outcome = run_locked(direct, &mut guard, schemas).await;
    // Closing the connection gives up the advisory lock.
    guard.close().await?;
    outcome
}

async fn run_locked(direct: &PgConnectOptions, guard: &mut PgConnection, schemas: &[SchemaMigrations]) -> Result<(), SchemaError> {
    for schema in std::iter::once(&OPS).chain(schemas) {
        prepare_schema(guard, schema.schema).await?;
        // A connection of its own, so that the role does not outlive the schema's migrations.
        let mut conn = connect(direct).await?;
        let owner = format!("set role tw_{}_owner", schema.schema);
        sqlx::raw_sql(AssertSqlSafe(owner)).execute(&mut conn).await?;
        let mut migrator = Migrator { locking: false, ..borrowed(schema.migrator) };
        migrator.set_ignore_missing(true);
        migrator.run_direct(None, &mut conn, false).await.map_err(|source| SchemaError::Migration { schema: schema.schema, source })?;
        protect_history(&mut conn, schema).await?;
        conn.close().await?;
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
        migrations: std::borrow::Cow::Borrowed(&migrator.migrations),
        table_name: migrator.table_name.clone(),
        create_schemas: migrator.create_schemas.clone(),
        ..*migrator
    }
}

async fn connect(direct: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    direct.clone().application_name("tradewind migrate").options([("lock_timeout", LOCK_TIMEOUT)]).connect().await
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
