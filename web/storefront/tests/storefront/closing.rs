//! The shop closed for a while, and a shop whose API is away.

use client::Client;
use http::StatusCode;

use crate::browser::{Browser, options, shop};

/// A shop that is closed as long as the file is there; it is looked for at most once a second.
fn shop_with_a_switch(file: &std::path::Path) -> Browser {
    let api = shop();
    let client = Client::in_process(api.router(), "let us in".into());
    let mut options = options(client, "http://127.0.0.1:8080", std::path::Path::new("no such folder"));
    options.maintenance_file = Some(file.to_owned());
    Browser::of(api, storefront::router(options))
}

#[tokio::test]
async fn a_closed_shop_says_so_in_its_language_and_lets_those_through_who_paid() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maintenance");
    std::fs::write(&file, "").unwrap();
    let mut browser = shop_with_a_switch(&file);
    for address in ["/", "/products?in_stock=1", "/products/harbour-pitcher", "/cart", "/checkout", "/nothing"] {
        let page = browser.get(address).await;
        assert_eq!((page.status, page.header("retry-after"), page.header("refresh")), (StatusCode::SERVICE_UNAVAILABLE, "300", "30"), "{address}");
        page.shows(&["We will be back shortly", "Saltmarsh Supply", "<html lang=\"en\"", "Try again"]).hides(&["class=\"mainnav\""]);
        assert!(page.header("content-security-policy").contains("default-src 'self'"));
    }
    assert_eq!(browser.post("/cart/lines", &[("product", "breakfast-tea"), ("quantity", "1")]).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(browser.api.memory().carts.is_empty());
    for (address, status) in [("/robots.txt", StatusCode::OK), ("/manifest.webmanifest", StatusCode::OK), ("/orders/ord_1", StatusCode::NOT_FOUND)] {
        assert_eq!(browser.get(address).await.status, status, "{address}");
    }
    browser.api.memory().channel.locale = "de-AT".parse().unwrap();
    browser.get("/").await.shows(&["Wir sind gleich zurück", "<html lang=\"de-AT\"", "Noch einmal versuchen"]);
}

#[tokio::test]
async fn the_shop_opens_and_closes_within_a_second_or_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maintenance");
    let mut browser = shop_with_a_switch(&file);
    for closes in [false, true, false] {
        if closes {
            std::fs::write(&file, "").unwrap();
        } else {
            _ = std::fs::remove_file(&file);
        }
        tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
        let expected = if closes { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        assert_eq!(browser.get("/").await.status, expected);
    }
}

#[tokio::test]
async fn an_api_that_goes_away_is_said_in_the_language_and_the_name_of_the_shop() {
    let mut browser = Browser::new();
    browser.api.memory().channel.locale = "de".parse().unwrap();
    browser.get("/").await.shows(&["Saltmarsh Supply"]);
    browser.api.memory().is_down = true;
    let page = browser.get("/products?sort=title").await;
    assert_eq!((page.status, page.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"));
    page.shows(&["Gleich wieder da", "Saltmarsh Supply", "<html lang=\"de\"", "href=\"/products?sort=title\">Noch einmal versuchen"]);
}
