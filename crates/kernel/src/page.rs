use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Problem;

/// The largest page a list answers.
pub const MAX_PAGE: u32 = 100;

/// Which part of a list a client asks for: `?limit=24&after=<cursor>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items at most, 1 to 100; 24 if absent.
    #[param(minimum = 1, maximum = 100, default = 24)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl PageQuery {
    /// How many items to answer.
    ///
    /// # Errors
    /// `invalid_query` when the limit is not 1 to [`MAX_PAGE`].
    pub fn limit(&self) -> Result<u32, Problem> {
        let limit = self.limit.unwrap_or(24);
        if (1..=MAX_PAGE).contains(&limit) {
            return Ok(limit);
        }
        Err(Problem::invalid_query("limit", "must be a whole number from 1 to 100"))
    }

    /// The position after which to go on, or nothing for the first page.
    ///
    /// # Errors
    /// `invalid_query` when the cursor is none of ours.
    pub fn position<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        let Some(cursor) = &self.after else { return Ok(None) };
        Cursor::decode(cursor).map(Some).ok_or_else(|| Problem::invalid_query("after", "must be the `next` of an earlier page"))
    }
}

/// One page of a list, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Pass as `after` for the next page; `null` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of `limit` from up to `limit + 1` fetched rows: the one too many tells that there is more.
    pub fn cut<P: Serialize>(mut rows: Vec<T>, limit: u32, position: impl FnOnce(&T) -> P) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(position).map(|position| Cursor::encode(&position));
        Self { items: rows, next }
    }

    /// The same page with every item changed.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

/// An opaque place in a list: base64url of JSON, made and read by one list only.
#[derive(Debug)]
pub enum Cursor {}

impl Cursor {
    /// Writes a position.
    pub fn encode<T: Serialize>(position: &T) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
    }

    /// Reads a position; nothing if it is none.
    #[must_use]
    pub fn decode<T: DeserializeOwned>(cursor: &str) -> Option<T> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn positions_survive_the_cursor(number: i64, text: String) {
            prop_assert_eq!(Cursor::decode::<(i64, String)>(&Cursor::encode(&(number, &text))), Some((number, text)));
        }

        #[test]
        fn foreign_cursors_are_refused_without_a_panic(text: String) {
            let query = PageQuery { limit: None, after: Some(text) };
            prop_assert!(query.position::<(i64, String, bool, u8)>().is_err());
        }
    }

    #[test]
    fn a_page_knows_whether_there_is_more() {
        let page = Page::cut(vec![1, 2, 3], 2, |item| *item);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(page.next.as_deref().and_then(Cursor::decode::<i32>), Some(2));
        assert_eq!(Page::cut(vec![1, 2], 2, |item| *item).next, None);
    }

    #[test]
    fn limits_beyond_the_bounds_are_refused() {
        for limit in [0, 101] {
            assert!(PageQuery { limit: Some(limit), after: None }.limit().is_err());
        }
    }
}
