use catalog_api::{FacetQuery, OptionFilter, ProductQuery, ProductSort};
use serde::{Deserialize, Serialize};

/// The most a price can be.
const HIGHEST_PRICE_MINOR: i64 = 100_000_000_000;

/// Which products are listed, beside the category.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Only what is in stock.
    pub(crate) in_stock: bool,
    /// Only what cost more before.
    pub(crate) reduced: bool,
    /// Only what costs so much or more.
    pub(crate) lowest_minor: Option<i64>,
    /// Only what costs so much or less.
    pub(crate) highest_minor: Option<i64>,
    /// Only what is to be had with these values.
    pub(crate) options: OptionFilter,
}

/// Where a page of a list lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// At the list's start.
    Start,
    /// Right after this.
    After(ListPosition),
    /// Right before this.
    Before(ListPosition),
}

impl Filter {
    /// Reads what is asked for.
    ///
    /// # Errors
    /// The name of the parameter that makes no sense, and why.
    pub(crate) fn of(query: &FacetQuery) -> Result<Self, (&'static str, &'static str)> {
        for (name, price) in [("price_min", query.price_min), ("price_max", query.price_max)] {
            if price.is_some_and(|price| !(0..=HIGHEST_PRICE_MINOR).contains(&price)) {
                return Err((name, "must be from 0 to 100000000000 minor units"));
            }
        }
        if query.price_min.zip(query.price_max).is_some_and(|(lowest, highest)| lowest > highest) {
            return Err(("price_max", "must not be below price_min"));
        }
        Ok(Self {
            in_stock: query.in_stock == Some(true),
            reduced: query.reduced == Some(true),
            lowest_minor: query.price_min,
            highest_minor: query.price_max,
            options: query.options.clone().unwrap_or_default(),
        })
    }

    /// Whether how much there is of something decides what is listed.
    pub(crate) const fn is_of_stock(&self) -> bool {
        self.in_stock
    }
}

/// The part of a query that decides which products are listed, in its one spelling: what changes nothing is not in it.
pub(crate) fn closed(query: FacetQuery) -> FacetQuery {
    let said = |flag: Option<bool>| flag.filter(|flag| *flag);
    FacetQuery {
        in_stock: said(query.in_stock),
        reduced: said(query.reduced),
        price_min: query.price_min.filter(|price| *price != 0),
        options: query.options.filter(|options| !options.is_empty()),
        ..query
    }
}

/// The part of a list's query that decides which products are in it.
pub(crate) fn filter_of(query: &ProductQuery) -> FacetQuery {
    closed(FacetQuery {
        category: query.category.clone(),
        in_stock: query.in_stock,
        reduced: query.reduced,
        price_min: query.price_min,
        price_max: query.price_max,
        options: query.options.clone(),
    })
}

/// A place in a product list, as its cursor holds it: what the list is sorted by, then the product's position, which no two share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ListPosition {
    /// By position.
    Featured(i64),
    /// By lowest price in minor units.
    PriceAscending(i64, i64),
    /// By lowest price in minor units.
    PriceDescending(i64, i64),
    /// By title in small letters.
    Title(String, i64),
    /// By when it was made, in microseconds since 1970.
    Newest(i64, i64),
}

impl ListPosition {
    /// Whether a list in this order can go on from here. A cursor comes from outside, so it may be of another order, or made up.
    #[must_use]
    pub(crate) fn fits(&self, sort: ProductSort) -> bool {
        match self {
            Self::Featured(_) => sort == ProductSort::Featured,
            Self::PriceAscending(..) => sort == ProductSort::PriceAscending,
            Self::PriceDescending(..) => sort == ProductSort::PriceDescending,
            Self::Title(title, _) => sort == ProductSort::Title && !title.chars().any(char::is_control),
            Self::Newest(micros, _) => sort == ProductSort::Newest && *micros >= 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_question_is_asked_in_one_way() {
        let asked =
            FacetQuery { in_stock: Some(false), reduced: Some(true), price_min: Some(0), options: Some(OptionFilter::default()), ..FacetQuery::default() };
        assert_eq!(serde_urlencoded::to_string(closed(asked)).as_deref(), Ok("reduced=true"));
    }

    #[test]
    fn ranges_that_hold_nothing_are_refused() {
        let range = |price_min, price_max| Filter::of(&FacetQuery { price_min, price_max, ..FacetQuery::default() }).map(|_| ()).map_err(|(name, _)| name);
        assert_eq!(range(Some(-1), None), Err("price_min"));
        assert_eq!(range(None, Some(i64::MAX)), Err("price_max"));
        assert_eq!(range(Some(2), Some(1)), Err("price_max"));
        assert_eq!(range(Some(1), Some(1)), Ok(()));
    }

    #[test]
    fn a_place_fits_the_order_it_was_made_in_and_no_other() {
        assert!(ListPosition::PriceAscending(1, 2).fits(ProductSort::PriceAscending));
        assert!(!ListPosition::PriceAscending(1, 2).fits(ProductSort::PriceDescending));
    }

    #[test]
    fn places_postgresql_could_not_read_fit_nowhere() {
        assert!(!ListPosition::Title("\u{0}".to_owned(), 1).fits(ProductSort::Title));
        assert!(!ListPosition::Newest(i64::MIN, 1).fits(ProductSort::Newest));
    }
}
