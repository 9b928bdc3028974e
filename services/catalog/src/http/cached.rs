//! Answers that browsers and content networks may keep.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use service::Failure;
use sha2::{Digest, Sha256};

/// Long enough to carry a rush, short enough that nobody minds: prices and stock are checked again in the cart.
const CACHE_CONTROL: &str = "public, max-age=10, stale-while-revalidate=30";
/// The answer is the channel's; a host that leads to another channel is another address anyway.
const VARY: &str = "X-Channel";

/// Answers 200 with `body`, or 304 when the caller has it already. `keys` name what is shown, for a content network to drop it by.
///
/// The `ETag` is a hash of the content, since stock bands and prices change what is shown without a new version of one record. It is
/// weak, since the answer may be compressed on its way.
///
/// # Errors
/// The body cannot be written as JSON.
pub(crate) fn respond(request: &HeaderMap, keys: &[String], body: &impl Serialize) -> Result<Response, Failure> {
    let bytes = serde_json::to_vec(body)?;
    let etag = etag_of(&bytes);
    let mut response = if is_known(request, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], bytes).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL));
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
    for (name, value) in [(header::ETAG, etag), (header::HeaderName::from_static("surrogate-key"), keys.join(" "))] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}

fn etag_of(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes).iter().take(16).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    format!("W/\"{hash}\"")
}

/// Compares as RFC 9110 section 13.1.2 wants it: weakly, against each of the list.
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let known = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.flat_map(|list| list.split(',')).any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_tag_is_known_in_a_list_weak_or_strong() {
        let asks = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(value).unwrap());
            is_known(&headers, "W/\"abc\"")
        };
        assert!(asks("W/\"abc\"") && asks("\"abc\"") && asks("\"x\", W/\"abc\"") && asks("*"));
        assert!(!asks("\"ab\"") && !asks("abc") && !is_known(&HeaderMap::new(), "W/\"abc\""));
    }
}
