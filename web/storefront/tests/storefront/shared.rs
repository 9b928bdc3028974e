//! Pages that are the same for everybody, kept in memory.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use client::Client;
use http::{Request, StatusCode, header};
use kernel::Clock;
use platform::lifecycle::Tasks;
use stores::{CacheOptions, Stores};

use crate::browser::{Browser, Shown, options, shop};

const PAGES: [&str; 4] = ["/", "/products", "/categories/ceramics?sort=price_descending", "/products/harbour-pitcher"];

/// A storefront that keeps its pages, on a clock that stands still.
fn keeping() -> (Browser, Stores, Clock) {
    let clock = Clock::frozen(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
    let cache = CacheOptions { max_bytes: 10_000_000, ttl: Duration::from_secs(30), stale_for: Duration::from_secs(600) };
    let stores = Stores::new(cache, clock.clone(), Tasks::new());
    let api = shop();
    let client = Client::in_process(api.router(), "let us in".into());
    let mut options = options(client, "http://127.0.0.1:8080", &PathBuf::from("no such folder"));
    options.stores = stores.clone();
    (Browser::of(api, storefront::router(options)), stores, clock)
}

fn requests(browser: &Browser) -> usize {
    browser.api.memory().requests.len()
}

async fn with(browser: &Browser, method: &str, address: &str, name: header::HeaderName, value: &str) -> Shown {
    let request = Request::builder().method(method).uri(address).header(header::HOST, "127.0.0.1:8080").header(name, value);
    browser.raw(request.body("".into()).unwrap()).await
}

#[tokio::test]
async fn a_page_that_was_made_once_needs_no_api() {
    let (mut browser, _, clock) = keeping();
    let mut warm = Vec::new();
    for address in PAGES {
        warm.push(browser.get(address).await);
    }
    let asked = requests(&browser);
    browser.api.memory().is_down = true;
    for (address, warm) in PAGES.iter().zip(&warm) {
        let again = browser.get(address).await;
        assert_eq!((again.status, &again.html), (StatusCode::OK, &warm.html), "{address}");
        assert_eq!(again.header("content-security-policy"), warm.header("content-security-policy"), "{address}");
        assert!(again.header("content-security-policy").contains("default-src"), "{address}");
    }
    assert_eq!(requests(&browser), asked, "the API was called");
    // Beyond its time to live a page is served while the API is away; what was never made is not there.
    clock.advance(TimeDelta::seconds(60));
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    assert_eq!(browser.get("/products/moon-vase").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.get("/cart").await.status, StatusCode::SERVICE_UNAVAILABLE);
    browser.api.memory().is_down = false;
    clock.advance(TimeDelta::seconds(2));
    assert_eq!(browser.get("/products/moon-vase").await.status, StatusCode::OK);
}

#[tokio::test]
async fn everybody_gets_the_same_page_and_a_cart_shows_beside_it() {
    let (mut browser, _, _) = keeping();
    browser.post("/cart/lines", &[("product", "breakfast-tea"), ("quantity", "2")]).await;
    assert!(browser.cookies.contains_key("has_cart"));
    let mut stranger = browser.stranger();
    for address in PAGES {
        let shown = browser.get(address).await;
        assert_eq!(shown.html, stranger.get(address).await.html, "{address}");
        shown.hides(&["2 items", "cart_count"]).shows(&["aria-label=\"Cart\" data-cart"]);
        assert_eq!((shown.header("set-cookie"), shown.header("vary")), ("", "Accept-Encoding"), "{address}");
        assert!(shown.header("cache-control").starts_with("public"), "{address}");
    }
    let count = browser.get("/cart/count").await;
    assert_eq!((count.html.as_str(), count.header("cache-control")), ("2", "no-store"));
    assert_eq!(stranger.get("/cart/count").await.html, "0");
    browser.get("/cart").await.shows(&["Cart, 2 items"]);
}

#[tokio::test]
async fn a_change_is_seen_as_soon_as_it_is_told() {
    let (mut browser, stores, _) = keeping();
    browser.get("/products/breakfast-tea").await.shows(&["€11.00"]);
    let tea = browser.api.memory().products[1].variants[0].id;
    browser.api.set_price(tea, 1_200);
    browser.get("/products/breakfast-tea").await.shows(&["€11.00"]);
    stores.bus().tell(&["catalogue"]);
    browser.get("/products/breakfast-tea").await.shows(&["€12.00"]);
    let memory = browser.api.memory();
    let told: Vec<bool> = memory.requests.iter().map(|(_, headers)| headers.contains_key("x-fresher-than-ms")).collect();
    assert_eq!((told.first(), told.last()), (Some(&false), Some(&true)), "the API hears that there was a change");
}

#[tokio::test]
async fn what_is_sent_fits_the_client() {
    let (browser, _, _) = keeping();
    let plain = with(&browser, "GET", "/", header::ACCEPT, "text/html").await;
    for (accepts, coding) in [("gzip, deflate, br", "br"), ("gzip", "gzip")] {
        let coded = with(&browser, "GET", "/", header::ACCEPT_ENCODING, accepts).await;
        assert_eq!((coded.header("content-encoding"), coded.header("etag")), (coding, plain.header("etag")));
    }
    let known = with(&browser, "GET", "/", header::IF_NONE_MATCH, plain.header("etag")).await;
    assert_eq!((known.status, known.html.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert!(!known.header("surrogate-key").is_empty());
    let head = with(&browser, "HEAD", "/", header::ACCEPT, "text/html").await;
    assert_eq!((head.status, head.html.as_str(), head.header("content-length")), (StatusCode::OK, "", plain.html.len().to_string().as_str()));
}

#[tokio::test]
async fn what_a_client_makes_up_is_not_kept() {
    let (mut browser, stores, _) = keeping();
    for address in ["/", "/products", "/products/breakfast-tea"] {
        browser.get(address).await;
    }
    let kept = stores.renders().size().await.0;
    for address in [
        "/?utm_source=mail",
        "/products?sort=nonsense&page=7",
        "/products?after=nonsense",
        "/products/breakfast-tea?fbclid=1",
        "/products/breakfast-tea?quantity=3",
        "/products/%62reakfast-tea",
        "/products/unknown",
        "/categories/unknown",
        "/nothing",
    ] {
        browser.get(address).await;
    }
    for host in ["a.example", "b.example"] {
        let request = Request::get("/").header(header::HOST, host).body("".into()).unwrap();
        assert_eq!(browser.raw(request).await.status, StatusCode::OK);
    }
    assert_eq!(stores.renders().size().await.0, kept);
    browser.get("/products/breakfast-tea?quantity=3").await.shows(&["value=\"3\""]);
}
