//! All the SQL of payments.

pub(crate) mod attempts;
pub(crate) mod captures;
pub(crate) mod check;
pub(crate) mod events;
pub(crate) mod ledger;
pub(crate) mod sandbox;
pub(crate) mod stands;
pub(crate) mod voids;

use kernel::{Currency, Money};

/// A column that holds a word this program does not know: a newer program wrote it, or a constraint is missing.
#[derive(Debug, thiserror::Error)]
#[error("unknown {what} `{word}`")]
struct UnknownWord {
    what: &'static str,
    word: String,
}

/// Turns a word of a table into what it stands for.
fn decode<T>(what: &'static str, word: &str, find: impl FnOnce(&str) -> Option<T>) -> Result<T, sqlx::Error> {
    find(word).ok_or_else(|| sqlx::Error::Decode(Box::new(UnknownWord { what, word: word.to_owned() })))
}

/// Two columns as money.
fn money(amount_minor: i64, currency: Currency) -> Money {
    Money::new(amount_minor, currency)
}
