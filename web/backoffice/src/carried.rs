//! What the forms of a record carry beside what is typed: the version they were made on, and a key that makes sending twice harmless.

use kernel::Token;
use serde::Serialize;

use crate::fields::Fields;

/// The hidden fields `version` and `key`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Carried {
    pub(crate) version: i64,
    pub(crate) key: String,
}

/// The version the form was made on. One that is none fits no record and so changes nothing.
pub(crate) fn version(fields: &Fields) -> i64 {
    fields.parsed("version").unwrap_or(0)
}

/// The form's idempotency key; a new one if what was sent is not one of ours.
pub(crate) fn key(fields: &Fields) -> String {
    fields.parsed::<Token>("key").unwrap_or_else(Token::generate).reveal()
}
