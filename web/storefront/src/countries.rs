use kernel::Country;

/// A code and the English name on each line (Unicode CLDR).
const ENGLISH: &str = include_str!("../messages/countries-en.txt");
/// The same in German.
const GERMAN: &str = include_str!("../messages/countries-de.txt");

/// The name of a country in a language we have messages in.
pub(crate) fn name(country: Country, language: &str) -> &'static str {
    let names = if language == "de" { GERMAN } else { ENGLISH };
    names.lines().filter_map(|line| line.split_once(' ')).find(|(code, _)| *code == country.code()).map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_a_name_in_every_language() {
        for country in Country::all() {
            for language in ["en", "de"] {
                assert!(!name(country, language).is_empty(), "{country} {language}");
            }
        }
    }
}
