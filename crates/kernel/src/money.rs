use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::validated_text;

/// A currency by its ISO 4217 code, such as `EUR`. Only currencies with a minor unit (exponent 0 to 4) are known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(iso_currency::Currency);

/// The text is no currency one can price in.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a currency code of three capital letters (ISO 4217), such as EUR")]
pub struct CurrencyError;

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(iso_currency::Currency::EUR);

    /// The three capital letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimal places the minor unit stands for: 2 for EUR, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        iso_currency::Currency::from_code(text).filter(|currency| currency.exponent().is_some()).map(Self).ok_or(CurrencyError)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

validated_text!(Currency, "Currency", |object| object
    .pattern(Some("^[A-Z]{3}$"))
    .description(Some("ISO 4217 currency code."))
    .examples([serde_json::json!("EUR")]));

/// An amount in minor units of one currency: `{ "amount": 1999, "currency": "EUR" }` is €19.99.
///
/// All arithmetic is checked: an overflow or two currencies in one sum is an error, never a wrong number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units (cents for EUR), negative for money going back.
    #[serde(rename = "amount")]
    #[schema(rename = "amount", example = 1999)]
    amount_minor: i64,
    /// What the amount counts.
    currency: Currency,
}

/// Why two amounts do not make a third.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MoneyError {
    /// The result does not fit 64 bits of minor units.
    #[error("amount out of range")]
    Overflow,
    /// One sum may hold one currency only.
    #[error("{left} and {right} in one sum")]
    CurrencyMismatch {
        /// The currency of the first amount.
        left: Currency,
        /// The currency of the second amount.
        right: Currency,
    },
    /// There is nothing to divide by: no weights, or all zero.
    #[error("no weights to allocate by")]
    NoWeights,
}

impl Money {
    /// An amount of `amount_minor` minor units.
    #[must_use]
    pub const fn new(amount_minor: i64, currency: Currency) -> Self {
        Self { amount_minor, currency }
    }

    /// Nothing, in `currency`.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The minor units.
    #[must_use]
    pub const fn amount_minor(self) -> i64 {
        self.amount_minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether this is no money at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.amount_minor == 0
    }

    /// Both together.
    ///
    /// # Errors
    /// Two currencies, or a sum beyond 64 bits.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// What is left when `other` is taken away; may be negative.
    ///
    /// # Errors
    /// Two currencies, or a difference beyond 64 bits.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// The amount `times` over.
    ///
    /// # Errors
    /// A product beyond 64 bits.
    pub fn checked_mul(self, times: i64) -> Result<Self, MoneyError> {
        self.amount_minor.checked_mul(times).map(|amount| Self::new(amount, self.currency)).ok_or(MoneyError::Overflow)
    }

    /// The sum of all `amounts`, zero of `currency` when there are none.
    ///
    /// # Errors
    /// Another currency among them, or a sum beyond 64 bits.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::checked_add)
    }

    /// Splits the amount by `weights` so that the shares add up to it exactly.
    ///
    /// Each share is the exact proportion rounded towards zero; the units left over go one each to the largest
    /// remainders, the earlier share first where they tie (the method of Hamilton). A weight of zero gets nothing.
    ///
    /// # Errors
    /// No weight is above zero.
    pub fn allocate(self, weights: &[u64]) -> Result<Vec<Self>, MoneyError> {
        let total: u128 = weights.iter().copied().map(u128::from).sum();
        if total == 0 {
            return Err(MoneyError::NoWeights);
        }
        let size = u128::from(self.amount_minor.unsigned_abs());
        // 64 bits times 64 bits fit 128, so the products below are exact.
        let mut shares: Vec<(u128, u128)> = weights.iter().map(|weight| size * u128::from(*weight)).map(|part| (part / total, part % total)).collect();
        let given: u128 = shares.iter().map(|(share, _)| share).sum();
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(shares.get(*index).map(|(_, remainder)| *remainder)));
        let left_over = usize::try_from(size - given).unwrap_or(usize::MAX);
        for index in order.into_iter().take(left_over) {
            if let Some((share, _)) = shares.get_mut(index) {
                *share += 1;
            }
        }
        shares.into_iter().map(|(share, _)| self.signed_share(share)).collect()
    }

    fn signed_share(self, share: u128) -> Result<Self, MoneyError> {
        let share = i128::try_from(share).map_err(|_| MoneyError::Overflow)?;
        let signed = if self.amount_minor < 0 { -share } else { share };
        i64::try_from(signed).map(|amount| Self::new(amount, self.currency)).map_err(|_| MoneyError::Overflow)
    }

    fn combine(self, other: Self, operation: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency });
        }
        operation(self.amount_minor, other.amount_minor).map(|amount| Self::new(amount, self.currency)).ok_or(MoneyError::Overflow)
    }
}

impl fmt::Display for Money {
    /// Writes the plain decimal form, `19.99 EUR`; pages format money for their locale themselves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.amount_minor < 0 { "-" } else { "" };
        let size = self.amount_minor.unsigned_abs();
        let exponent = self.currency.exponent();
        let unit = 10_u64.pow(exponent);
        let places = usize::try_from(exponent).unwrap_or(0);
        match exponent {
            0 => write!(f, "{sign}{size} {}", self.currency),
            _ => write!(f, "{sign}{}.{:0places$} {}", size / unit, size % unit, self.currency),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_allocation_loses_nothing(amount: i64, weights in prop::collection::vec(any::<u64>(), 1..50)) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let shares = Money::new(amount, Currency::EUR).allocate(&weights).unwrap();
            let sum: i128 = shares.iter().map(|share| i128::from(share.amount_minor())).sum();
            prop_assert_eq!(sum, i128::from(amount));
        }

        #[test]
        fn no_share_strays_a_unit_from_its_exact_proportion(amount in -1_000_000_i64..1_000_000, weights in prop::collection::vec(0_u64..1_000, 1..20)) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            let shares = Money::new(amount, Currency::EUR).allocate(&weights).unwrap();
            for (share, weight) in shares.iter().zip(&weights) {
                let distance = (i128::from(share.amount_minor()) * total - i128::from(amount) * i128::from(*weight)).abs();
                prop_assert!(distance < total);
                prop_assert!(*weight > 0 || share.is_zero());
            }
        }

        #[test]
        fn arithmetic_is_right_or_refused_but_never_panics(a: i64, b: i64) {
            let (left, right) = (Money::new(a, Currency::EUR), Money::new(b, Currency::EUR));
            prop_assert_eq!(left.checked_add(right).ok().map(Money::amount_minor), a.checked_add(b));
            prop_assert_eq!(left.checked_sub(right).ok().map(Money::amount_minor), a.checked_sub(b));
            prop_assert_eq!(left.checked_mul(b).ok().map(Money::amount_minor), a.checked_mul(b));
            drop(left.to_string());
        }

        #[test]
        fn money_survives_json(amount: i64) {
            let money = Money::new(amount, Currency::EUR);
            prop_assert_eq!(serde_json::from_str::<Money>(&serde_json::to_string(&money).unwrap()).unwrap(), money);
        }
    }

    #[test]
    fn two_currencies_never_mix() {
        let yen = Money::new(5, "JPY".parse().unwrap());
        assert!(matches!(yen.checked_add(Money::new(5, Currency::EUR)), Err(MoneyError::CurrencyMismatch { .. })));
    }

    #[test]
    fn exponents_follow_iso_4217() {
        let exponent = |code: &str| code.parse::<Currency>().unwrap().exponent();
        assert_eq!((exponent("EUR"), exponent("JPY"), exponent("KWD"), exponent("CLF")), (2, 0, 3, 4));
        assert_eq!("XXX".parse::<Currency>(), Err(CurrencyError));
        assert_eq!("eur".parse::<Currency>(), Err(CurrencyError));
    }

    #[test]
    fn amounts_read_as_decimals() {
        assert_eq!(Money::new(-1999, Currency::EUR).to_string(), "-19.99 EUR");
        assert_eq!(Money::new(5, Currency::EUR).to_string(), "0.05 EUR");
        assert_eq!(Money::new(500, "JPY".parse().unwrap()).to_string(), "500 JPY");
    }

    #[test]
    fn ten_cents_by_three_gives_the_first_one_more() {
        let shares: Vec<_> = Money::new(10, Currency::EUR).allocate(&[1, 1, 1]).unwrap().into_iter().map(Money::amount_minor).collect();
        assert_eq!(shares, [4, 3, 3]);
        assert_eq!(Money::zero(Currency::EUR).allocate(&[0]), Err(MoneyError::NoWeights));
    }
}
