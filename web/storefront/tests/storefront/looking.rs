//! Looking around: home, lists, products, errors.

use catalog_api::{Feature, FeatureLink, MediaReference, MediaSource};
use http::{Request, StatusCode, header};

use crate::api::{category, product};
use crate::browser::Browser;

#[tokio::test]
async fn the_home_page_shows_the_shop_and_what_it_sells() {
    let mut browser = Browser::new();
    let home = browser.get("/").await;
    assert_eq!(home.status, StatusCode::OK);
    home.shows(&[
        "Saltmarsh Supply",
        "Harbour Pitcher",
        "from €38.00",
        "href=\"/categories/ceramics\"",
        "Tea &amp; coffee",
        "Standard delivery for €4.90",
        "aria-label=\"Cart\"",
    ]);
    home.hides(&["wishlist", "newsletter", "review", "Sign in"]);
}

#[tokio::test]
async fn the_home_page_tells_what_the_shop_has_to_tell() {
    let mut browser = Browser::new();
    let picture = |name: &str| MediaReference {
        url: format!("/media/{name}-960.webp"),
        alt: name.to_owned(),
        width: 960,
        height: 720,
        option_value: None,
        sources: [320, 960].map(|width| MediaSource { url: format!("/media/{name}-{width}.webp"), width }).to_vec(),
    };
    let feature = |title: &str, narrow_image| Feature {
        title: title.to_owned(),
        text: "Chosen slowly.".to_owned(),
        link: Some(FeatureLink { label: format!("Go to {title}"), path: "/categories/ceramics".to_owned() }),
        image: picture("scene"),
        narrow_image,
    };
    browser.api.memory().channel.features = vec![feature("Made for every day", Some(picture("tall"))), feature("A desk", None)];
    browser.api.memory().categories[0].image = Some(picture("room"));
    let home = browser.get("/").await;
    home.shows(&["<h1>Made for every day</h1>", "<h2>A desk</h2>", "href=\"/categories/ceramics\">Go to A desk"]);
    home.shows(&[
        "<source media=\"(min-width: 60rem)\" srcset=\"/media/scene-320.webp 320w, /media/scene-960.webp 960w\"",
        "src=\"/media/tall-960.webp\"",
        "src=\"/media/room-960.webp\"",
    ]);
}

#[tokio::test]
async fn a_category_lists_its_products_in_the_order_of_the_address() {
    let mut browser = Browser::new();
    let list = browser.get("/categories/ceramics?sort=price_descending").await;
    list.shows(&[
        "<h1 class=\"display\">Ceramics</h1>",
        "Stoneware thrown in small batches.",
        "2 pieces",
        "<option value=\"price_descending\" selected>",
        "Sold out",
    ]);
    assert!(list.html.find("Moon Vase") < list.html.find("Harbour Pitcher"));
    list.hides(&["Breakfast"]);
}

#[tokio::test]
async fn long_lists_are_paged_by_address() {
    let mut browser = Browser::new();
    let ceramics = category("plates", "Plates", "");
    let plates =
        (0..30).map(|number| product(&format!("plate-{number}"), &format!("Plate {number}"), &ceramics, &[], &[(&[], 100, catalog_api::StockBand::In)]));
    browser.api.memory().products.extend(plates);
    browser.api.memory().categories.push(ceramics);
    let first = browser.get("/categories/plates").await;
    first.shows(&["Plate 23", "30 pieces", "href=\"/categories/plates?after=24\""]).hides(&["Plate 24", "First pieces"]);
    let second = browser.get("/categories/plates?after=24").await;
    second.shows(&["Plate 24", "Plate 29", "href=\"/categories/plates\" hx-get=\"/categories/plates\">First pieces"]).hides(&["Plate 23", "More pieces"]);
    assert_eq!(browser.get("/categories/plates?after=nonsense").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_product_shows_what_can_be_had_and_what_cannot() {
    let mut browser = Browser::new();
    let page = browser.get("/products/harbour-pitcher").await;
    // The first variant that can be had is chosen.
    page.shows(&[
        "value=\"Sea\" data-choice checked",
        "value=\"0.6 litre\" data-choice checked",
        "In stock",
        "€38.00",
        "First paragraph.",
        "SKU HARBOUR-PITCHER-0",
    ]);
    page.shows(&["<span>1.2 litre</span><small>Sold out in Sea</small>", "value=\"Chalk\" data-choice disabled", "<span>Chalk</span><small>Sold out</small>"]);
}

#[tokio::test]
async fn choosing_options_by_address_shows_their_price_and_stock() {
    let mut browser = Browser::new();
    let page = browser.get("/products/harbour-pitcher?option.Glaze=Rust&option.Size=1.2+litre&quantity=2&more=1").await;
    page.shows(&["value=\"Rust\" data-choice checked", "· €48.00", "In stock", "<span>0.6 litre</span><small>€38.00</small>"]);
    assert_eq!(page.value("quantity"), "3");
    let page = browser.get("/products/harbour-pitcher?option.Glaze=Chalk&option.Size=1.2+litre").await;
    page.shows(&["Not made in this combination", "<small>Not made in Chalk</small>"]);
    let page = browser.get("/products/harbour-pitcher?option.Glaze=Gold").await;
    page.shows(&["value=\"Sea\" data-choice checked"]);
}

#[tokio::test]
async fn a_product_that_is_sold_out_keeps_its_page() {
    let mut browser = Browser::new();
    browser.get("/products/moon-vase").await.shows(&["<button class=\"button wide\" disabled>Sold out</button>", "Moon Vase"]);
}

#[tokio::test]
async fn a_slug_a_product_once_had_leads_to_its_page() {
    let mut browser = Browser::new();
    let moved = browser.once("GET", "/products/old-pitcher?option.Glaze=Rust&utm=1", None).await;
    assert_eq!((moved.status, moved.header("location")), (StatusCode::PERMANENT_REDIRECT, "/products/harbour-pitcher?option.Glaze=Rust"));
}

#[tokio::test]
async fn text_of_the_catalogue_never_becomes_markup() {
    let mut browser = Browser::new();
    for address in ["/", "/products", "/products/breakfast-tea"] {
        browser.get(address).await.shows(&["Breakfast &lt;Tea&gt;"]).hides(&["<Tea>"]);
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_within_the_shop() {
    let mut browser = Browser::new();
    for address in ["/nothing", "/products/unknown", "/categories/unknown", "/orders/ord_1", "/static/none.css", "/products/%2e%2e"] {
        let page = browser.get(address).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{address}");
        page.shows(&["This shelf is empty", "href=\"/categories/ceramics\"", "Harbour Pitcher"]);
    }
}

#[tokio::test]
async fn an_api_that_is_away_is_said_without_it() {
    let mut browser = Browser::new();
    browser.api.memory().is_down = true;
    for address in ["/", "/products/harbour-pitcher", "/cart"] {
        let page = browser.get(address).await;
        assert_eq!((page.status, page.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"), "{address}");
        page.shows(&["Back in a moment"]);
    }
    browser.get("/nothing").await.shows(&["This shelf is empty"]);
}

#[tokio::test]
async fn a_page_stays_up_when_only_the_cart_is_gone() {
    let mut browser = Browser::new();
    browser.post("/cart/lines", &[("product", "breakfast-tea"), ("quantity", "2")]).await;
    assert_eq!(browser.get("/cart/count").await.html, "2");
    browser.api.memory().carts.clear();
    assert_eq!(browser.get("/cart/count").await.html, "0");
    browser.get("/products/breakfast-tea").await.shows(&["Breakfast"]);
}

#[tokio::test]
async fn every_page_is_shut_to_what_is_not_ours() {
    let mut browser = Browser::at("https://shop.example");
    for address in ["/", "/nothing", "/cart"] {
        let page = browser.get(address).await;
        let policy = page.header("content-security-policy");
        for part in ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert!(page.header("strict-transport-security").starts_with("max-age="));
        let is_shared = address == "/";
        assert_eq!(page.header("cache-control").starts_with("private"), !is_shared, "{address}");
        assert_eq!(page.header("vary").contains("Cookie"), !is_shared, "{address}");
    }
    assert_eq!(Browser::new().get("/").await.header("strict-transport-security"), "");
}

#[tokio::test]
async fn forms_of_another_site_are_refused() {
    let browser = Browser::new();
    let send = |site: &'static str| {
        let request = Request::builder().method("POST").uri("/cart/lines").header(header::HOST, "127.0.0.1:8080").header("sec-fetch-site", site);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body("product=breakfast-tea&quantity=1".into()).unwrap();
        browser.raw(request)
    };
    let refused = send("cross-site").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    refused.shows(&["This came from somewhere else"]);
    assert!(browser.api.memory().carts.is_empty());
    assert_eq!(send("same-origin").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn requests_of_another_form_are_refused_with_a_page() {
    let mut browser = Browser::new();
    let json = Request::post("/cart/lines").header(header::CONTENT_TYPE, "application/json").body("{}".into()).unwrap();
    assert_eq!(browser.raw(json).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = browser.once("POST", "/cart/lines", Some(format!("product={}", "x".repeat(100_000)))).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    let wrong = browser.once("DELETE", "/cart", None).await;
    assert_eq!((wrong.status, wrong.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET,HEAD"));
    wrong.shows(&["That does not work here"]);
}

#[tokio::test]
async fn the_api_hears_on_whose_behalf_a_page_is_made() {
    let mut browser = Browser::new();
    browser.get("/").await;
    let memory = browser.api.memory();
    assert!(!memory.requests.is_empty());
    for (request, headers) in &memory.requests {
        assert_eq!(headers.get("x-internal-credential").unwrap(), "let us in", "{request}");
        assert_eq!(headers.get("x-client-address").unwrap(), "0.0.0.0", "{request}");
        assert_eq!(headers.get("x-forwarded-host").unwrap(), "127.0.0.1:8080", "{request}");
        assert!(headers.get("cookie").is_none(), "{request}");
    }
}
