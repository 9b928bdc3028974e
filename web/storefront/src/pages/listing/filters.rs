//! What a list can be narrowed by, as the page shows it: groups of boxes to tick, a range of prices, and what is chosen already.

use catalog_api::{OptionFacet, ProductFacets};
use kernel::{Currency, Money};
use serde::Serialize;

use super::question::{OPTION, Question};
use crate::messages::Tongue;

/// How many values of an option are in sight at once.
const IN_SIGHT: usize = 8;
/// How many options stand open; those one has chosen from are open, too.
const OPEN: usize = 3;

/// The filter.
#[derive(Debug, Serialize)]
pub(crate) struct FilterView {
    pub(crate) options: Vec<GroupView>,
    pub(crate) range: Option<RangeView>,
    pub(crate) availability: Vec<ChoiceView>,
    /// How many values are chosen.
    pub(crate) active: usize,
    /// What is chosen, each with the way back.
    pub(crate) chips: Vec<ChipView>,
    /// The list without any of it.
    pub(crate) clear: String,
    /// What else the address holds, to be sent along when the order is changed.
    pub(crate) kept: Vec<FieldView>,
}

/// An option with its values.
#[derive(Debug, Serialize)]
pub(crate) struct GroupView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) is_open: bool,
    pub(crate) values: Vec<ChoiceView>,
    /// Those that are shown when one asks for more.
    pub(crate) more: Vec<ChoiceView>,
}

/// A box to tick.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ChoiceView {
    pub(crate) id: String,
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) text: String,
    pub(crate) swatch: Option<String>,
    /// How many products it would leave, if they are counted.
    pub(crate) count: Option<i64>,
    pub(crate) is_chosen: bool,
}

/// The two fields of a range of prices.
#[derive(Debug, Serialize)]
pub(crate) struct RangeView {
    pub(crate) symbol: String,
    pub(crate) lowest: String,
    pub(crate) highest: String,
    /// What it can be at least and at most.
    pub(crate) lowest_hint: String,
    pub(crate) highest_hint: String,
}

/// Something that is chosen.
#[derive(Debug, Serialize)]
pub(crate) struct ChipView {
    pub(crate) text: String,
    pub(crate) swatch: Option<String>,
    /// The list without it.
    pub(crate) href: String,
}

/// A field of a form that is not shown.
#[derive(Debug, Serialize)]
pub(crate) struct FieldView {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FilterView {
    /// `whole` says what the list could be narrowed by at all.
    pub(crate) fn of(question: &Question, facets: &ProductFacets, path: &str, currency: Currency, tongue: &Tongue) -> Self {
        let chips = chips(question, facets, path, currency, tongue);
        Self {
            options: groups(question, facets),
            range: range(question, facets, currency, tongue),
            availability: availability(question, facets, tongue),
            active: chips.len(),
            clear: question.unfiltered().address(path),
            kept: question.filter_pairs().into_iter().map(|(name, value)| FieldView { name, value }).collect(),
            chips,
        }
    }

    /// Whether there is anything to choose.
    pub(crate) fn is_of_use(&self) -> bool {
        self.active > 0 || !self.options.is_empty() || self.range.is_some() || !self.availability.is_empty()
    }
}

fn groups(question: &Question, facets: &ProductFacets) -> Vec<GroupView> {
    let count = |count| Some(count).filter(|_| !facets.is_partial);
    // What is chosen stays in sight also where nothing is left of it.
    let mut options = facets.options.clone();
    for (name, _) in question.options.options().filter(|(name, _)| facets.options.iter().all(|known| known.name != *name)) {
        options.push(OptionFacet { name: name.to_owned(), values: Vec::new() });
    }
    // A single value leaves nothing to choose.
    let is_chosen_from = |option: &OptionFacet| question.options.options().any(|(name, _)| name == option.name);
    options.retain(|option| option.values.len() > 1 || is_chosen_from(option));

    let views = options.iter().enumerate().map(|(index, option)| {
        let view = |place: usize, value: &str, swatch: Option<&String>, products: i64| ChoiceView {
            id: format!("f{index}-{place}"),
            field: format!("{OPTION}{}", option.name),
            value: value.to_owned(),
            text: value.to_owned(),
            swatch: swatch.cloned(),
            count: count(products),
            is_chosen: question.options.has(&option.name, value),
        };
        let mut values: Vec<ChoiceView> =
            option.values.iter().enumerate().map(|(place, known)| view(place, &known.value, known.swatch.as_ref(), known.count)).collect();
        let gone = question.options.pairs().filter(|(name, value)| *name == option.name && option.values.iter().all(|known| known.value != *value));
        let gone: Vec<ChoiceView> = gone.enumerate().map(|(place, (_, value))| view(option.values.len() + place, value, None, 0)).collect();
        values.extend(gone);
        let hidden = values.split_off(values.len().min(IN_SIGHT));
        // Whatever is chosen is in sight.
        let (chosen, more): (Vec<_>, Vec<_>) = hidden.into_iter().partition(|choice| choice.is_chosen);
        values.extend(chosen);
        GroupView { id: format!("f{index}"), name: option.name.clone(), is_open: index < OPEN || is_chosen_from(option), values, more }
    });
    views.collect()
}

fn range(question: &Question, facets: &ProductFacets, currency: Currency, tongue: &Tongue) -> Option<RangeView> {
    let typed = |price: &Option<super::question::Price>| price.as_ref().map(|price| price.as_str().to_owned()).unwrap_or_default();
    let is_active = question.lowest.is_some() || question.highest.is_some();
    let prices = facets.prices.filter(|prices| prices.lowest != prices.highest);
    if prices.is_none() && !is_active {
        return None;
    }
    let hint = |price: Option<Money>| price.map(|price| tongue.money_short(price)).unwrap_or_default();
    Some(RangeView {
        symbol: currency.to_string(),
        lowest: typed(&question.lowest),
        highest: typed(&question.highest),
        lowest_hint: hint(prices.map(|prices| prices.lowest)),
        highest_hint: hint(prices.map(|prices| prices.highest)),
    })
}

fn availability(question: &Question, facets: &ProductFacets, tongue: &Tongue) -> Vec<ChoiceView> {
    let choice = |field: &str, text: &str, products: i64, is_chosen| ChoiceView {
        id: format!("f-{field}"),
        field: field.to_owned(),
        value: "1".to_owned(),
        text: tongue.text(text),
        swatch: None,
        count: Some(products).filter(|_| !facets.is_partial),
        is_chosen,
    };
    let mut choices = Vec::new();
    if question.in_stock || (facets.in_stock > 0 && facets.in_stock < facets.total) {
        choices.push(choice("in_stock", "filter-in-stock", facets.in_stock, question.in_stock));
    }
    if question.reduced || facets.reduced > 0 {
        choices.push(choice("reduced", "filter-reduced", facets.reduced, question.reduced));
    }
    choices
}

fn chips(question: &Question, facets: &ProductFacets, path: &str, currency: Currency, tongue: &Tongue) -> Vec<ChipView> {
    let mut chips = Vec::new();
    let mut chip = |text: String, swatch: Option<String>, without: &Question| chips.push(ChipView { text, swatch, href: without.address(path) });
    if question.in_stock {
        chip(tongue.text("filter-in-stock"), None, &Question { in_stock: false, ..question.at_start() });
    }
    if question.reduced {
        chip(tongue.text("filter-reduced"), None, &Question { reduced: false, ..question.at_start() });
    }
    if question.lowest.is_some() || question.highest.is_some() {
        let without = Question { lowest: None, highest: None, ..question.at_start() };
        let written = |price: &super::question::Price| tongue.money_short(Money::new(price.minor(currency).unwrap_or(0), currency)).into();
        let text = match question.range() {
            (Some(lowest), Some(highest)) => tongue.with("filter-between", [("lowest", written(lowest)), ("highest", written(highest))]),
            (Some(lowest), None) => tongue.with("filter-at-least", [("lowest", written(lowest))]),
            (None, Some(highest)) => tongue.with("filter-at-most", [("highest", written(highest))]),
            (None, None) => String::new(),
        };
        chip(text, None, &without);
    }
    for (name, value) in question.options.pairs() {
        let known = facets.options.iter().find(|option| option.name == name).and_then(|option| option.values.iter().find(|known| known.value == value));
        chip(value.to_owned(), known.and_then(|known| known.swatch.clone()), &question.without_value(name, value));
    }
    chips
}
