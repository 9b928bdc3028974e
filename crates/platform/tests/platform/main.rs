//! The ports: what they answer when all is well, when it is not, and while they close.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on panics")]

mod kit;
mod operations;
mod serve;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request};
use kernel::Clock;
use platform::config::{Http, Loaded};
use platform::http::Kit;
use serde_json::Value;
use tower::ServiceExt;

/// What the port has by default, with less patience.
fn settings() -> Http {
    Http { request_timeout: Duration::from_millis(300), body_limit_bytes: 1_024, ..Loaded::load(None, []).unwrap().config.http }
}

/// The layers around some routes; our own web tier sends `hush`.
fn around(router: Router, http: &Http) -> Router {
    Kit::new(http, Clock::system(), "hush".into()).around(platform::http::api_fallbacks(router), "test")
}

/// What a router answered.
struct Reply {
    status: u16,
    headers: HeaderMap,
    json: Value,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    #[track_caller]
    fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json["code"].as_str()), (status, Some(code)), "{}", self.json);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["instance"].as_str(), Some(self.header("x-request-id")));
        assert!(self.header("x-request-id").starts_with("req_"));
    }
}

async fn send(router: &Router, request: Request<Body>) -> Reply {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Reply { status: parts.status.as_u16(), headers: parts.headers, json: serde_json::from_slice(&bytes).unwrap_or_default() }
}

async fn get(router: &Router, path: &str) -> Reply {
    send(router, Request::get(path).body(Body::empty()).unwrap()).await
}

/// A client that keeps its connections.
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}
