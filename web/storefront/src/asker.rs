use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::HeaderName;
use http::request::Parts;
use kernel::headers::FOR_A_PART;

/// The element of the page that the answer is put into.
const TARGET: HeaderName = HeaderName::from_static("hx-target");

/// Whether a script of ours asks, and for which part of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A browser that shows whatever it is answered: whole pages, redirects.
    Browser,
    /// A script that puts the answer into the cart's drawer.
    Drawer,
    /// A script that takes what it needs out of a whole page.
    Script,
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let target = parts.headers.get(TARGET).and_then(|target| target.to_str().ok());
        Ok(match target {
            _ if !parts.headers.contains_key(FOR_A_PART) => Self::Browser,
            Some("div#drawer-in") => Self::Drawer,
            _ => Self::Script,
        })
    }
}
