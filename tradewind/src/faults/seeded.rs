//! A build with faults, of which one may be armed.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use checkout::faults::{FaultPoint, VARIABLE};
use db::migrate::SchemaMigrations;
use kernel::Problem;
use platform::http::Answering;
use platform::telemetry;
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use stores::Stores;
use tower::util::Either;

/// What a release may be bad at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// One request of a hundred is answered 500 on the public port, and nothing is done for it.
    Errors,
    /// Three requests of a hundred wait for two seconds on the public port.
    Slow,
    /// A server ends with an error, some seconds after it was ready.
    Crash,
    /// `tradewind migrate` has one more migration, which fails when its work is done and not committed.
    Migration,
    /// No fault: the release has one more migration, which only adds, and its servers insist on it. For the way back across a migration.
    Expand,
}

impl Fault {
    const ALL: [Self; 5] = [Self::Errors, Self::Slow, Self::Crash, Self::Migration, Self::Expand];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Slow => "slow",
            Self::Crash => "crash",
            Self::Migration => "migration",
            Self::Expand => "expand",
        }
    }

    /// Whether this request is one that goes wrong. They are counted, not drawn, so that each build is as bad as every other.
    fn hits(self, request: u64) -> bool {
        match self {
            Self::Errors => request.is_multiple_of(100),
            Self::Slow => request.is_multiple_of(33),
            Self::Crash | Self::Migration | Self::Expand => false,
        }
    }
}

/// How long a slow request waits.
const DELAY: Duration = Duration::from_secs(2);
/// How long a server lives that crashes.
const LIFE: Duration = Duration::from_secs(5);

static ARMED: LazyLock<Option<Fault>> = LazyLock::new(|| Fault::ALL.into_iter().find(|fault| fault.as_str() == named()));

/// The name in the environment, empty if there is none.
fn named() -> String {
    #[expect(clippy::disallowed_methods, reason = "a switch for bad builds, compiled into no other, not a setting")]
    std::env::var(VARIABLE).unwrap_or_default()
}

/// A release that was to be bad and is good by a slip of the pen would prove the wrong thing.
///
/// # Errors
/// The environment names a fault that there is not.
pub(crate) fn refuse_unknown() -> anyhow::Result<()> {
    let name = named();
    let all: Vec<_> = Fault::ALL.map(Fault::as_str).into_iter().chain(FaultPoint::ALL.map(FaultPoint::as_str)).collect();
    anyhow::ensure!(name.is_empty() || all.contains(&name.as_str()), "{VARIABLE}: {name} is none of {}", all.join(", "));
    Ok(())
}

/// Puts the fault into the public port, within what is told of each request: metrics and logs show it as a fault of the program.
pub(crate) fn spoil(router: Router) -> Router {
    match *ARMED {
        Some(fault @ (Fault::Errors | Fault::Slow)) => router.layer(from_fn(move |request, next| answer(fault, request, next))),
        _ => router,
    }
}

async fn answer(fault: Fault, request: Request, next: Next) -> Response {
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    if fault.hits(REQUESTS.fetch_add(1, Ordering::Relaxed)) {
        match fault {
            Fault::Errors => return Problem::internal().into_response(),
            _ => tokio::time::sleep(DELAY).await,
        }
    }
    next.run(request).await
}

/// The port, without shortcuts past the fault.
pub(crate) fn port(stores: &Stores, router: Router) -> impl Answering + use<> {
    if ARMED.is_some() { Either::Left(router) } else { Either::Right(stores.shortcuts(router)) }
}

/// Ends the process with an error after some seconds.
pub(crate) fn crash_later() {
    if *ARMED == Some(Fault::Crash) {
        #[expect(clippy::disallowed_methods, reason = "nobody waits for a crash")]
        drop(tokio::spawn(async {
            tokio::time::sleep(LIFE).await;
            tracing::error!(fault = Fault::Crash.as_str(), "this release crashes");
            telemetry::flush_logs();
            std::process::exit(1);
        }));
    }
}

/// One more migration, if it is to fail.
pub(crate) fn failing_migration() -> Option<SchemaMigrations> {
    static FAILING: LazyLock<Migrator> = LazyLock::new(|| migrator(9999, "alter table catalog.product add column seeded_fault text; select 1 / 0;"));
    (*ARMED == Some(Fault::Migration)).then(|| SchemaMigrations { schema: "catalog", migrator: &FAILING })
}

/// One more migration, if it is to be part of this release.
pub(crate) fn expansion() -> Option<SchemaMigrations> {
    static EXPANDING: LazyLock<Migrator> = LazyLock::new(|| migrator(9998, "alter table catalog.product add column seeded_expansion text;"));
    (*ARMED == Some(Fault::Expand)).then(|| SchemaMigrations { schema: "catalog", migrator: &EXPANDING })
}

fn migrator(version: i64, sql: &'static str) -> Migrator {
    let migration = Migration::new(version, Cow::Borrowed("seeded"), MigrationType::Simple, sql.into_sql_str(), false);
    Migrator { migrations: Cow::Owned(vec![migration]), table_name: Cow::Borrowed("catalog.migration"), ..Migrator::DEFAULT }
}
