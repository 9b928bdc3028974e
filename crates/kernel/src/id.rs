use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{Builder, Uuid};

use crate::{Timestamp, random};

/// What an [`Id`] names; declared with [`id_kind!`](crate::id_kind).
pub trait Kind: 'static {
    /// The letters before the underscore, such as `ord`.
    const PREFIX: &'static str;
}

/// A typed UUID version 7, shown as its kind's prefix and 26 lower-case Crockford base32 digits:
/// `ord_0680k2v3…`. The database stores the bare `uuid`.
///
/// Ids sort by creation time and reveal it (RFC 9562 section 5.7); they are names, never secrets.
pub struct Id<K: Kind> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

/// Why a text is no id of the wanted kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an id of the form {prefix}_ and 26 letters or digits")]
pub struct IdError {
    prefix: &'static str,
}

/// Crockford's base32 in lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 26 digits of 5 bits hold the 128 bits of a UUID.
const DIGITS: usize = 26;

impl<K: Kind> Id<K> {
    /// Makes a new id whose time part is `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        Self::from_uuid(Builder::from_unix_timestamp_millis(millis, &random::for_names()).into_uuid())
    }

    /// Wraps a UUID that a table or a peer of ours already calls this kind.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    /// The bare UUID, as the database stores it.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.uuid.as_u128();
        let mut digits = [b'0'; DIGITS];
        for (place, digit) in digits.iter_mut().rev().enumerate() {
            let value = usize::try_from((bits >> (5 * place)) & 31).unwrap_or(0);
            *digit = ALPHABET.get(value).copied().unwrap_or(b'0');
        }
        f.write_str(K::PREFIX)?;
        f.write_str("_")?;
        f.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = IdError { prefix: K::PREFIX };
        let digits = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(IdError { prefix: K::PREFIX })?;
        // The first digit carries the top 3 of 128 bits, so it is 0 to 7.
        if digits.len() != DIGITS || digits.as_bytes().first().is_none_or(|first| *first > b'7') {
            return Err(error);
        }
        let bits = digits.bytes().try_fold(0_u128, |bits, letter| {
            let digit = ALPHABET.iter().position(|known| *known == letter)?;
            Some(bits << 5 | u128::try_from(digit).ok()?)
        });
        bits.map(|bits| Self::from_uuid(Uuid::from_u128(bits))).ok_or(error)
    }
}

impl<K: Kind> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: Kind> Copy for Id<K> {}
impl<K: Kind> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K: Kind> Eq for Id<K> {}
impl<K: Kind> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K: Kind> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K: Kind> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

crate::text::openapi_string!([K: Kind] Id<K>, K::PREFIX, |object| object.description(Some(format!("An id of the form `{}_` and 26 letters or digits.", K::PREFIX))));

#[cfg(feature = "sqlx")]
mod database {
    use super::{Id, Kind, Uuid};
    use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
    use sqlx::{Decode, Encode, Postgres, Type, encode::IsNull, error::BoxDynError};

    impl<K: Kind> Type<Postgres> for Id<K> {
        fn type_info() -> PgTypeInfo {
            <Uuid as Type<Postgres>>::type_info()
        }
        fn compatible(ty: &PgTypeInfo) -> bool {
            <Uuid as Type<Postgres>>::compatible(ty)
        }
    }
    impl<K: Kind> PgHasArrayType for Id<K> {
        fn array_type_info() -> PgTypeInfo {
            <Uuid as PgHasArrayType>::array_type_info()
        }
    }
    impl<K: Kind> Encode<'_, Postgres> for Id<K> {
        fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
            self.uuid.encode_by_ref(buffer)
        }
    }
    impl<'r, K: Kind> Decode<'r, Postgres> for Id<K> {
        fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
            Uuid::decode(value).map(Self::from_uuid)
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    crate::id_kind!(/// A thing.
        pub(super) Thing => ThingId, "thg");
    crate::id_kind!(/// Another.
        pub(super) Other => OtherId, "oth");

    proptest! {
        #[test]
        fn every_uuid_survives_the_round_trip_through_text(bits: u128) {
            let id = ThingId::from_uuid(Uuid::from_u128(bits));
            prop_assert_eq!(id.to_string().parse::<ThingId>(), Ok(id));
            prop_assert_eq!(serde_json::from_str::<ThingId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}") {
            drop(text.parse::<ThingId>());
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = OtherId::new(Timestamp::UNIX_EPOCH);
        assert!(id.to_string().parse::<ThingId>().is_err());
    }

    #[test]
    fn a_number_beyond_128_bits_is_refused() {
        assert!("thg_8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<ThingId>().is_err());
        assert!("thg_7zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<ThingId>().is_ok());
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let early = ThingId::new(Timestamp::UNIX_EPOCH);
        let late = ThingId::new(Timestamp::UNIX_EPOCH + chrono::TimeDelta::milliseconds(1));
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
    }
}
