//! The rules of the catalogue, without input or output.

mod draft;
mod listing;
mod record;

pub(crate) use draft::{Flaw, check_media, check_prices, check_product};
pub(crate) use listing::{Filter, ListPosition, Place, closed, filter_of};
pub(crate) use record::{ProductRecord, VariantRecord};

/// Whether a text could be a slug: small letters and digits in parts joined by single hyphens, 100 at most. What could not is looked up
/// nowhere.
#[must_use]
pub(crate) fn is_slug(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    text.len() <= 100 && text.split('-').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_what_the_contract_lets_in() {
        for text in ["a", "low-tide-hills", "2-0", &"a".repeat(100)] {
            assert!(is_slug(text), "{text}");
        }
        for text in ["", "-", "a-", "-a", "a--b", "A", "a_b", "a\u{0}", "é", &"a".repeat(101)] {
            assert!(!is_slug(text), "{text}");
        }
    }
}
