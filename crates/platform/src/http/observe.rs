//! What every request is given and what is told of it: a name, a line in the log, its part in the figures, the headers of its answer.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use kernel::{Clock, Problem, headers};
use metrics::{Counter, Gauge, Histogram};

use super::InternalCredential;

kernel::id_kind!(/// A request.
    pub HttpRequest => RequestId, "req");

const REQUEST_ID: HeaderName = HeaderName::from_static(headers::REQUEST_ID);
/// The client went away before it was answered. No status of HTTP, but what proxies write.
const CLIENT_GONE: u16 = 499;

/// A part of a port, as logs and metrics name it.
pub(super) struct Surface {
    name: &'static str,
    clock: Clock,
    internal_credential: InternalCredential,
    in_flight: Gauge,
    /// By route. Each figure is found by its labels once, since that costs more than answering from memory.
    figures: RwLock<HashMap<Box<str>, Vec<Figures>>>,
}

/// What is counted of the answers of a route that have one method and status.
struct Figures {
    method: &'static str,
    status: u16,
    total: Counter,
    duration: Histogram,
}

impl Surface {
    pub(super) fn new(name: &'static str, clock: Clock, internal_credential: InternalCredential) -> Self {
        let in_flight = metrics::gauge!("http_requests_in_flight", "surface" => name);
        Self { name, clock, internal_credential, in_flight, figures: RwLock::default() }
    }

    /// A new name; our own web tier may name its requests itself.
    fn request_id(&self, sent: &HeaderMap) -> RequestId {
        let named = sent.get(&REQUEST_ID).and_then(|id| id.to_str().ok()?.parse().ok());
        named.filter(|_| self.internal_credential.is_sent_in(sent)).unwrap_or_else(|| RequestId::new(self.clock.now()))
    }

    fn count(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let add = |figures: &Figures| {
            figures.total.increment(1);
            figures.duration.record(took.as_secs_f64());
        };
        let is_it = |figures: &&Figures| figures.status == status && figures.method == method;
        let known = self.figures.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(figures) = known.get(route).and_then(|figures| figures.iter().find(is_it)) {
            return add(figures);
        }
        drop(known);
        let labels = [("route", route.to_owned()), ("method", method.to_owned()), ("code", status.to_string()), ("surface", self.name.to_owned())];
        let (total, duration) = (metrics::counter!("http_requests_total", &labels), metrics::histogram!("http_request_duration_seconds", &labels));
        let figures = Figures { method, status, total, duration };
        add(&figures);
        // Another may have been as fast; then both lead to the same figure.
        self.figures.write().unwrap_or_else(PoisonError::into_inner).entry(route.into()).or_default().push(figures);
    }
}

/// Where a request is answered: a route of a surface. Every answer bears its place among its extensions.
#[derive(Clone)]
pub struct Place {
    surface: Arc<Surface>,
    route: Option<MatchedPath>,
}

impl Place {
    /// Answers a request of this place without entering it. The request is named, counted and written down like any other.
    pub fn answer(&self, method: &Method, sent: &HeaderMap, answer: impl FnOnce() -> Response) -> Response {
        let line = Line::begin(self.clone(), method, sent);
        line.end(answer())
    }

    fn route(&self) -> &str {
        self.route.as_ref().map_or("unmatched", MatchedPath::as_str)
    }
}

/// The layer that gives and tells all this.
pub(super) async fn observe(State(surface): State<Arc<Surface>>, mut request: Request, next: Next) -> Response {
    let place = Place { surface, route: request.extensions().get().cloned() };
    let line = Line::begin(place.clone(), request.method(), request.headers());
    request.extensions_mut().insert(line.id);
    let mut response = line.end(next.run(request).await);
    response.extensions_mut().insert(place);
    response
}

/// What is told about a request when it has been answered, or when its client went away before.
struct Line {
    place: Place,
    method: &'static str,
    id: RequestId,
    begun: Instant,
    status: u16,
    bytes: Option<u64>,
}

impl Line {
    fn begin(place: Place, method: &Method, sent: &HeaderMap) -> Self {
        place.surface.in_flight.increment(1.0);
        let id = place.surface.request_id(sent);
        Self { place, method: known_method(method), id, begun: Instant::now(), status: CLIENT_GONE, bytes: None }
    }

    /// Notes the request's name in the answer, and how the answer came out.
    fn end(mut self, mut response: Response) -> Response {
        let id = self.id.to_string();
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            response = named(problem, &id, response.headers());
        }
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert(REQUEST_ID, id);
        }
        headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
        headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
        self.status = response.status().as_u16();
        self.bytes = response.body().size_hint().exact();
        response
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Self { place, method, id, begun, status, bytes } = self;
        let took = begun.elapsed();
        let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(target: "request", surface = place.surface.name, method, route = place.route(), status, duration_us, bytes, request_id = %id);
        place.surface.in_flight.decrement(1.0);
        place.surface.count(place.route(), method, *status, took);
    }
}

/// The problem's document with the request's name, and the other headers of its answer.
fn named(problem: Problem, id: &str, old: &HeaderMap) -> Response {
    let mut response = problem.instance(id.to_owned()).into_response();
    let said = response.headers().clone();
    for (name, value) in old.iter().filter(|(name, _)| !said.contains_key(*name)) {
        response.headers_mut().append(name, value.clone());
    }
    response
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
