use std::fmt;
use std::str::FromStr;

use crate::validated_text;

/// A language tag (BCP 47) of the forms a shop uses: language, optional script, optional region: `de`, `de-AT`, `zh-Hant-TW`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Locale(String);

/// The text is no language tag.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a language tag (BCP 47), such as en or de-AT")]
pub struct LocaleError;

impl Locale {
    /// The tag in its canonical letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language without script and region: `de` of `de-AT`.
    #[must_use]
    pub fn language(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }
}

impl FromStr for Locale {
    type Err = LocaleError;

    fn from_str(text: &str) -> Result<Self, LocaleError> {
        let mut parts = text.split('-').peekable();
        let language = parts.next().filter(|part| is_letters(part, 2..=3)).ok_or(LocaleError)?;
        let mut tag = language.to_ascii_lowercase();
        if let Some(script) = parts.next_if(|part| is_letters(part, 4..=4)) {
            let (first, rest) = script.split_at(1);
            tag = format!("{tag}-{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase());
        }
        if let Some(region) = parts.next_if(|part| is_letters(part, 2..=2) || is_area(part)) {
            tag = format!("{tag}-{}", region.to_ascii_uppercase());
        }
        parts.next().map_or(Ok(Self(tag)), |_| Err(LocaleError))
    }
}

fn is_letters(part: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_area(part: &str) -> bool {
    part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

validated_text!(Locale, "Locale", |object| object.description(Some("Language tag (BCP 47).")).examples([serde_json::json!("en-GB")]));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_take_their_canonical_letters() {
        assert_eq!("DE-at".parse::<Locale>().map(|l| l.to_string()), Ok("de-AT".to_owned()));
        assert_eq!("zh-hant-tw".parse::<Locale>().map(|l| l.to_string()), Ok("zh-Hant-TW".to_owned()));
        assert_eq!("es-419".parse::<Locale>().map(|l| l.language().to_owned()), Ok("es".to_owned()));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for text in ["", "d", "de-", "de_AT", "english-language", "de-AT-x", "dé"] {
            assert_eq!(text.parse::<Locale>(), Err(LocaleError), "{text}");
        }
    }
}
