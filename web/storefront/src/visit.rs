use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use client::{Errand, Visitor};
use http::header;
use http::request::Parts;
use platform::http::RequestId;

use crate::cookies::{CartKey, OrderKey};
use crate::shop::Shop;

/// Who asks for a page, and what their browser remembers.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// On whose behalf the API is called.
    pub(crate) visitor: Visitor,
    /// The host name the browser asked for.
    pub(crate) host: Option<String>,
    /// The cart, if there is one.
    pub(crate) cart: Option<CartKey>,
    /// The latest orders, newest first.
    pub(crate) orders: Vec<OrderKey>,
    /// The making of a page that is the same for everybody, if this is one.
    pub(crate) errand: Option<Errand>,
}

impl Visit {
    /// Whether the page is the same for everybody, so that nothing of the visitor may be in it.
    pub(crate) const fn is_shared(&self) -> bool {
        self.errand.is_some()
    }
}

/// On whose behalf the API is called for a request.
pub(crate) fn visitor(parts: &Parts) -> Visitor {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let request_id = parts.extensions.get::<RequestId>().map(ToString::to_string);
    Visitor { address: peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), request_id }
}

/// The host name a browser asked for. HTTP/2 puts it into the address of the request.
pub(crate) fn host(parts: &Parts) -> Option<String> {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.or_else(|| parts.uri.host()).map(ToOwned::to_owned)
}

impl FromRequestParts<Shop> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Result<Self, Infallible> {
        let cookies = shop.cookies().read(&parts.headers);
        Ok(Self { visitor: visitor(parts), host: host(parts), cart: cookies.cart, orders: cookies.orders, errand: parts.extensions.get().cloned() })
    }
}
