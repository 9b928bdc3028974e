use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use garde::Validate;
use http::request::Parts;
use http::{HeaderMap, header};
use kernel::Problem;
use serde::de::DeserializeOwned;

/// A JSON body, read and checked. Refusals are problems: 415, 413, 400 `malformed_json`, 422 `invalid_body` with pointers.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

/// Path parameters. A parameter of the wrong form names nothing that exists: 404.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

/// Query parameters. Refusals are 400 `invalid_query` with the parameter's name.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Validate<Context = ()>, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !has_json_content_type(request.headers()) {
            return Err(unsupported_media_type());
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| body_problem(&rejection))?;
        let value = parse_json(&bytes)?;
        validate(&value)?;
        Ok(Self(value))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        #[expect(clippy::disallowed_types, reason = "the one place that turns its refusals into problems")]
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|_| Problem::not_found("record"))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = parts.uri.query().unwrap_or_default();
        let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let name = error.path().to_string();
            Problem::invalid_query(if name == "." { "query" } else { &name }, error.inner().to_string())
        })
    }
}

/// Whether the request says that its body is JSON.
#[must_use]
pub fn has_json_content_type(headers: &HeaderMap) -> bool {
    let essence = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| {
        let essence = essence.trim().to_ascii_lowercase();
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
    })
}

/// 415: the body is not said to be JSON.
#[must_use]
pub fn unsupported_media_type() -> Problem {
    Problem::new(415, "unsupported_media_type", "Send the body as application/json")
}

/// Why a body could not be taken in: 413 when it is too large, 400 when it broke off.
#[must_use]
pub fn body_problem(rejection: &BytesRejection) -> Problem {
    if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(413, "body_too_large", "The body is too large");
    }
    Problem::new(400, "body_unreadable", "The body could not be read")
}

/// Reads JSON.
///
/// # Errors
/// 400 `malformed_json` when it is no JSON, 422 `invalid_body` with a pointer when it has the wrong shape.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().clone();
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => {
                let message = inner.to_string();
                match missing_field(&message) {
                    Some(name) => Problem::invalid_body().field(format!("{}/{}", pointer_of(&path), escape(name)), "required", "must be given"),
                    None => Problem::invalid_body().field(pointer_of(&path), "invalid", message),
                }
            }
            _ => malformed(&inner),
        }
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    // serde would read a list as a struct, field by field; the bodies of the API are objects.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::invalid_body().field("", "invalid", "must be an object"));
    }
    Ok(value)
}

/// The field that a message of serde's says is missing; the path then ends at the object that lacks it.
fn missing_field(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.split('`').next()
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(400, "malformed_json", "The body is not valid JSON").detail(error.to_string())
}

/// Checks the rules of a body.
///
/// # Errors
/// 422 `invalid_body` with every field that breaks a rule.
pub fn validate<T: Validate<Context = ()>>(value: &T) -> Result<(), Problem> {
    value.validate().map_err(|report| {
        report.iter().fold(Problem::invalid_body(), |problem, (path, error)| {
            let pointer = path
                .to_string()
                .replace('[', ".")
                .replace(']', "")
                .split('.')
                .filter(|part| !part.is_empty())
                .fold(String::new(), |pointer, part| format!("{pointer}/{part}"));
            problem.field(pointer, "invalid", error.message())
        })
    })
}

/// A JSON pointer (RFC 6901) of where reading stopped.
fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } | Segment::Enum { variant: key } => format!("{pointer}/{}", escape(key)),
        Segment::Unknown => pointer,
    })
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
