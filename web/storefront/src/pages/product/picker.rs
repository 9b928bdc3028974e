//! Choosing a variant by its option values, with what cannot be had staying in view.

use std::collections::BTreeMap;

use catalog_api::{MediaReference, OptionValue, ProductAnswer, ProductOption, StockBand, VariantAnswer};
use serde::Serialize;

use crate::messages::Tongue;
use crate::view::PictureView;

/// The option values that are chosen on a page, one for each option.
pub(super) struct Selection<'product> {
    product: &'product ProductAnswer,
    values: BTreeMap<&'product str, &'product str>,
    /// The variant whose price and stock stand in when the chosen combination is not made.
    nearest: Option<&'product VariantAnswer>,
}

/// An option with its values.
#[derive(Debug, Serialize)]
pub(crate) struct OptionView {
    pub(crate) name: String,
    /// The name of its field.
    pub(crate) field: String,
    pub(crate) chosen: String,
    /// Whether its values are shown as pictures.
    pub(crate) is_pictured: bool,
    pub(crate) values: Vec<ValueView>,
}

/// A value one can choose.
#[derive(Debug, Serialize)]
pub(crate) struct ValueView {
    pub(crate) id: String,
    pub(crate) value: String,
    pub(crate) is_chosen: bool,
    /// Whether it cannot be had together with the other chosen values.
    pub(crate) is_out: bool,
    /// Whether it cannot be had at all.
    pub(crate) is_disabled: bool,
    /// Why it cannot be had, or what it costs where that differs.
    pub(crate) remark: Option<String>,
    /// The same in two words, for where there is little room; nothing if it is short anyway.
    pub(crate) brief: Option<String>,
    pub(crate) picture: Option<PictureView>,
    pub(crate) colour: Option<String>,
}

impl<'product> Selection<'product> {
    /// Chooses what is wanted; the rest as in the variant that is nearest to it, one that can be had before one that cannot.
    pub(super) fn of(product: &'product ProductAnswer, wanted: &BTreeMap<String, String>) -> Self {
        let known = |option: &'product ProductOption| {
            let value = wanted.get(&option.name)?;
            option.values.iter().find(|known| known.value == *value).map(|known| (option.name.as_str(), known.value.as_str()))
        };
        let wanted: BTreeMap<&str, &str> = product.options.iter().filter_map(known).collect();
        let nearness = |variant: &VariantAnswer| {
            let agreeing = wanted.iter().filter(|(name, value)| has(variant, name, value)).count();
            (agreeing, variant.stock != StockBand::Out)
        };
        // Of equally near ones the first, so that the merchant's order decides.
        let nearest = product.variants.iter().rev().max_by_key(|variant| nearness(variant));
        let rest = nearest.into_iter().flat_map(|variant| &variant.options).map(|(name, value)| (name.as_str(), value.as_str()));
        let values = rest.chain(wanted.iter().map(|(name, value)| (*name, *value))).collect();
        Self { product, values, nearest }
    }

    /// The chosen variant, if this combination is made.
    pub(super) fn variant(&self) -> Option<&'product VariantAnswer> {
        self.find(&self.values)
    }

    /// The variant whose price is shown.
    pub(super) fn shown(&self) -> Option<&'product VariantAnswer> {
        self.variant().or(self.nearest)
    }

    /// The product's pictures: those of the choice first, then those of no choice in particular, then the rest.
    pub(super) fn pictures(&self) -> Vec<PictureView> {
        let rank = |media: &&MediaReference| match &media.option_value {
            Some(value) if self.values.values().any(|chosen| chosen == value) => 0,
            None => 1,
            Some(_) => 2,
        };
        let mut media: Vec<&MediaReference> = self.product.media.iter().collect();
        // Without pictures of the choice the main one stays in front: sorting keeps the order of equals.
        media.sort_by_key(rank);
        media.into_iter().map(PictureView::of).collect()
    }

    pub(super) fn options(&self, tongue: &Tongue) -> Vec<OptionView> {
        self.product.options.iter().enumerate().map(|(index, option)| self.option(index, option, tongue)).collect()
    }

    fn option(&self, index: usize, option: &'product ProductOption, tongue: &Tongue) -> OptionView {
        let is_pictured = option.values.iter().any(|value| self.picture_of(value).is_some());
        let views = option.values.iter().enumerate().map(|(place, value)| self.value(option, value, format!("option-{index}-{place}"), tongue));
        OptionView {
            name: option.name.clone(),
            field: format!("option.{}", option.name),
            chosen: self.values.get(option.name.as_str()).copied().unwrap_or_default().to_owned(),
            is_pictured,
            values: views.collect(),
        }
    }

    fn value(&self, option: &'product ProductOption, value: &'product OptionValue, id: String, tongue: &Tongue) -> ValueView {
        let name = option.name.as_str();
        let mut with = self.values.clone();
        with.insert(name, &value.value);
        let variant = self.find(&with);
        let is_out = variant.is_none_or(|variant| variant.stock == StockBand::Out);
        let has_value = |variant: &&VariantAnswer| has(variant, name, &value.value);
        let is_disabled = self.product.variants.iter().filter(has_value).all(|variant| variant.stock == StockBand::Out);
        let others = || self.values.iter().filter(|(other, _)| **other != name).map(|(_, value)| *value).collect::<Vec<_>>().join(", ");
        let remark = match variant {
            _ if is_disabled => Some(tongue.text("sold-out")),
            None => Some(tongue.with("not-made-in", [("others", others().into())])),
            Some(_) if is_out => Some(tongue.with("sold-out-in", [("others", others().into())])),
            Some(variant) => Some(variant.price).filter(|price| self.shown().is_some_and(|shown| shown.price != *price)).map(|price| tongue.money(price)),
        };
        let brief = match variant {
            _ if is_disabled => None,
            None => Some(tongue.text("not-made-brief")),
            Some(_) if is_out => Some(tongue.text("sold-out")),
            Some(_) => None,
        };
        ValueView {
            id,
            value: value.value.clone(),
            is_chosen: self.values.get(name) == Some(&value.value.as_str()),
            is_out,
            is_disabled,
            remark,
            brief,
            picture: self.picture_of(value).or_else(|| self.product.media.first()).map(PictureView::of),
            colour: value.swatch.clone(),
        }
    }

    fn picture_of(&self, value: &OptionValue) -> Option<&'product MediaReference> {
        self.product.media.iter().find(|media| media.option_value.as_ref() == Some(&value.value))
    }

    fn find(&self, values: &BTreeMap<&str, &str>) -> Option<&'product VariantAnswer> {
        self.product
            .variants
            .iter()
            .find(|variant| self.product.options.iter().all(|option| values.get(option.name.as_str()).is_some_and(|value| has(variant, &option.name, value))))
    }
}

fn has(variant: &VariantAnswer, name: &str, value: &str) -> bool {
    variant.options.get(name).is_some_and(|known| known == value)
}
