use std::sync::Arc;

use crate::Surface;

/// What a render is found by: the surface it is of, the channel and language it was made for, and the part of the address that decides
/// what it shows. Nothing a client can make up may be in it unchecked: each key is an entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub(crate) surface: Surface,
    pub(crate) text: Arc<str>,
}

impl Key {
    /// A key; `query` is the closed part of the query in its one order.
    #[must_use]
    pub fn new(surface: Surface, channel: &str, language: &str, path: &str, query: &str) -> Self {
        // A channel's code and a language hold no blanks, so no two keys read the same.
        let mark = if query.is_empty() { "" } else { "?" };
        let text = format!("{} {channel} {language} {path}{mark}{query}", surface.as_str());
        Self { surface, text: text.into() }
    }

    /// A key of a look-up.
    #[must_use]
    pub fn lookup(text: &str) -> Self {
        Self { surface: Surface::Lookup, text: text.into() }
    }
}
