use catalog_api::{FacetQuery, OptionFilter, ProductQuery, ProductSort};
use kernel::Currency;

use super::SORTS;
use crate::fields::Fields;

/// What stands before the name of an option in the field of its value.
pub(crate) const OPTION: &str = "option.";
/// How many values of options an address may choose for its page to be kept: more, or a price, is one of too many.
const KEPT_VALUES: usize = 3;

/// What an address asks of a list. There is one spelling for each question, which [`Question::pairs`] writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) in_stock: bool,
    pub(crate) reduced: bool,
    pub(crate) lowest: Option<Price>,
    pub(crate) highest: Option<Price>,
    pub(crate) options: OptionFilter,
    pub(crate) sort: ProductSort,
    pub(crate) place: Place,
}

/// Which part of the list is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Place {
    #[default]
    Start,
    /// After this cursor.
    After(String),
    /// Before this cursor.
    Before(String),
}

/// A price as it is typed, in whole units: `12`, `12.5`. Without its currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Price(String);

impl Question {
    /// Reads the fields of an address. What makes no sense asks for nothing.
    pub(crate) fn of(fields: &Fields) -> Self {
        let is_ticked = |name: &str| matches!(fields.text(name), "1" | "true" | "on");
        let price = |name: &str| Price::read(fields.text(name));
        let pairs: Vec<(String, String)> = fields.below(OPTION).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self {
            in_stock: is_ticked("in_stock"),
            reduced: is_ticked("reduced"),
            lowest: price("min").filter(|price| price.0 != "0"),
            highest: price("max"),
            options: OptionFilter::of(pairs).unwrap_or_default(),
            sort: SORTS.into_iter().find(|(_, code, _)| fields.get("sort") == Some(*code)).map_or(ProductSort::Featured, |(sort, ..)| sort),
            place: Place::of(fields),
        }
    }

    /// The fields of the filter: which products are listed.
    pub(crate) fn filter_pairs(&self) -> Vec<(String, String)> {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let ticks = [("in_stock", self.in_stock), ("reduced", self.reduced)];
        let mut pairs: Vec<_> = ticks.into_iter().filter(|(_, is_ticked)| *is_ticked).map(|(name, _)| pair(name, "1")).collect();
        let prices = [("min", &self.lowest), ("max", &self.highest)];
        pairs.extend(prices.into_iter().filter_map(|(name, price)| Some(pair(name, &price.as_ref()?.0))));
        pairs.extend(self.options.pairs().map(|(name, value)| (format!("{OPTION}{name}"), value.to_owned())));
        pairs
    }

    /// Every field, in one order; what asks for nothing is left out.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = self.filter_pairs();
        pairs.extend(self.special_sort().map(|code| ("sort".to_owned(), code.to_owned())));
        match &self.place {
            Place::Start => {}
            Place::After(cursor) => pairs.push(("after".to_owned(), cursor.clone())),
            Place::Before(cursor) => pairs.push(("before".to_owned(), cursor.clone())),
        }
        pairs
    }

    /// The question as the query of an address.
    pub(crate) fn query(&self) -> String {
        serde_urlencoded::to_string(self.pairs()).unwrap_or_default()
    }

    /// The address of the list at `path` that answers it.
    pub(crate) fn address(&self, path: &str) -> String {
        let query = self.query();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// The code of the order, if it is not the usual one.
    pub(crate) fn special_sort(&self) -> Option<&'static str> {
        SORTS.into_iter().find(|(known, ..)| *known == self.sort && *known != ProductSort::Featured).map(|(_, code, _)| code)
    }

    /// Whether it narrows the list.
    pub(crate) fn is_filtered(&self) -> bool {
        self.in_stock || self.reduced || self.lowest.is_some() || self.highest.is_some() || !self.options.is_empty()
    }

    /// Whether it is one of so many that its page is not worth being kept.
    pub(crate) fn is_rare(&self) -> bool {
        self.lowest.is_some() || self.highest.is_some() || self.options.len() > KEPT_VALUES
    }

    /// The same of the whole list, from its start.
    pub(crate) fn unfiltered(&self) -> Self {
        Self { sort: self.sort, ..Self::default() }
    }

    /// Nothing but the part of the list.
    pub(crate) fn part_only(&self) -> Self {
        Self { place: self.place.clone(), ..Self::default() }
    }

    /// The same from the list's start.
    pub(crate) fn at_start(&self) -> Self {
        Self { place: Place::Start, ..self.clone() }
    }

    /// The same without a value of an option.
    pub(crate) fn without_value(&self, name: &str, value: &str) -> Self {
        let rest = self.options.pairs().filter(|pair| *pair != (name, value)).map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { options: OptionFilter::of(rest).unwrap_or_default(), ..self.at_start() }
    }

    /// The range of prices. One that was typed the wrong way round is meant the right way, and stays in its fields as it was typed.
    pub(crate) fn range(&self) -> (Option<&Price>, Option<&Price>) {
        let (lowest, highest) = (self.lowest.as_ref(), self.highest.as_ref());
        let is_turned = lowest.zip(highest).is_some_and(|(lowest, highest)| lowest.thousandths() > highest.thousandths());
        if is_turned { (highest, lowest) } else { (lowest, highest) }
    }

    /// What the API is asked for a page of the list.
    pub(crate) fn product_query(&self, category: Option<String>, currency: Currency, limit: u32) -> ProductQuery {
        let FacetQuery { category, in_stock, reduced, price_min, price_max, options } = self.facet_query(category, currency);
        let (after, before) = match &self.place {
            Place::Start => (None, None),
            Place::After(cursor) => (Some(cursor.clone()), None),
            Place::Before(cursor) => (None, Some(cursor.clone())),
        };
        ProductQuery { category, in_stock, reduced, price_min, price_max, options, sort: Some(self.sort), limit: Some(limit), after, before }
    }

    /// What the API is asked for the counts.
    pub(crate) fn facet_query(&self, category: Option<String>, currency: Currency) -> FacetQuery {
        let (lowest, highest) = self.range();
        FacetQuery {
            category,
            in_stock: self.in_stock.then_some(true),
            reduced: self.reduced.then_some(true),
            price_min: lowest.and_then(|price| price.minor(currency)),
            price_max: highest.and_then(|price| price.minor(currency)),
            options: Some(self.options.clone()).filter(|options| !options.is_empty()),
        }
    }
}

impl Place {
    fn of(fields: &Fields) -> Self {
        let is_cursor = |text: &&str| (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let cursor = |name: &str| fields.get(name).filter(is_cursor).map(ToOwned::to_owned);
        match (cursor("after"), cursor("before")) {
            (Some(after), _) => Self::After(after),
            (None, Some(before)) => Self::Before(before),
            (None, None) => Self::Start,
        }
    }
}

impl Price {
    /// Reads a price that was typed: digits, and a comma or a point before the part of a unit.
    fn read(text: &str) -> Option<Self> {
        let text = text.replace(',', ".");
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if text.is_empty() || text == "." || whole.len() > 9 || part.len() > 3 || !is_digits(whole) || !is_digits(part) {
            return None;
        }
        let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
        let whole = if whole.is_empty() { "0" } else { whole };
        Some(Self(if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }))
    }

    /// The price as it stands in an address and in its field.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The price in minor units; what is smaller than one of them is left out.
    pub(crate) fn minor(&self, currency: Currency) -> Option<i64> {
        let (whole, part) = self.0.split_once('.').unwrap_or((&self.0, ""));
        let places = usize::try_from(currency.exponent()).ok()?;
        let part: String = part.chars().chain(std::iter::repeat('0')).take(places).collect();
        format!("{whole}{part}").parse().ok()
    }

    fn thousandths(&self) -> u64 {
        let (whole, part) = self.0.split_once('.').unwrap_or((&self.0, ""));
        format!("{whole}{part:0<3}").parse().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn question(query: &str) -> Question {
        let fields: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
        Question::of(&fields.into_iter().collect())
    }

    #[test]
    fn one_question_has_one_spelling() {
        for (asked, spelt) in [
            ("", ""),
            ("utm_source=mail&sort=featured&sort=title&min=&max=&min=0&in_stock=no&page=2", ""),
            ("sort=title&reduced=1&in_stock=on", "in_stock=1&reduced=1&sort=title"),
            ("option.Size=M&option.Glaze=Sea&option.Glaze=Rust&option.Glaze=Sea", "option.Glaze=Rust&option.Glaze=Sea&option.Size=M"),
            ("max=90%2C50&min=010.00", "min=10&max=90.5"),
            ("max=10&min=90", "min=90&max=10"),
            ("before=abc&after=x-_1", "after=x-_1"),
            ("before=abc&sort=newest", "sort=newest&before=abc"),
            ("after=a%20b&before=&min=ten&max=1e9&option.=x&option.A=%00", ""),
        ] {
            assert_eq!(question(asked).query(), spelt, "{asked}");
            assert_eq!(question(spelt), question(asked), "{asked}");
        }
    }

    #[test]
    fn a_range_is_asked_for_the_right_way_round() {
        let asked = |query: &str| {
            let query = question(query).facet_query(None, Currency::EUR);
            (query.price_min, query.price_max)
        };
        assert_eq!(asked("min=90&max=10"), (Some(1_000), Some(9_000)));
        assert_eq!(asked("min=9.99&max=10"), (Some(999), Some(1_000)));
        assert_eq!(asked("max=10"), (None, Some(1_000)));
    }

    #[test]
    fn a_price_is_read_in_the_units_of_the_currency() {
        let minor = |text: &str, currency: &str| question(&format!("max={text}")).highest.and_then(|price| price.minor(currency.parse().unwrap()));
        assert_eq!([minor("12", "EUR"), minor("12.5", "EUR"), minor("12,345", "EUR")], [Some(1_200), Some(1_250), Some(1_234)]);
        assert_eq!([minor("12.5", "JPY"), minor("0.005", "KWD"), minor(".5", "EUR")], [Some(12), Some(5), Some(50)]);
        for text in ["", ".", "-1", "1234567890", "1.2345", "1.000,50", "%E2%82%AC12"] {
            assert_eq!(minor(text, "EUR"), None, "{text}");
        }
    }

    #[test]
    fn pages_of_a_few_values_are_kept_and_those_of_many_or_of_a_price_are_not() {
        for query in ["", "in_stock=1&reduced=1&sort=title&after=x", "option.A=1&option.A=2&option.B=3"] {
            assert!(!question(query).is_rare(), "{query}");
        }
        for query in ["min=1", "max=1", "option.A=1&option.A=2&option.B=3&option.B=4"] {
            assert!(question(query).is_rare(), "{query}");
        }
    }

    #[test]
    fn what_is_taken_away_leaves_the_rest_and_begins_at_the_start() {
        let question = question("option.A=1&option.A=2&in_stock=1&sort=title&after=x");
        assert_eq!(question.without_value("A", "2").query(), "in_stock=1&option.A=1&sort=title");
        assert_eq!(question.unfiltered().query(), "sort=title");
    }
}
