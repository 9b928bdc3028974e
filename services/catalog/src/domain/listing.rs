use catalog_api::ProductSort;
use serde::{Deserialize, Serialize};

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
