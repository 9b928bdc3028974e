use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use db::idempotency::KeptAnswer;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::Failure;

/// What a mutating request is answered: status, JSON body, version. It can be kept and given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: StatusCode,
    body: Option<Bytes>,
    version: Option<i64>,
    replayed: bool,
}

impl Answer {
    /// An answer with a JSON body.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self { status, body: Some(serde_json::to_vec(body)?.into()), version: None, replayed: false })
    }

    /// 200 with a JSON body.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn ok(body: &impl Serialize) -> Result<Self, Failure> {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with a JSON body.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn created(body: &impl Serialize) -> Result<Self, Failure> {
        Self::json(StatusCode::CREATED, body)
    }

    /// 204.
    #[must_use]
    pub const fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, version: None, replayed: false }
    }

    /// Sends the record's version as `ETag`.
    #[must_use]
    pub const fn version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The form in which an idempotency key keeps it.
    #[must_use]
    pub fn to_kept(&self) -> KeptAnswer {
        KeptAnswer { status: i32::from(self.status.as_u16()), body: self.body.as_ref().map(|body| body.to_vec()), version: self.version }
    }

    /// A kept answer, given again.
    #[must_use]
    pub fn replayed(kept: KeptAnswer) -> Self {
        let status = u16::try_from(kept.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        Self { status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body: kept.body.map(Bytes::from), version: kept.version, replayed: true }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let content_type = if self.status.is_client_error() || self.status.is_server_error() { "application/problem+json" } else { "application/json" };
        let mut response = match self.body {
            Some(body) => (self.status, [(header::CONTENT_TYPE, content_type)], body).into_response(),
            None => self.status.into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(etag) = self.version.and_then(|version| HeaderValue::from_str(&format!("\"{version}\"")).ok()) {
            headers.insert(header::ETAG, etag);
        }
        if self.replayed {
            headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}
