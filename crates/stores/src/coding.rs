//! Content codings: which one a client takes, and how bytes get into it.

use std::io::Write;

use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, header};

/// Compressed once and sent often; beyond this level brotli takes several times as long for a hundredth less.
const BROTLI_QUALITY: i32 = 5;
const BROTLI_WINDOW: i32 = 18;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Identity,
    Gzip,
    Brotli,
}

/// The best coding that the client takes (RFC 9110 section 12.5.3). Identity is always taken: to refuse it helps nobody.
pub(crate) fn accepted(headers: &HeaderMap) -> Coding {
    let (mut gzip, mut brotli, mut other) = (None, None, None);
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        for part in value.to_str().unwrap_or_default().split(',') {
            let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = weight(parameters);
            match name.trim() {
                "gzip" | "x-gzip" => gzip = Some(weight),
                "br" => brotli = Some(weight),
                "*" => other = Some(weight),
                _ => {}
            }
        }
    }
    let (gzip, brotli) = (gzip.or(other).unwrap_or(0), brotli.or(other).unwrap_or(0));
    match (brotli, gzip) {
        (0, 0) => Coding::Identity,
        (brotli, gzip) if brotli >= gzip => Coding::Brotli,
        _ => Coding::Gzip,
    }
}

/// A weight in thousandths: 1000 if none is given, 0 if it cannot be read.
fn weight(parameters: &str) -> u16 {
    let Some(text) = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q=")) else { return 1_000 };
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let fraction = format!("{fraction:0<3}").get(..3).and_then(|digits| digits.parse::<u16>().ok());
    match (whole.parse::<u16>(), fraction) {
        (Ok(whole), Some(fraction)) => whole.saturating_mul(1_000).saturating_add(fraction).min(1_000),
        _ => 0,
    }
}

/// The body in gzip; nothing if that is no smaller.
pub(crate) fn gzip(plain: &Bytes) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 3), Compression::new(6));
    let written = encoder.write_all(plain).and_then(|()| encoder.finish());
    smaller(written, plain)
}

/// The body in brotli; nothing if that is no smaller.
pub(crate) fn brotli(plain: &Bytes) -> Option<Bytes> {
    let parameters = BrotliEncoderParams { quality: BROTLI_QUALITY, lgwin: BROTLI_WINDOW, size_hint: plain.len(), ..BrotliEncoderParams::default() };
    let mut written = Vec::with_capacity(plain.len() / 3);
    let outcome = brotli::BrotliCompress(&mut plain.as_ref(), &mut written, &parameters).map(|_| written);
    smaller(outcome, plain)
}

fn smaller(written: std::io::Result<Vec<u8>>, plain: &Bytes) -> Option<Bytes> {
    let mut written = written.ok().filter(|written| written.len() < plain.len())?;
    written.shrink_to_fit();
    Some(written.into())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::io::Read;

    use http::HeaderValue;

    use super::*;

    fn takes(value: &str) -> Coding {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
        accepted(&headers)
    }

    #[test]
    fn the_client_chooses_and_brotli_wins_a_draw() {
        assert_eq!(accepted(&HeaderMap::new()), Coding::Identity);
        for (value, coding) in [
            ("gzip, deflate, br, zstd", Coding::Brotli),
            ("gzip", Coding::Gzip),
            ("br;q=0.5, gzip;q=0.8", Coding::Gzip),
            ("br; q=0, gzip; q=0.001", Coding::Gzip),
            ("*", Coding::Brotli),
            ("*;q=0.1, br;q=0", Coding::Gzip),
            ("identity", Coding::Identity),
            ("gzip;q=0", Coding::Identity),
            ("gzip;q=nonsense", Coding::Identity),
            ("", Coding::Identity),
        ] {
            assert_eq!(takes(value), coding, "{value}");
        }
    }

    #[test]
    fn what_is_compressed_is_read_again_and_what_does_not_shrink_is_left() {
        let text = Bytes::from("salt and marsh, ".repeat(200));
        let mut read = String::new();
        flate2::read::GzDecoder::new(gzip(&text).unwrap().as_ref()).read_to_string(&mut read).unwrap();
        assert_eq!(read.as_bytes(), text);
        let mut read = Vec::new();
        brotli::BrotliDecompress(&mut brotli(&text).unwrap().as_ref(), &mut read).unwrap();
        assert_eq!(read, text);
        let short = Bytes::from_static(b"x");
        assert_eq!((gzip(&short), brotli(&short)), (None, None));
    }
}
