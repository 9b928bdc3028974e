//! Strings with rules: how they read from JSON, show in OpenAPI and live in the database.

/// Gives `Type` (with a `FromStr` and a `Display`) its serde, OpenAPI and database forms as a string.
///
/// `validated_text!(Country, "country", |object| object.pattern(Some("^[A-Z]{2}$")))`
#[macro_export]
macro_rules! validated_text {
    ($type:ident, $name:literal, $describe:expr) => {
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }
        $crate::text::openapi_string!([] $type, $name, $describe);

        #[cfg(feature = "sqlx")]
        const _: () = {
            use ::sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
            use ::sqlx::{Decode, Encode, Postgres, Type, encode::IsNull, error::BoxDynError};

            impl Type<Postgres> for $type {
                fn type_info() -> PgTypeInfo {
                    <str as Type<Postgres>>::type_info()
                }
                fn compatible(ty: &PgTypeInfo) -> bool {
                    <str as Type<Postgres>>::compatible(ty)
                }
            }
            impl PgHasArrayType for $type {
                fn array_type_info() -> PgTypeInfo {
                    <String as PgHasArrayType>::array_type_info()
                }
            }
            impl Encode<'_, Postgres> for $type {
                fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                    <String as Encode<'_, Postgres>>::encode_by_ref(&self.to_string(), buffer)
                }
            }
            impl<'r> Decode<'r, Postgres> for $type {
                fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
                    Ok(<&str as Decode<'r, Postgres>>::decode(value)?.parse()?)
                }
            }
        };
    };
}

/// Describes a type to OpenAPI as an inline string.
macro_rules! openapi_string {
    ([$($generics:tt)*] $type:ty, $name:expr, $describe:expr) => {
        impl<$($generics)*> ::utoipa::PartialSchema for $type {
            fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::schema::Schema> {
                let object = ::utoipa::openapi::ObjectBuilder::new().schema_type(::utoipa::openapi::schema::Type::String);
                let describe: fn(::utoipa::openapi::ObjectBuilder) -> ::utoipa::openapi::ObjectBuilder = $describe;
                describe(object).into()
            }
        }
        impl<$($generics)*> ::utoipa::ToSchema for $type {
            fn name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed($name)
            }
        }
    };
}
pub(crate) use openapi_string;
