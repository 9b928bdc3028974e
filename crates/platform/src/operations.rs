//! The operations port: liveness, readiness, metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::BoxFuture;
use http::{StatusCode, header};
use serde::Serialize;

use crate::telemetry::Metrics;

const STARTING: u8 = 0;
const READY: u8 = 1;
const DRAINING: u8 = 2;

/// How long a dependency may take to answer. All are asked at once, and a probe usually gives up after a second: a dependency that hangs
/// must not make the answer late, which would count as not ready.
const CHECK_TIMEOUT: Duration = Duration::from_millis(400);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Whether this process wants requests. A shared dependency that is down is told, and changes nothing: were it to count, every process
/// would turn unready at once and nobody would be left to serve what still can be served.
#[derive(Clone, Default)]
pub struct Readiness {
    state: Arc<AtomicU8>,
    dependencies: Arc<RwLock<BTreeMap<&'static str, Check>>>,
}

#[derive(Serialize)]
struct Report {
    state: &'static str,
    dependencies: BTreeMap<&'static str, String>,
}

impl Readiness {
    /// Says that everything is started.
    pub fn set_started(&self) {
        // A process that was told to stop while it started goes on stopping.
        if self.state.compare_exchange(STARTING, READY, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            tracing::debug!("readiness was set before");
        }
    }

    /// Says that the process is about to stop.
    pub fn set_draining(&self) {
        self.state.store(DRAINING, Ordering::SeqCst);
    }

    /// Whether requests are wanted.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state.load(Ordering::SeqCst) == READY
    }

    /// Adds a shared dependency to the report.
    pub fn register_dependency(&self, name: &'static str, check: impl Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync + 'static) {
        if let Ok(mut dependencies) = self.dependencies.write() {
            dependencies.insert(name, Arc::new(check));
        }
    }

    async fn report(&self) -> Report {
        let checks: Vec<_> = self.dependencies.read().map(|checks| checks.iter().map(|(name, check)| (*name, Arc::clone(check))).collect()).unwrap_or_default();
        let asked = checks.into_iter().map(async |(name, check)| {
            let (up, text) = match tokio::time::timeout(CHECK_TIMEOUT, check()).await {
                Ok(Ok(())) => (1.0, "up".to_owned()),
                Ok(Err(error)) => (0.0, format!("down: {error}")),
                Err(_) => (0.0, format!("down: no answer within {} ms", CHECK_TIMEOUT.as_millis())),
            };
            metrics::gauge!("dependency_up", "dependency" => name).set(up);
            (name, text)
        });
        let dependencies = futures_util::future::join_all(asked).await.into_iter().collect();
        let state = match self.state.load(Ordering::SeqCst) {
            STARTING => "starting",
            READY => "ready",
            _ => "draining",
        };
        Report { state, dependencies }
    }
}

#[derive(Clone)]
struct Operations {
    readiness: Readiness,
    metrics: Metrics,
}

/// The routes of the operations port: `/livez`, `/readyz`, `/metrics`.
pub fn router(readiness: Readiness, metrics: Metrics) -> Router {
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(show_metrics))
        .with_state(Operations { readiness, metrics })
}

async fn readyz(State(operations): State<Operations>) -> Response {
    let report = operations.readiness.report().await;
    let status = if operations.readiness.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::to_vec(&report).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn show_metrics(State(operations): State<Operations>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], operations.metrics.render()).into_response()
}
