use kernel::Country;

/// A code and the English name on each line (Unicode CLDR).
const NAMES: &str = include_str!("countries.txt");

/// The English name of a country.
pub(crate) fn name(country: Country) -> &'static str {
    NAMES.lines().filter_map(|line| line.split_once(' ')).find(|(code, _)| *code == country.code()).map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_a_name() {
        for country in Country::all() {
            assert!(!name(country).is_empty(), "{country}");
        }
    }
}
