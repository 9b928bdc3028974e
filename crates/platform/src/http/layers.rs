use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use kernel::{Clock, Problem, headers};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use super::InternalCredential;
use crate::config::Http;

kernel::id_kind!(/// A request.
    pub HttpRequest => RequestId, "req");

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
        router
            .layer(DefaultBodyLimit::max(self.body_limit_bytes))
            .layer(from_fn_with_state(self.clone(), limit))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn_with_state((self.clone(), surface), observe))
    }

    fn request_id(&self, sent: &HeaderMap) -> RequestId {
        let named = sent.get(headers::REQUEST_ID).and_then(|id| id.to_str().ok()?.parse().ok());
        named.filter(|_| self.internal_credential.is_sent_in(sent)).unwrap_or_else(|| RequestId::new(self.clock.now()))
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

/// Names the request, counts it, writes its one canonical line, and notes its id in the problem if there is one.
async fn observe(State((kit, surface)): State<(Kit, &'static str)>, mut request: Request, next: Next) -> Response {
    let id = kit.request_id(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    request.extensions_mut().insert(id);
    let mut line = CanonicalLine::begin(surface, known_method(&method), route, id);
    let mut response = next.run(request).await;

    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let old = std::mem::take(response.headers_mut());
        response = problem.instance(id.to_string()).into_response();
        let said: HeaderMap = response.headers().clone();
        for (name, value) in old.iter().filter(|(name, _)| !said.contains_key(*name)) {
            response.headers_mut().append(name, value.clone());
        }
    }
    let name = HeaderName::from_static(headers::REQUEST_ID);
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(name, value);
    }
    response.headers_mut().entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    response.headers_mut().entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));

    line.status = response.status().as_u16();
    line.bytes = response.body().size_hint().exact();
    response
}

/// What is told about a request when it has been answered, or when its client went away before (status 499).
struct CanonicalLine {
    surface: &'static str,
    method: &'static str,
    route: String,
    id: RequestId,
    begun: Instant,
    status: u16,
    bytes: Option<u64>,
}

/// The client went away before it was answered. No status of HTTP, but what proxies write.
const CLIENT_GONE: u16 = 499;

impl CanonicalLine {
    fn begin(surface: &'static str, method: &'static str, route: String, id: RequestId) -> Self {
        metrics::gauge!("http_requests_in_flight", "surface" => surface).increment(1.0);
        Self { surface, method, route, id, begun: Instant::now(), status: CLIENT_GONE, bytes: None }
    }
}

impl Drop for CanonicalLine {
    fn drop(&mut self) {
        let Self { surface, method, status, bytes, .. } = *self;
        let duration = self.begun.elapsed();
        let duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(target: "request", surface, method, route = self.route, status, duration_us, bytes, request_id = %self.id);
        metrics::gauge!("http_requests_in_flight", "surface" => surface).decrement(1.0);
        let route = std::mem::take(&mut self.route);
        let labels = [("route", route), ("method", method.to_owned()), ("code", status.to_string()), ("surface", surface.to_owned())];
        metrics::counter!("http_requests_total", &labels).increment(1);
        metrics::histogram!("http_request_duration_seconds", &labels).record(duration.as_secs_f64());
    }
}

/// The method as logs and metrics name it. A client can make methods up, and each would be a time series of its own.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
