use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A refusal or failure as the API tells it (RFC 9457, `application/problem+json`).
///
/// `code` is stable: programs branch on it. `detail` is for people. Internal detail never goes in here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{code}: {title}")]
pub struct Problem {
    /// A URI that names the kind of problem: `urn:tradewind:problem:` and the code.
    #[serde(rename = "type", default)]
    #[schema(rename = "type")]
    kind: String,
    /// What went wrong, in a few words; the same for every problem of this code.
    title: Cow<'static, str>,
    /// The HTTP status, repeated.
    status: u16,
    /// The stable name of the problem, such as `cart_not_found`.
    code: Cow<'static, str>,
    /// What went wrong this time, and the way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The request id, for support and logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// The fields a person can mend.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// Facts a program needs to go on, such as the new totals after a price change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    context: Option<serde_json::Value>,
    /// Seconds to wait before trying again; sent as the `Retry-After` header.
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
}

/// One field that needs mending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// Where in the body (a JSON pointer, RFC 6901), or the name of the query parameter or header.
    pub pointer: String,
    /// The stable name of what is wrong.
    pub code: Cow<'static, str>,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl Problem {
    /// A problem with a status from 400 to 599, a stable code and a short title.
    #[must_use]
    pub fn new(status: u16, code: impl Into<Cow<'static, str>>, title: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        Self {
            kind: format!("urn:tradewind:problem:{code}"),
            title: title.into(),
            status,
            code,
            detail: None,
            instance: None,
            errors: Vec::new(),
            context: None,
            retry_after_seconds: None,
        }
    }

    /// 404: there is no such `thing`, or the caller may not know. The code is `<thing>_not_found`.
    #[must_use]
    pub fn not_found(thing: &'static str) -> Self {
        Self::new(404, format!("{thing}_not_found"), format!("No such {}", thing.replace('_', " ")))
    }

    /// 401: the request carries no valid credentials.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(401, "unauthenticated", "Sign in first")
    }

    /// 403: the caller is known but may not do this.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(403, "forbidden", "Not allowed")
    }

    /// 400: one query parameter is wrong.
    #[must_use]
    pub fn invalid_query(name: &str, detail: impl Into<String>) -> Self {
        Self::new(400, "invalid_query", "A query parameter is not valid").field(name, "invalid", detail)
    }

    /// 422: the body was understood and is refused for its content; add the fields.
    #[must_use]
    pub fn invalid_body() -> Self {
        Self::new(422, "invalid_body", "The content is not valid")
    }

    /// 412: the record changed since the caller read it.
    #[must_use]
    pub fn stale(current: i64) -> Self {
        Self::new(412, "stale_version", "Someone else changed this in the meantime").context(serde_json::json!({ "version": current }))
    }

    /// 428: an edit needs `If-Match` with the version it was made on.
    #[must_use]
    pub fn version_required() -> Self {
        Self::new(428, "version_required", "Send If-Match with the version you edited")
    }

    /// 500: our fault; the reason stands in the log under the request id.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(500, "internal", "Something failed on our side")
    }

    /// 503: a part we need is away for the moment.
    #[must_use]
    pub fn unavailable(retry_after_seconds: u32) -> Self {
        Self::new(503, "unavailable", "Not available at the moment").retry_after(retry_after_seconds)
    }

    /// Says what went wrong this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Names a field to mend.
    #[must_use]
    pub fn field(mut self, pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        self.errors.push(FieldProblem { pointer: pointer.into(), code: code.into(), detail: detail.into() });
        self
    }

    /// Adds facts a program needs to go on.
    #[must_use]
    pub fn context(mut self, context: serde_json::Value) -> Self {
        self.context = Some(context);
        self
    }

    /// Asks the caller to wait so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Notes the request id.
    #[must_use]
    pub fn instance(mut self, request_id: impl Into<String>) -> Self {
        self.instance = Some(request_id.into());
        self
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The short title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What went wrong this time, if said.
    #[must_use]
    pub fn detail_text(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// The fields to mend.
    #[must_use]
    pub fn errors(&self) -> &[FieldProblem] {
        &self.errors
    }

    /// The facts to go on with, if any.
    #[must_use]
    pub const fn context_value(&self) -> Option<&serde_json::Value> {
        self.context.as_ref()
    }

    /// Seconds to wait, if said.
    #[must_use]
    pub const fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after_seconds
    }

    /// The request id, if noted.
    #[must_use]
    pub fn instance_id(&self) -> Option<&str> {
        self.instance.as_deref()
    }
}

#[cfg(feature = "axum")]
mod response {
    use super::Problem;
    use axum_core::response::{IntoResponse, Response};
    use http::{HeaderValue, StatusCode, header};

    impl IntoResponse for Problem {
        /// Writes the problem document. The problem itself rides along as a response extension, so that a layer
        /// can note the request id.
        fn into_response(self) -> Response {
            let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let body = serde_json::to_vec(&self).unwrap_or_default();
            let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")], body).into_response();
            if let Some(seconds) = self.retry_after_seconds {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            if status == StatusCode::UNAUTHORIZED {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            response.extensions_mut().insert(self);
            response
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_document_has_the_members_of_rfc_9457() {
        let problem = Problem::not_found("cart").detail("It may have expired.").instance("req_1").field("/id", "unknown", "no such cart");
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "urn:tradewind:problem:cart_not_found", "title": "No such cart", "status": 404, "code": "cart_not_found",
                "detail": "It may have expired.", "instance": "req_1",
                "errors": [{ "pointer": "/id", "code": "unknown", "detail": "no such cart" }]
            })
        );
        assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), problem);
    }
}
