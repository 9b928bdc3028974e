//! What a form or an address carries, by name. Nothing typed is thrown away because another field was wrong.

use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, header};
use kernel::Problem;

/// The fields of a posted form, in the order they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

/// The parameters of an address.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(pub(crate) Fields);

impl Fields {
    /// Reads `name=value&…`; anything reads as something.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// A field as typed, with line ends as `\n`; nothing if it was not sent.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.replace("\r\n", "\n"))
    }

    /// A field without the space around it; nothing if it is absent or empty.
    pub(crate) fn filled(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Every value of a field that may be sent more than once, such as ticked boxes of one name.
    pub(crate) fn all_of(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// A field that holds a value of `T`; nothing if it does not.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.filled(name)?.parse().ok()
    }

    /// Every field, in order.
    pub(crate) fn all(&self) -> &[(String, String)] {
        &self.0
    }
}

/// Whether a request carries an ordinary form.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let essence = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_form(request.headers()) {
            return Err(Problem::new(415, "unsupported_media_type", "Only forms of these pages are taken here"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| platform::http::body_problem(&rejection))?;
        Ok(Self::parse(&bytes))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Fields::parse(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

/// Writes `path?name=value&…` of the filled parameters.
pub(crate) fn address(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let filled = parameters.iter().filter_map(|(name, value)| Some((*name, (*value).filter(|value| !value.is_empty())?)));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(filled).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_of_browsers_become_ours_and_the_first_of_two_fields_counts() {
        let fields = Fields::parse(b"text=a%0D%0Ab&text=c&empty=++&number=7");
        assert_eq!(fields.get("text").as_deref(), Some("a\nb"));
        assert_eq!(fields.filled("empty"), None);
        assert_eq!(fields.parsed::<i64>("number"), Some(7));
        assert_eq!(fields.parsed::<i64>("text"), None);
    }

    #[test]
    fn addresses_carry_only_what_is_filled() {
        assert_eq!(address("/backoffice/orders", &[("q", Some("a&b")), ("state", None), ("channel", Some(""))]), "/backoffice/orders?q=a%26b");
        assert_eq!(address("/backoffice/orders", &[]), "/backoffice/orders");
    }
}
