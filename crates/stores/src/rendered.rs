mod parcel;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::Weight;
use crate::coding::{self, Coding};

/// Less than this is not compressed: it fits a packet either way.
const WORTH_COMPRESSING: usize = 860;
/// What an entry costs besides its bytes: headers, tags, bookkeeping.
const OVERHEAD: usize = 2_048;

/// An answer of status 200, ready to be sent: in every coding, with all its headers.
#[derive(Debug)]
pub struct Rendered {
    etag: HeaderValue,
    identity: Variant,
    gzip: Option<Variant>,
    brotli: Option<Variant>,
    not_modified: HeaderMap,
}

#[derive(Debug, Clone)]
struct Variant {
    headers: HeaderMap,
    body: Bytes,
}

impl Rendered {
    /// Makes the answer ready. The `ETag` is a hash of the content, and weak, since it is the same in every coding. Content that is equal to
    /// `earlier`'s is not compressed again.
    #[must_use]
    pub fn new(mut headers: HeaderMap, body: Bytes, earlier: Option<&Self>) -> Self {
        let etag = etag_of(&body);
        headers.insert(header::ETAG, etag.clone());
        headers.insert(header::VARY, vary(headers.get(header::VARY)));
        let known = earlier.filter(|earlier| earlier.etag == etag);
        let compress = body.len() >= WORTH_COMPRESSING;
        let coded = |kept: fn(&Self) -> Option<&Variant>, make: fn(&Bytes) -> Option<Bytes>, name: &'static str| {
            let body = match known {
                Some(known) => kept(known).map(|variant| variant.body.clone()),
                None => Some(&body).filter(|_| compress).and_then(make),
            };
            body.map(|body| {
                let mut headers = headers.clone();
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
                Variant { headers, body }
            })
        };
        let gzip = coded(|known| known.gzip.as_ref(), coding::gzip, "gzip");
        let brotli = coded(|known| known.brotli.as_ref(), coding::brotli, "br");
        let mut not_modified = headers.clone();
        not_modified.remove(header::CONTENT_TYPE);
        Self { etag, identity: Variant { headers, body }, gzip, brotli, not_modified }
    }

    /// Answers a request with these headers: 304 if its client has this already, else 200 in the coding it takes.
    pub fn answer(&self, request: &HeaderMap) -> Response {
        if is_known(request, &self.etag) {
            return response(StatusCode::NOT_MODIFIED, self.not_modified.clone(), Bytes::new());
        }
        let wanted = match coding::accepted(request) {
            Coding::Brotli => self.brotli.as_ref().or(self.gzip.as_ref().filter(|_| takes_gzip(request))),
            Coding::Gzip => self.gzip.as_ref(),
            Coding::Identity => None,
        };
        let Variant { headers, body } = wanted.unwrap_or(&self.identity);
        response(StatusCode::OK, headers.clone(), body.clone())
    }
}

/// Whether gzip is named at all; asked only in the rare case that brotli was no gain and gzip was.
fn takes_gzip(request: &HeaderMap) -> bool {
    request.get_all(header::ACCEPT_ENCODING).iter().any(|value| value.to_str().is_ok_and(|value| value.split(',').any(|name| name.trim() == "gzip")))
}

fn response(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

impl Weight for Rendered {
    fn weight(&self) -> usize {
        let variants = [Some(&self.identity), self.gzip.as_ref(), self.brotli.as_ref()];
        variants.into_iter().flatten().fold(OVERHEAD, |sum, variant| sum.saturating_add(variant.body.len()))
    }
}

fn vary(given: Option<&HeaderValue>) -> HeaderValue {
    let given = given.and_then(|given| given.to_str().ok()).filter(|given| !given.is_empty());
    given.and_then(|given| HeaderValue::from_str(&format!("{given}, Accept-Encoding")).ok()).unwrap_or(HeaderValue::from_static("Accept-Encoding"))
}

fn etag_of(body: &Bytes) -> HeaderValue {
    let hash = Sha256::digest(body).iter().take(16).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    HeaderValue::from_str(&format!("W/\"{hash}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// Compares as RFC 9110 section 13.1.2 wants it: weakly, against each of the list.
fn is_known(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let mut known = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).peekable();
    let Some(etag) = known.peek().and_then(|_| etag.to_str().ok()) else { return false };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let etag = opaque(etag);
    known.flat_map(|list| list.split(',')).any(|tag| tag.trim() == "*" || opaque(tag) == etag)
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
            is_known(&headers, &HeaderValue::from_static("W/\"abc\""))
        };
        assert!(asks("W/\"abc\"") && asks("\"abc\"") && asks("\"x\", W/\"abc\"") && asks("*"));
        assert!(!asks("\"ab\"") && !asks("abc") && !is_known(&HeaderMap::new(), &HeaderValue::from_static("W/\"abc\"")));
    }

    #[test]
    fn content_that_did_not_change_keeps_its_compressed_bytes() {
        let body = || Bytes::from("low tide ".repeat(500));
        let first = Rendered::new(HeaderMap::new(), body(), None);
        let again = Rendered::new(HeaderMap::new(), body(), Some(&first));
        let start = |rendered: &Rendered| rendered.brotli.as_ref().unwrap().body.as_ptr();
        assert_eq!(start(&first), start(&again));
        let other = Rendered::new(HeaderMap::new(), Bytes::from("high tide ".repeat(500)), Some(&first));
        assert_ne!(start(&first), start(&other));
    }
}
