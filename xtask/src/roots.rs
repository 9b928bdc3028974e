//! `cargo xtask roots`: the certificate authorities that the image trusts, as PEM. They come from the crate that Cargo.lock pins, so that
//! the same commit gives the same file on every machine.

/// Characters in a line of PEM (RFC 7468).
const LINE: usize = 64;

/// Mozilla's authorities, one after the other.
pub(crate) fn pem() -> String {
    let mut text = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let encoded: Vec<char> = base64(certificate.as_ref());
        for line in encoded.chunks(LINE) {
            text.extend(line);
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

/// Base64 with padding (RFC 4648).
fn base64(bytes: &[u8]) -> Vec<char> {
    let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let letter = |bits: u32| alphabet.get(usize::try_from(bits & 63).unwrap_or_default()).copied().unwrap_or('=');
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, place| bits << 8 | u32::from(group.get(place).copied().unwrap_or_default()));
        let letters = [letter(bits >> 18), letter(bits >> 12), letter(bits >> 6), letter(bits)];
        text.extend(letters.iter().take(group.len() + 1));
        text.extend(std::iter::repeat_n('=', 3 - group.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let written = |text: &str| base64(text.as_bytes()).into_iter().collect::<String>();
        // RFC 4648, section 10.
        for (plain, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(written(plain), encoded);
        }
        assert_eq!(base64(&[0xff, 0xef, 0xbe]).into_iter().collect::<String>(), "/+++");
    }

    #[test]
    fn there_are_as_many_certificates_as_mozilla_trusts() {
        let text = pem();
        assert_eq!(text.matches("BEGIN CERTIFICATE").count(), webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
        assert!(text.lines().all(|line| line.len() <= LINE));
    }
}
