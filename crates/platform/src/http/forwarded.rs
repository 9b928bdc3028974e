use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::HeaderMap;

use crate::config::Networks;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Lets `router` see who stands behind the proxies in `trusted`: the peer that every handler sees is the client. Without such proxies
/// nothing is looked at, and nothing stands around the router.
pub fn see_through(router: Router, trusted: &Networks) -> Router {
    if trusted.is_empty() {
        return router;
    }
    router.layer(from_fn_with_state(Arc::new(trusted.clone()), replace_peer))
}

async fn replace_peer(State(trusted): State<Arc<Networks>>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
        let client = client_of(peer.ip(), request.headers(), &trusted);
        if client != peer.ip() {
            // The client's own port is not known.
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, 0)));
        }
    }
    next.run(request).await
}

/// Who asks: the peer; behind a trusted proxy, the right-most address in `X-Forwarded-For` that is not a trusted proxy's. What stands left of
/// it was written by the client, who may write what it likes. If all are proxies, or one is no address, the last that is known.
fn client_of(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    let mut client = peer;
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    for hop in lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')) {
        if !trusted.contain(client) {
            break;
        }
        let Some(address) = address_of(hop.trim()) else { break };
        client = address;
    }
    client
}

/// An address as proxies write it: bare, or with a port, of IPv6 in brackets.
fn address_of(text: &str) -> Option<IpAddr> {
    let bracketed = text.strip_prefix('[').and_then(|text| text.split_once(']')).map(|(address, _)| address);
    let bare = bracketed.unwrap_or(text).parse().ok();
    bare.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip())).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Who asks, when `peer` sends these lines and 10.0.0.0/8 and 2001:db8:1::/48 are our proxies.
    fn client(peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        client_of(peer.parse().unwrap(), &headers, &"10.0.0.0/8, 2001:db8:1::/48".parse().unwrap()).to_string()
    }

    #[test]
    fn a_stranger_is_itself_whatever_it_says() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client("203.0.113.9", &["10.0.0.1"]), "203.0.113.9");
    }

    #[test]
    fn behind_our_proxies_it_is_the_last_that_is_none_of_them() {
        assert_eq!(client("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, 203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.1", "203.0.113.9", "10.0.0.2,10.0.0.3"]), "203.0.113.9");
        assert_eq!(client("2001:db8:1::5", &["[2001:db8:9::1]:4711"]), "2001:db8:9::1");
        assert_eq!(client("10.0.0.1", &["203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["::ffff:203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn where_the_trail_is_lost_it_is_the_last_that_is_known() {
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["203.0.113.9, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }
}
