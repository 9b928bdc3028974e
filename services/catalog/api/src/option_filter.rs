use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which values of which options are looked for: of each option any one of its values, of all options at once.
///
/// It is written `Glaze:Rust,Glaze:Sea,Size:M`. A `,`, a `:` or a `\` that belongs to a name or a value has a `\` before it. The order does
/// not matter; there is one spelling for each meaning, which is what [`fmt::Display`] writes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OptionFilter(BTreeMap<String, BTreeSet<String>>);

/// The text is no filter of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidOptionFilter;

impl OptionFilter {
    /// How many values can be looked for at once.
    pub const MOST_VALUES: usize = 20;

    /// A filter of pairs of option and value.
    ///
    /// # Errors
    /// There are more than [`Self::MOST_VALUES`], or one is no name or value that a product can have.
    pub fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, InvalidOptionFilter> {
        let mut options: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, value) in pairs {
            if !is_text(&name, 60) || !is_text(&value, 100) {
                return Err(InvalidOptionFilter);
            }
            options.entry(name).or_default().insert(value);
        }
        let filter = Self(options);
        if filter.len() > Self::MOST_VALUES { Err(InvalidOptionFilter) } else { Ok(filter) }
    }

    /// Whether nothing is looked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many values are looked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// Each option with its values.
    pub fn options(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.0.iter().map(|(name, values)| (name.as_str(), values))
    }

    /// Each option with each of its values.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(name, values)| values.iter().map(|value| (name.as_str(), value.as_str())))
    }

    /// Whether this value is looked for.
    #[must_use]
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.0.get(name).is_some_and(|values| values.contains(value))
    }
}

/// What the rules of products allow as the name of an option, or as a value.
fn is_text(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= longest && !text.chars().any(char::is_control)
}

impl fmt::Display for OptionFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.pairs().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}:{}", escape(name), escape(value))?;
        }
        Ok(())
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace(',', "\\,").replace(':', "\\:")
}

impl FromStr for OptionFilter {
    type Err = InvalidOptionFilter;

    fn from_str(text: &str) -> Result<Self, InvalidOptionFilter> {
        let mut pairs = Vec::new();
        if !text.is_empty() {
            let mut name: Option<String> = None;
            let mut part = String::new();
            let mut letters = text.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '\\' => part.push(letters.next().ok_or(InvalidOptionFilter)?),
                    ':' if name.is_none() => name = Some(std::mem::take(&mut part)),
                    ':' => return Err(InvalidOptionFilter),
                    ',' => pairs.push((name.take().ok_or(InvalidOptionFilter)?, std::mem::take(&mut part))),
                    other => part.push(other),
                }
            }
            pairs.push((name.ok_or(InvalidOptionFilter)?, part));
        }
        Self::of(pairs)
    }
}

impl fmt::Display for InvalidOptionFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be options with values, such as Glaze:Sea,Glaze:Rust,Size:M, and 20 values at most")
    }
}

impl std::error::Error for InvalidOptionFilter {}

impl TryFrom<String> for OptionFilter {
    type Error = InvalidOptionFilter;

    fn try_from(text: String) -> Result<Self, InvalidOptionFilter> {
        text.parse()
    }
}

impl From<OptionFilter> for String {
    fn from(filter: OptionFilter) -> Self {
        filter.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> OptionFilter {
        OptionFilter::of(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).unwrap()
    }

    #[test]
    fn one_meaning_has_one_spelling() {
        for text in ["Size:M,Glaze:Sea,Glaze:Rust", "Glaze:Rust,Glaze:Sea,Size:M,Glaze:Sea"] {
            assert_eq!(text.parse::<OptionFilter>().unwrap().to_string(), "Glaze:Rust,Glaze:Sea,Size:M");
        }
        assert_eq!("".parse::<OptionFilter>().unwrap(), OptionFilter::default());
    }

    #[test]
    fn marks_in_names_and_values_are_kept_apart_from_those_between_them() {
        let filter = of(&[("Width:\\ cm", "1,5"), ("A", ":"), ("A", "\\")]);
        assert_eq!(filter.to_string().parse::<OptionFilter>(), Ok(filter));
    }

    #[test]
    fn what_no_product_can_have_is_refused() {
        let many: Vec<String> = (0..21).map(|number| format!("Size:{number}")).collect();
        for text in ["Glaze", "Glaze:", ":Sea", "Glaze:Sea,", ",", "A:B:C", "A:B\\", "A:\u{0}", " :B", &many.join(","), &format!("A:{}", "b".repeat(101))] {
            assert!(text.parse::<OptionFilter>().is_err(), "{text}");
        }
        assert_eq!(many.get(..20).unwrap().join(",").parse::<OptionFilter>().unwrap().len(), 20);
    }
}
