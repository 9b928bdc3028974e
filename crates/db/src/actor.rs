use std::fmt;

/// Who acts: written beside every event, movement, timeline entry and audit entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor(String);

impl Actor {
    /// A shopper without an account.
    #[must_use]
    pub fn guest() -> Self {
        Self("guest".to_owned())
    }

    /// A part of Tradewind itself, such as `reconciler`.
    #[must_use]
    pub fn system(part: &str) -> Self {
        Self(format!("system:{part}"))
    }

    /// A member of staff, by id and name.
    #[must_use]
    pub fn staff(id: impl fmt::Display, name: &str) -> Self {
        Self(format!("staff:{id}:{name}"))
    }

    /// The text tables hold.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
