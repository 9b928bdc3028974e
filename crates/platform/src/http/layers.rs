use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use kernel::{Clock, Problem};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use super::InternalCredential;
use super::observe::{Surface, observe};
use crate::config::Http;

/// The layers around every route of a port: request id, canonical log line and metrics, panics, overload, time, body size.
#[derive(Clone)]
pub struct Kit {
    clock: Clock,
    internal_credential: InternalCredential,
    slots: Arc<Semaphore>,
    request_timeout: Duration,
    body_limit_bytes: usize,
}

impl Kit {
    /// The kit with the port's limits. Callers that send `internal_credential` may name their request themselves.
    #[must_use]
    pub fn new(http: &Http, clock: Clock, internal_credential: InternalCredential) -> Self {
        Self {
            clock,
            internal_credential,
            slots: Arc::new(Semaphore::new(http.max_concurrent_requests.min(Semaphore::MAX_PERMITS))),
            request_timeout: http.request_timeout,
            body_limit_bytes: http.body_limit_bytes,
        }
    }

    /// Puts the layers around `router`. `surface` names it in logs and metrics.
    pub fn around(&self, router: Router, surface: &'static str) -> Router {
        let surface = Surface::new(surface, self.clock.clone(), self.internal_credential.clone());
        router
            .layer(DefaultBodyLimit::max(self.body_limit_bytes))
            .layer(from_fn_with_state(self.clone(), limit))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn_with_state(Arc::new(surface), observe))
    }
}

/// Answers what no route of an API surface knows with problems.
pub fn api_fallbacks(router: Router) -> Router {
    router
        .fallback(async || Problem::not_found("route"))
        .method_not_allowed_fallback(async || Problem::new(405, "method_not_allowed", "This route does not know that method"))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!(panic = crate::lifecycle::panic_text(panic.as_ref()), "a handler panicked");
    Problem::internal().into_response()
}

/// Overload, time: a request that finds no free slot or takes too long is told to come again.
async fn limit(State(kit): State<Kit>, request: Request, next: Next) -> Response {
    let Ok(_slot) = kit.slots.try_acquire() else {
        metrics::counter!("http_requests_shed_total").increment(1);
        return Problem::new(503, "overloaded", "Too much to do at the moment").retry_after(1).into_response();
    };
    match tokio::time::timeout(kit.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(503, "timeout", "This took too long")
            .detail("Whether it was done is not known. Repeat it with the same Idempotency-Key.")
            .retry_after(1)
            .into_response(),
    }
}
