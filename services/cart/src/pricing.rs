//! What a cart comes to: the one pricing function, without input or output.

use std::collections::HashMap;

use cart_api::{CartLineAnswer, CartState, Notice, Totals};
use catalog::{Channel, Offer};
use catalog_api::VariantId;
use kernel::{Money, MoneyError};

use crate::LockedLine;

/// What the shop says about the variants of a cart at this moment.
#[derive(Debug)]
pub(crate) struct Present {
    /// What is sold, by variant; a variant that is missing is not sold any more.
    pub(crate) offers: HashMap<VariantId, Offer>,
    /// How many there are, by variant; a variant that is missing has none.
    pub(crate) available: HashMap<VariantId, i64>,
}

/// Prices the lines at present prices and adds them up.
///
/// A line's total is its unit price times its quantity; a line that is not sold any more counts nothing. The subtotal is the sum of the lines,
/// the total is subtotal and delivery, and a cart of which nothing can be bought costs no delivery. Stock and prices are remarked on while the
/// cart is active only: the stock of a claimed cart is held for it.
///
/// # Errors
/// An amount beyond 64 bits, or an offer in another currency than the channel's.
pub(crate) fn price(channel: &Channel, state: CartState, lines: &[LockedLine], present: &Present) -> Result<(Vec<CartLineAnswer>, Totals), MoneyError> {
    let priced = lines.iter().map(|line| price_line(channel, state, line, present)).collect::<Result<Vec<_>, _>>()?;
    let subtotal = Money::sum(channel.currency, priced.iter().map(|line| line.total))?;
    let item_count = priced.iter().filter(|line| is_sold(line)).map(|line| i64::from(line.quantity)).sum();
    let delivery = if item_count == 0 { Money::zero(channel.currency) } else { channel.delivery.price };
    let totals = Totals { item_count, subtotal, delivery, total: subtotal.checked_add(delivery)? };
    Ok((priced, totals))
}

fn is_sold(line: &CartLineAnswer) -> bool {
    !line.notices.contains(&Notice::Unavailable)
}

fn price_line(channel: &Channel, state: CartState, line: &LockedLine, present: &Present) -> Result<CartLineAnswer, MoneyError> {
    let Some(offer) = present.offers.get(&line.variant_id) else { return Ok(unavailable(channel, line)) };
    let available = present.available.get(&line.variant_id).copied().unwrap_or(0);
    Ok(CartLineAnswer {
        id: line.id,
        product_id: offer.product_id,
        product_slug: offer.product_slug.clone(),
        variant_id: line.variant_id,
        sku: offer.sku.clone(),
        title: offer.title.clone(),
        options: offer.options.clone(),
        image: offer.image.clone(),
        quantity: line.quantity,
        unit_price: offer.unit_price,
        total: offer.unit_price.checked_mul(line.quantity.into())?,
        notices: if state == CartState::Active { notices(line, offer.unit_price, available) } else { Vec::new() },
    })
}

fn notices(line: &LockedLine, now: Money, available: i64) -> Vec<Notice> {
    let was = line.noted_unit_price;
    let price_changed = (was != now).then_some(Notice::PriceChanged { was, now });
    let insufficient = (available < i64::from(line.quantity)).then_some(Notice::InsufficientStock { available: available.max(0) });
    price_changed.into_iter().chain(insufficient).collect()
}

/// The line as it was when it was last confirmed, worth nothing.
fn unavailable(channel: &Channel, line: &LockedLine) -> CartLineAnswer {
    CartLineAnswer {
        id: line.id,
        product_id: line.noted.product_id,
        product_slug: line.noted.product_slug.clone(),
        variant_id: line.variant_id,
        sku: line.noted.sku.clone(),
        title: line.noted.title.clone(),
        options: line.noted.options.clone(),
        image: line.noted.image.clone(),
        quantity: line.quantity,
        unit_price: line.noted_unit_price,
        total: Money::zero(channel.currency),
        notices: vec![Notice::Unavailable],
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use std::collections::BTreeMap;

    use cart_api::CartLineId;
    use catalog_api::{ChannelId, ChannelKind, DeliveryMethod, ProductId};
    use kernel::{Currency, Quantity};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::NotedOffer;

    fn channel(delivery: i64) -> Channel {
        Channel {
            id: ChannelId::from_uuid(Uuid::from_u128(1)),
            code: "default".to_owned(),
            name: "Shop".to_owned(),
            kind: ChannelKind::Live,
            currency: Currency::EUR,
            locale: "en".parse().unwrap(),
            countries: vec!["AT".parse().unwrap()],
            delivery: DeliveryMethod { name: "Standard".to_owned(), price: euros(delivery) },
            order_number_prefix: "TW-".to_owned(),
            version: 1,
        }
    }

    fn euros(minor: i64) -> Money {
        Money::new(minor, Currency::EUR)
    }

    /// One variant in a cart: what was noted, what it costs now if it is sold, how many are asked for and there.
    #[derive(Debug, Clone)]
    struct Case {
        noted: i64,
        now: Option<i64>,
        quantity: i64,
        available: i64,
    }

    fn line(place: u128, case: &Case) -> LockedLine {
        LockedLine {
            id: CartLineId::from_uuid(Uuid::from_u128(place)),
            variant_id: VariantId::from_uuid(Uuid::from_u128(place)),
            quantity: Quantity::new(case.quantity).unwrap(),
            noted_unit_price: euros(case.noted),
            noted: NotedOffer {
                product_id: ProductId::from_uuid(Uuid::from_u128(place)),
                product_slug: "old-slug".to_owned(),
                sku: "OLD".to_owned(),
                title: "Old title".to_owned(),
                options: BTreeMap::new(),
                image: None,
            },
        }
    }

    fn offer(place: u128, price: i64) -> Offer {
        Offer {
            variant_id: VariantId::from_uuid(Uuid::from_u128(place)),
            product_id: ProductId::from_uuid(Uuid::from_u128(place)),
            product_slug: "slug".to_owned(),
            sku: "SKU".to_owned(),
            title: "Title".to_owned(),
            options: BTreeMap::new(),
            image: None,
            unit_price: euros(price),
        }
    }

    fn priced(cases: &[Case], delivery: i64, state: CartState) -> Result<(Vec<CartLineAnswer>, Totals), MoneyError> {
        let numbered = || (1_u128..).zip(cases);
        let lines: Vec<_> = numbered().map(|(place, case)| line(place, case)).collect();
        let offers = numbered().filter_map(|(place, case)| case.now.map(|price| offer(place, price))).map(|offer| (offer.variant_id, offer)).collect();
        let available = numbered().map(|(place, case)| (VariantId::from_uuid(Uuid::from_u128(place)), case.available)).collect();
        price(&channel(delivery), state, &lines, &Present { offers, available })
    }

    fn any_case(price: impl Strategy<Value = i64> + Clone) -> impl Strategy<Value = Case> {
        (price.clone(), prop::option::weighted(0.8, price), 1_i64..=9_999, -5_i64..12_000).prop_map(|(noted, now, quantity, available)| Case {
            noted,
            now,
            quantity,
            available,
        })
    }

    proptest! {
        #[test]
        fn totals_add_up_to_the_minor_unit(cases in prop::collection::vec(any_case(0_i64..100_000_000_000), 0..100), delivery in 0_i64..1_000_000) {
            let (lines, totals) = priced(&cases, delivery, CartState::Active).unwrap();
            let sold: Vec<_> = cases.iter().filter_map(|case| case.now.map(|price| (price, case.quantity))).collect();
            let subtotal: i64 = sold.iter().map(|(price, quantity)| price * quantity).sum();
            let expected_delivery = if sold.is_empty() { 0 } else { delivery };
            prop_assert_eq!(totals.subtotal, euros(subtotal));
            prop_assert_eq!(lines.iter().map(|line| line.total.amount_minor()).sum::<i64>(), subtotal);
            prop_assert_eq!(totals.delivery, euros(expected_delivery));
            prop_assert_eq!(totals.total, euros(subtotal + expected_delivery));
            prop_assert_eq!(totals.item_count, sold.iter().map(|(_, quantity)| quantity).sum::<i64>());
        }

        #[test]
        fn amounts_beyond_64_bits_are_an_error_and_never_a_wrong_sum(cases in prop::collection::vec(any_case(0_i64..=i64::MAX), 1..5), delivery in 0_i64..=i64::MAX) {
            let exact: i128 = cases.iter().filter_map(|case| case.now.map(|price| i128::from(price) * i128::from(case.quantity))).sum();
            let delivered = if cases.iter().any(|case| case.now.is_some()) { i128::from(delivery) } else { 0 };
            match priced(&cases, delivery, CartState::Active) {
                Ok((_, totals)) => prop_assert_eq!(i128::from(totals.total.amount_minor()), exact + delivered),
                Err(error) => {
                    prop_assert_eq!(error, MoneyError::Overflow);
                    prop_assert!(exact + delivered > i128::from(i64::MAX));
                }
            }
        }

        #[test]
        fn notices_say_exactly_what_changed(case in any_case(0_i64..50)) {
            let (lines, _) = priced(std::slice::from_ref(&case), 0, CartState::Active).unwrap();
            let Some(now) = case.now else {
                prop_assert_eq!(&lines[0].notices, &[Notice::Unavailable]);
                prop_assert_eq!(lines[0].unit_price, euros(case.noted));
                return Ok(());
            };
            let mut expected = Vec::new();
            if now != case.noted {
                expected.push(Notice::PriceChanged { was: euros(case.noted), now: euros(now) });
            }
            if case.available < case.quantity {
                expected.push(Notice::InsufficientStock { available: case.available.max(0) });
            }
            prop_assert_eq!(&lines[0].notices, &expected);
        }
    }

    #[test]
    fn a_claimed_cart_is_not_told_that_its_own_units_are_gone() {
        let case = Case { noted: 1, now: Some(2), quantity: 5, available: 0 };
        assert!(priced(std::slice::from_ref(&case), 0, CartState::Completing).unwrap().0[0].notices.is_empty());
        assert_eq!(priced(&[case], 0, CartState::Active).unwrap().0[0].notices.len(), 2);
    }

    #[test]
    fn an_offer_in_another_currency_is_refused() {
        let mut foreign = offer(1, 100);
        foreign.unit_price = Money::new(100, "JPY".parse().unwrap());
        let present = Present { offers: HashMap::from([(foreign.variant_id, foreign)]), available: HashMap::new() };
        let lines = [line(1, &Case { noted: 100, now: None, quantity: 1, available: 1 })];
        assert!(matches!(price(&channel(0), CartState::Active, &lines, &present), Err(MoneyError::CurrencyMismatch { .. })));
    }
}
