//! What the layers around the pages refuse: a page for a browser, a problem for a program.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use kernel::Clock;
use platform::config::{Http, Networks};
use platform::http::Kit;
use tower::ServiceExt;

/// A page that takes too long, in a kit with so many places.
fn slow(places: usize) -> Router {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let limits = Http {
        public_address: anywhere,
        operations_address: anywhere,
        public_url: None,
        body_limit_bytes: 1_000,
        request_timeout: Duration::from_millis(20),
        max_concurrent_requests: places,
        trusted_proxies: Networks::default(),
        drain_delay: Duration::ZERO,
        drain_timeout: Duration::ZERO,
    };
    let pages = Router::new().route("/", get(std::future::pending::<()>));
    let kit = Kit::new(&limits, Clock::system(), "let us in".into());
    storefront::refusals_as_pages(kit.around(pages, "storefront"))
}

async fn ask(router: Router, accept: &str) -> (http::response::Parts, String) {
    let request = Request::get("/").header(header::ACCEPT, accept).body(Body::empty()).unwrap();
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    (parts, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn a_shopper_who_finds_no_place_or_waits_too_long_gets_a_page() {
    for places in [0, 1] {
        let (parts, html) = ask(slow(places), "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8").await;
        assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE);
        let header = |name: &str| parts.headers.get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!((header("content-type"), header("retry-after"), header("cache-control")), ("text/html; charset=utf-8", "1", "no-store"));
        assert!(header("content-security-policy").starts_with("default-src 'self'") && header("x-request-id").starts_with("req_"), "{parts:?}");
        assert!(html.contains("Back in a moment") && html.contains("<meta name=\"robots\" content=\"noindex\">"), "{html}");
    }
}

#[tokio::test]
async fn a_program_gets_the_problem() {
    for (places, code) in [(0, "overloaded"), (1, "timeout")] {
        let (parts, body) = ask(slow(places), "application/json").await;
        assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains(&format!("\"{code}\"")), "{body}");
    }
}
