use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};

use super::{Rendered, Variant};
use crate::shelf::Parcel;

/// What stands before the bodies, which follow one after the other.
#[derive(Serialize, Deserialize)]
struct Label {
    headers: Vec<(String, String)>,
    identity: usize,
    gzip: Option<usize>,
    brotli: Option<usize>,
}

impl Parcel for Rendered {
    fn pack(&self) -> Option<Bytes> {
        let text = |(name, value): (&HeaderName, &HeaderValue)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()));
        let variants = [Some(&self.identity), self.gzip.as_ref(), self.brotli.as_ref()];
        let [identity, gzip, brotli] = variants.map(|variant| variant.map(|variant| variant.body.len()));
        let label = Label { headers: self.identity.headers.iter().map(text).collect::<Option<_>>()?, identity: identity?, gzip, brotli };
        let mut bytes = serde_json::to_vec(&label).ok()?;
        bytes.push(b'\n');
        for variant in variants.into_iter().flatten() {
            bytes.extend_from_slice(&variant.body);
        }
        Some(bytes.into())
    }

    fn unpack(bytes: &Bytes) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let label: Label = serde_json::from_slice(bytes.get(..end)?).ok()?;
        let mut rest = bytes.slice(end.checked_add(1)?..);
        let mut body = |length: usize| (length <= rest.len()).then(|| rest.split_to(length));
        let mut headers = HeaderMap::new();
        for (name, value) in &label.headers {
            headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
        }
        let etag = headers.get(header::ETAG)?.clone();
        let coded = |body: Bytes, coding: &'static str| {
            let mut headers = headers.clone();
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
            Variant { headers, body }
        };
        let identity = body(label.identity)?;
        let gzip = label.gzip.map(&mut body).map(|body| body.map(|body| coded(body, "gzip")));
        let brotli = label.brotli.map(&mut body).map(|body| body.map(|body| coded(body, "br")));
        let mut not_modified = headers.clone();
        not_modified.remove(header::CONTENT_TYPE);
        // A length that is named and not there is a broken parcel.
        let (gzip, brotli) = (gzip.map_or(Some(None), |body| body.map(Some))?, brotli.map_or(Some(None), |body| body.map(Some))?);
        Some(Self { etag, identity: Variant { headers, body: identity }, gzip, brotli, not_modified })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_unpacked_answers_as_what_was_packed() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        for body in ["short".to_owned(), "low tide ".repeat(500)] {
            let made = Rendered::new(headers.clone(), body.into(), None);
            let taken = Rendered::unpack(&made.pack().unwrap()).unwrap();
            assert_eq!(format!("{made:?}"), format!("{taken:?}"));
        }
    }

    #[test]
    fn a_parcel_that_was_cut_short_is_none() {
        let packed = Rendered::new(HeaderMap::new(), "low tide ".repeat(500).into(), None).pack().unwrap();
        assert!(Rendered::unpack(&packed.slice(..packed.len() - 1)).is_none());
        assert!(Rendered::unpack(&Bytes::from_static(b"nonsense")).is_none());
    }
}
