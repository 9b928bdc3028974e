use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, header};
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;

/// A request to the router under test.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct TestRequest {
    router: Router,
    builder: http::request::Builder,
    body: Body,
}

/// What the router answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, `null` when it is empty or no JSON.
    pub json: Value,
    /// The body as text.
    pub text: String,
}

impl TestRequest {
    /// Begins a request.
    pub fn new(router: Router, method: &str, path: &str) -> Self {
        Self { router, builder: Request::builder().method(method).uri(path), body: Body::empty() }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.builder = self.builder.header(name, value.to_string());
        self
    }

    /// Sends a bearer token.
    pub fn bearer(self, token: &(impl ToString + ?Sized)) -> Self {
        let value = format!("Bearer {}", token.to_string());
        self.header("authorization", &value)
    }

    /// Sends a JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.body = Body::from(serde_json::to_vec(body).unwrap());
        self.header(header::CONTENT_TYPE.as_str(), "application/json")
    }

    /// Sends any body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Reply {
        let request = self.builder.body(self.body).unwrap();
        let response = self.router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Reply { status: parts.status.as_u16(), headers: parts.headers, json: serde_json::from_slice(&bytes).unwrap_or(Value::Null), text }
    }
}

impl Reply {
    /// The body as a contract's type; panics with the whole answer when the status is another.
    #[must_use]
    #[track_caller]
    pub fn expect<T: DeserializeOwned>(&self, status: u16) -> T {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_value(self.json.clone()).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Panics with the whole answer when the status is another.
    #[track_caller]
    pub fn expect_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Panics unless it is this problem.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        assert_eq!(self.headers.get(header::CONTENT_TYPE).unwrap(), "application/problem+json");
        self
    }

    /// The problem's code, or nothing.
    #[must_use]
    pub fn code(&self) -> &str {
        self.json.get("code").and_then(Value::as_str).unwrap_or_default()
    }

    /// A header as text, empty when absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
