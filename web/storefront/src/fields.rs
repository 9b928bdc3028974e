use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{StatusCode, header};

use crate::error::PageError;

/// The fields of a form, or of a query, in the order they were sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

/// The fields of an address's query. What cannot be read is not there.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueryFields(pub(crate) Fields);

impl Fields {
    /// The first value of a field.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a field without the blanks around it, empty if it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default().trim()
    }

    /// Whether a field was sent, such as a pressed button or a ticked box.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The fields whose names begin with `prefix`, without it.
    pub(crate) fn below<'fields>(&'fields self, prefix: &'fields str) -> impl Iterator<Item = (&'fields str, &'fields str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

impl FromIterator<(String, String)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(PageError::Refused { status: StatusCode::UNSUPPORTED_MEDIA_TYPE });
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| PageError::Refused { status: rejection.status() })?;
        serde_urlencoded::from_bytes(&bytes).map(Self).map_err(|_| PageError::Refused { status: StatusCode::BAD_REQUEST })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for QueryFields {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, std::convert::Infallible> {
        let fields = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default();
        Ok(Self(Fields(fields)))
    }
}
