//! What makes a new product whole: every variant names exactly one value of every option, and no two variants are alike.

use std::collections::HashSet;
use std::hash::Hash;

use catalog_api::{MediaReference, PriceDraft, ProductDraft, ProductOption, VariantDraft};

/// Something in a body that a person can mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// Where (a JSON pointer).
    pub(crate) pointer: String,
    /// The stable name of what is wrong.
    pub(crate) code: &'static str,
    /// What would be right.
    pub(crate) detail: String,
}

/// How many flaws are told at once: enough to mend by, not a megabyte of them.
const MOST_FLAWS: usize = 50;

fn flaw(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Flaw {
    Flaw { pointer: pointer.into(), code, detail: detail.into() }
}

/// Everything that is wrong with a new product beyond the shape of its fields, [`MOST_FLAWS`] at most.
#[must_use]
pub(crate) fn check_product(draft: &ProductDraft) -> Vec<Flaw> {
    let options = check_options(&draft.options);
    let variants = draft.variants.iter().enumerate().flat_map(|(index, variant)| check_variant(index, variant, &draft.options));
    let alike = repeated(draft.variants.iter().map(|variant| &variant.options))
        .map(|index| flaw(format!("/variants/{index}/options"), "duplicate_combination", "an earlier variant has the same option values"));
    let skus = repeated(draft.variants.iter().map(|variant| variant.sku.to_lowercase()))
        .map(|index| flaw(format!("/variants/{index}/sku"), "duplicate_sku", "an earlier variant has the same SKU"));
    let media = check_media(&draft.options, &draft.media);
    options.into_iter().chain(variants).chain(alike).chain(skus).chain(media).take(MOST_FLAWS).collect()
}

/// What is wrong with the prices of one variant, below `pointer`: a currency twice, or a compare-at price that is no reduction.
#[must_use]
pub(crate) fn check_prices(pointer: &str, prices: &[PriceDraft]) -> Vec<Flaw> {
    let twice = repeated(prices.iter().map(|price| price.price.currency()))
        .map(|index| flaw(format!("{pointer}/{index}/price/currency"), "duplicate_currency", "an earlier price is in the same currency"));
    let compared = prices.iter().enumerate().filter_map(|(index, price)| {
        let compare_at = price.compare_at?;
        let pointer = format!("{pointer}/{index}/compare_at");
        if compare_at.currency() != price.price.currency() {
            return Some(flaw(format!("{pointer}/currency"), "currency_mismatch", "must be in the currency of the price"));
        }
        let is_reduction = compare_at.amount_minor() > price.price.amount_minor();
        (!is_reduction).then(|| flaw(format!("{pointer}/amount"), "not_above_price", "must be above the price"))
    });
    twice.chain(compared).collect()
}

fn check_options(options: &[ProductOption]) -> Vec<Flaw> {
    let names = repeated(options.iter().map(|option| &option.name))
        .map(|index| flaw(format!("/options/{index}/name"), "duplicate_option", "an earlier option has the same name"));
    let values = options.iter().enumerate().flat_map(|(option, found)| {
        repeated(found.values.iter().map(|value| &value.value))
            .map(move |index| flaw(format!("/options/{option}/values/{index}/value"), "duplicate_option_value", "the option has this value already"))
    });
    names.chain(values).collect()
}

fn check_variant(index: usize, variant: &VariantDraft, options: &[ProductOption]) -> Vec<Flaw> {
    let pointer = format!("/variants/{index}/options");
    let chosen = options.iter().filter_map(|option| {
        let Some(value) = variant.options.get(&option.name) else {
            return Some(flaw(&pointer, "option_missing", format!("must name a value of {}", option.name)));
        };
        let is_known = option.values.iter().any(|known| known.value == *value);
        (!is_known).then(|| flaw(below(&pointer, &option.name), "option_value_unknown", format!("must be one of the values of {}", option.name)))
    });
    let unknown = variant
        .options
        .keys()
        .filter(|name| !options.iter().any(|option| option.name == **name))
        .map(|name| flaw(below(&pointer, name), "option_unknown", "the product has no such option"));
    chosen.chain(unknown).chain(check_prices(&format!("/variants/{index}/prices"), &variant.prices)).collect()
}

/// What is wrong with the pictures of a product with these options: one shows a value that there is not.
#[must_use]
pub(crate) fn check_media(options: &[ProductOption], media: &[MediaReference]) -> Vec<Flaw> {
    let values: HashSet<&str> = options.iter().flat_map(|option| &option.values).map(|value| value.value.as_str()).collect();
    let shows_unknown = |value: &Option<String>| value.as_deref().is_some_and(|value| !values.contains(value));
    let wrong = media.iter().enumerate().filter(|(_, picture)| shows_unknown(&picture.option_value));
    wrong.map(|(index, _)| flaw(format!("/media/{index}/option_value"), "option_value_unknown", "must be a value of one of the product's options")).collect()
}

/// A JSON pointer to a member (RFC 6901).
fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The places of items that stood earlier already.
fn repeated<T: Eq + Hash>(items: impl Iterator<Item = T>) -> impl Iterator<Item = usize> {
    let mut seen = HashSet::new();
    items.enumerate().filter_map(move |(index, item)| (!seen.insert(item)).then_some(index))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use std::collections::BTreeMap;

    use catalog_api::OptionValue;
    use kernel::{Currency, Money};
    use proptest::prelude::*;

    fn euros(amount_minor: i64) -> PriceDraft {
        PriceDraft { price: Money::new(amount_minor, Currency::EUR), compare_at: None }
    }

    /// A product with every combination of its options' values.
    fn matrix(sizes: &[usize]) -> ProductDraft {
        let options: Vec<ProductOption> = sizes
            .iter()
            .enumerate()
            .map(|(option, count)| ProductOption {
                name: format!("Option {option}"),
                values: (0..*count).map(|value| OptionValue { value: format!("Value {value}"), swatch: None }).collect(),
            })
            .collect();
        let mut combinations = vec![BTreeMap::new()];
        for option in &options {
            combinations = combinations
                .iter()
                .flat_map(|chosen| {
                    option.values.iter().map(|value| {
                        let mut chosen: BTreeMap<String, String> = chosen.clone();
                        chosen.insert(option.name.clone(), value.value.clone());
                        chosen
                    })
                })
                .collect();
        }
        let variants =
            combinations.into_iter().enumerate().map(|(index, options)| VariantDraft { sku: format!("SKU-{index}"), options, prices: vec![euros(1_000)] });
        ProductDraft {
            slug: "thing".to_owned(),
            title: "Thing".to_owned(),
            summary: String::new(),
            description: String::new(),
            facts: Vec::new(),
            category: None,
            variants: variants.collect(),
            options,
            media: Vec::new(),
            published: true,
            channels: Vec::new(),
        }
    }

    fn codes(draft: &ProductDraft) -> Vec<&'static str> {
        check_product(draft).into_iter().map(|flaw| flaw.code).collect()
    }

    fn sizes() -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(1_usize..5, 0..4)
    }

    proptest! {
        #[test]
        fn a_whole_matrix_has_no_flaw(sizes in sizes()) {
            prop_assert_eq!(codes(&matrix(&sizes)), Vec::<&str>::new());
        }

        #[test]
        fn a_part_of_a_matrix_has_no_flaw(sizes in sizes(), keep in prop::collection::vec(any::<bool>(), 64)) {
            let mut draft = matrix(&sizes);
            let mut keep = keep.into_iter();
            draft.variants.retain(|_| keep.next().unwrap_or(true));
            prop_assert_eq!(codes(&draft), Vec::<&str>::new());
        }

        #[test]
        fn a_combination_twice_is_found_wherever_it_stands(sizes in sizes(), from: prop::sample::Index, to: prop::sample::Index) {
            let mut draft = matrix(&sizes);
            let mut twin = draft.variants[from.index(draft.variants.len())].clone();
            twin.sku = "TWIN".to_owned();
            draft.variants.insert(to.index(draft.variants.len() + 1), twin);
            prop_assert_eq!(codes(&draft), ["duplicate_combination"]);
        }

        #[test]
        fn a_variant_without_one_of_the_options_is_found(sizes in prop::collection::vec(1_usize..5, 1..4), variant: prop::sample::Index, option: prop::sample::Index) {
            let mut draft = matrix(&sizes);
            let name = draft.options[option.index(draft.options.len())].name.clone();
            let index = variant.index(draft.variants.len());
            draft.variants[index].options.remove(&name);
            let pointer = format!("/variants/{index}/options");
            let found = check_product(&draft).into_iter().any(|flaw| flaw.code == "option_missing" && flaw.pointer == pointer);
            prop_assert!(found);
        }

        #[test]
        fn a_value_or_an_option_that_is_not_the_products_is_found(sizes in prop::collection::vec(1_usize..5, 1..4), variant: prop::sample::Index, strange in "[a-z/~]{1,9}") {
            let draft = matrix(&sizes);
            let index = variant.index(draft.variants.len());
            let mut other_value = draft.clone();
            other_value.variants[index].options.insert("Option 0".to_owned(), strange.clone());
            prop_assert!(codes(&other_value).contains(&"option_value_unknown"));
            let mut other_option = draft;
            other_option.variants[index].options.insert(strange, "Value 0".to_owned());
            prop_assert!(codes(&other_option).contains(&"option_unknown"));
        }
    }

    #[test]
    fn a_product_without_options_has_one_variant() {
        let mut draft = matrix(&[]);
        assert_eq!(draft.variants.len(), 1);
        draft.variants.push(VariantDraft { sku: "SECOND".to_owned(), ..draft.variants[0].clone() });
        assert_eq!(codes(&draft), ["duplicate_combination"]);
    }

    #[test]
    fn options_values_and_skus_stand_once() {
        let mut draft = matrix(&[2, 2]);
        let value = draft.options[1].values[0].clone();
        draft.options[1].values.push(value);
        draft.variants[3].sku = "sku-0".to_owned();
        assert_eq!(codes(&draft), ["duplicate_option_value", "duplicate_sku"]);
        draft.options[1].name = draft.options[0].name.clone();
        assert_eq!(check_product(&draft)[0], flaw("/options/1/name", "duplicate_option", "an earlier option has the same name"));
    }

    #[test]
    fn a_compare_at_price_is_a_reduction_in_the_same_currency() {
        let with =
            |amount_minor, currency: &str| PriceDraft { compare_at: currency.parse().ok().map(|currency| Money::new(amount_minor, currency)), ..euros(1_000) };
        assert_eq!(check_prices("/prices", &[with(1_001, "EUR")]), []);
        let codes = |price| check_prices("/prices", &[price]).into_iter().map(|flaw| (flaw.pointer, flaw.code)).collect::<Vec<_>>();
        assert_eq!(codes(with(1_000, "EUR")), [("/prices/0/compare_at/amount".to_owned(), "not_above_price")]);
        assert_eq!(codes(with(1_001, "USD")), [("/prices/0/compare_at/currency".to_owned(), "currency_mismatch")]);
        assert_eq!(check_prices("/prices", &[euros(1), euros(2)])[0].pointer, "/prices/1/price/currency");
    }

    #[test]
    fn a_picture_shows_a_value_the_product_has() {
        let mut draft = matrix(&[2]);
        let picture = |value: &str| MediaReference {
            url: "/a.svg".to_owned(),
            alt: String::new(),
            width: 1,
            height: 1,
            option_value: Some(value.to_owned()),
            sources: Vec::new(),
        };
        draft.media = vec![picture("Value 1"), picture("Value 2")];
        assert_eq!(check_product(&draft).into_iter().map(|flaw| flaw.pointer).collect::<Vec<_>>(), ["/media/1/option_value"]);
    }

    #[test]
    fn a_flood_of_flaws_is_cut() {
        let mut draft = matrix(&[4, 4, 4]);
        draft.options.clear();
        assert_eq!(check_product(&draft).len(), MOST_FLAWS);
    }
}
