use std::fmt;
use std::str::FromStr;

use crate::validated_text;

/// A country by its ISO 3166-1 alpha-2 code, such as `AT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

/// The text is no ISO 3166-1 alpha-2 code.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a country code of two capital letters (ISO 3166-1), such as AT")]
pub struct CountryError;

/// The officially assigned codes of ISO 3166-1, in order.
const CODES: &str = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW";

impl Country {
    /// Every country there is, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        CODES.as_bytes().as_chunks().0.iter().map(|code| Self(*code))
    }

    /// The two capital letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Country {
    type Err = CountryError;

    fn from_str(text: &str) -> Result<Self, CountryError> {
        Self::all().find(|country| country.code() == text).ok_or(CountryError)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

validated_text!(Country, "Country", |object| object
    .pattern(Some("^[A-Z]{2}$"))
    .description(Some("ISO 3166-1 alpha-2 country code."))
    .examples([serde_json::json!("AT")]));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_249_countries_in_order() {
        let all: Vec<_> = Country::all().collect();
        assert_eq!(all.len(), 249);
        assert!(all.is_sorted());
    }

    #[test]
    fn small_letters_and_unknown_codes_are_refused() {
        assert_eq!("at".parse::<Country>(), Err(CountryError));
        assert_eq!("XX".parse::<Country>(), Err(CountryError));
        assert_eq!("DA".parse::<Country>(), Err(CountryError));
        assert_eq!("AT".parse::<Country>().map(|c| c.to_string()), Ok("AT".to_owned()));
    }
}
