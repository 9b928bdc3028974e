use std::fmt;

use serde::{Deserialize, Serialize};

/// How many units of a variant: 1 to [`Quantity::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i32);

/// The number is no quantity one can order.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a whole number from 1 to 9999")]
pub struct QuantityError;

impl Quantity {
    /// The largest quantity of one line.
    pub const MAX: i32 = 9_999;
    /// A single unit.
    pub const ONE: Self = Self(1);

    /// Takes a number from 1 to [`Quantity::MAX`].
    ///
    /// # Errors
    /// The number is out of range.
    pub fn new(number: i64) -> Result<Self, QuantityError> {
        i32::try_from(number).ok().filter(|number| (1..=Self::MAX).contains(number)).map(Self).ok_or(QuantityError)
    }

    /// The number, as an `integer` column holds it.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }

    /// Both together, or an error beyond [`Quantity::MAX`].
    ///
    /// # Errors
    /// The sum is out of range.
    pub fn checked_add(self, other: Self) -> Result<Self, QuantityError> {
        Self::new(i64::from(self.0) + i64::from(other.0))
    }
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;

    fn try_from(number: i64) -> Result<Self, QuantityError> {
        Self::new(number)
    }
}

impl TryFrom<i32> for Quantity {
    type Error = QuantityError;

    fn try_from(number: i32) -> Result<Self, QuantityError> {
        Self::new(number.into())
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0.into()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl utoipa::PartialSchema for Quantity {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Integer)
            .minimum(Some(1))
            .maximum(Some(Self::MAX))
            .description(Some("Units of a variant, 1 to 9999."))
            .into()
    }
}
impl utoipa::ToSchema for Quantity {}

#[cfg(feature = "sqlx")]
mod database {
    use super::Quantity;
    use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
    use sqlx::{Decode, Encode, Postgres, Type, encode::IsNull, error::BoxDynError};

    impl Type<Postgres> for Quantity {
        fn type_info() -> PgTypeInfo {
            <i32 as Type<Postgres>>::type_info()
        }
    }
    impl PgHasArrayType for Quantity {
        fn array_type_info() -> PgTypeInfo {
            <i32 as PgHasArrayType>::array_type_info()
        }
    }
    impl Encode<'_, Postgres> for Quantity {
        fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
            <i32 as Encode<'_, Postgres>>::encode_by_ref(&self.0, buffer)
        }
    }
    impl<'r> Decode<'r, Postgres> for Quantity {
        fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
            Ok(Self::try_from(<i32 as Decode<'r, Postgres>>::decode(value)?)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_negative_or_too_many_are_refused() {
        for number in [0, -1, 10_000, i64::MAX, i64::MIN] {
            assert_eq!(Quantity::new(number), Err(QuantityError));
        }
        assert!(serde_json::from_str::<Quantity>("1.5").is_err());
        assert!(serde_json::from_str::<Quantity>("9999").is_ok());
        assert!(Quantity::ONE.checked_add(Quantity(9_999)).is_err());
    }
}
