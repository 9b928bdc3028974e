//! What machines read of the shop: search engines, apps that show a link, phones that keep it.

use catalog_api::StockBand;
use http::StatusCode;
use serde_json::Value;

use crate::api::{category, product};
use crate::browser::{Browser, Shown};

/// The facts a page tells in the words of schema.org, of one kind.
fn facts(page: &Shown, kind: &str) -> Value {
    let blocks = page.html.split("<script type=\"application/ld+json\">").skip(1).map(|rest| rest.split("</script>").next().unwrap());
    blocks.map(|block| serde_json::from_str::<Value>(block).unwrap()).find(|fact| fact["@type"] == kind).unwrap_or(Value::Null)
}

/// The places a site map names.
fn places(map: &Shown) -> Vec<&str> {
    map.html.split("<loc>").skip(1).map(|rest| rest.split("</loc>").next().unwrap()).collect()
}

#[tokio::test]
async fn robots_are_kept_from_what_is_somebodys_own_and_shown_the_map() {
    let robots = Browser::at("https://shop.example").get("/robots.txt").await;
    assert_eq!(robots.header("content-type"), "text/plain; charset=utf-8");
    robots.shows(&["User-agent: *", "Disallow: /cart", "Disallow: /checkout", "Disallow: /orders/", "Sitemap: https://shop.example/sitemap.xml"]);
}

#[tokio::test]
async fn the_site_maps_name_every_page_that_is_to_be_found() {
    let mut browser = Browser::at("https://shop.example");
    let plates = category("plates", "Plates", "");
    let many = (0..250).map(|number| product(&format!("plate-{number}"), "Plate", &plates, &[], &[(&[], 100, StockBand::In)]));
    browser.api.memory().products.extend(many);
    let index = browser.get("/sitemap.xml").await;
    assert_eq!(index.header("content-type"), "application/xml; charset=utf-8");
    let maps: Vec<String> = places(&index).iter().map(|place| place.strip_prefix("https://shop.example").unwrap().to_owned()).collect();
    assert_eq!(maps.len(), 4, "{maps:?}");
    let mut found = Vec::new();
    for map in &maps {
        let map = browser.get(map).await;
        assert_eq!(map.status, StatusCode::OK);
        found.extend(places(&map).iter().map(|place| (*place).to_owned()));
    }
    for page in ["/", "/products", "/categories/ceramics", "/products/harbour-pitcher", "/products/plate-0", "/products/plate-249"] {
        assert_eq!(found.iter().filter(|place| **place == format!("https://shop.example{page}")).count(), 1, "{page}");
    }
    assert_eq!(found.len(), 2 + 2 + 253);
    assert_eq!(browser.get("/sitemaps/products.xml?after=nonsense").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_index_of_site_maps_is_bounded() {
    let mut browser = Browser::new();
    let plates = category("plates", "Plates", "");
    let many = (0..6_000).map(|number| product(&format!("plate-{number}"), "Plate", &plates, &[], &[(&[], 100, StockBand::In)]));
    browser.api.memory().products = many.collect();
    assert_eq!(places(&browser.get("/sitemap.xml").await).len(), 50);
}

#[tokio::test]
async fn a_product_tells_its_price_stock_and_place() {
    let mut browser = Browser::at("https://shop.example");
    let page = browser.get("/products/harbour-pitcher?option.Glaze=Rust").await;
    page.shows(&[
        "<link rel=\"canonical\" href=\"https://shop.example/products/harbour-pitcher\">",
        "<meta name=\"description\" content=\"Harbour Pitcher, in one sentence.\">",
        "<meta property=\"og:type\" content=\"product\">",
        "<meta property=\"og:title\" content=\"Harbour Pitcher\">",
        "<meta property=\"og:image\" content=\"https://shop.example/media/harbour-pitcher.svg\">",
    ]);
    let product = facts(&page, "Product");
    assert_eq!(product["name"], "Harbour Pitcher");
    assert_eq!(product["image"][0], "https://shop.example/media/harbour-pitcher.svg");
    let offers = &product["offers"];
    assert_eq!((offers["lowPrice"].as_str(), offers["highPrice"].as_str()), (Some("38.00"), Some("48.00")));
    assert_eq!((offers["priceCurrency"].as_str(), offers["availability"].as_str()), (Some("EUR"), Some("https://schema.org/InStock")));
    let trail = facts(&page, "BreadcrumbList");
    let steps: Vec<&str> = trail["itemListElement"].as_array().unwrap().iter().map(|step| step["item"].as_str().unwrap()).collect();
    assert_eq!(steps, ["https://shop.example/", "https://shop.example/categories/ceramics", "https://shop.example/products/harbour-pitcher"]);

    let sold_out = browser.get("/products/moon-vase").await;
    assert_eq!(facts(&sold_out, "Product")["offers"]["availability"], "https://schema.org/OutOfStock");
}

#[tokio::test]
async fn facts_never_become_markup() {
    let mut browser = Browser::new();
    browser.api.memory().products[1].title = "</script><script>alert(1)</script>".to_owned();
    let page = browser.get("/products/breakfast-tea").await;
    page.hides(&["<script>"]);
    assert_eq!(facts(&page, "Product")["name"], "</script><script>alert(1)</script>");
}

#[tokio::test]
async fn parts_of_a_list_are_pages_and_orders_of_it_are_not() {
    let mut browser = Browser::at("https://shop.example");
    let plates = category("plates", "Plates", "");
    let many = (0..30).map(|number| product(&format!("plate-{number}"), "Plate", &plates, &[], &[(&[], 100, StockBand::In)]));
    browser.api.memory().products.extend(many);
    browser.api.memory().categories.push(plates);
    let canonical = |path: &str| format!("<link rel=\"canonical\" href=\"https://shop.example{path}\">");
    browser.get("/categories/plates").await.shows(&[&canonical("/categories/plates"), "<meta name=\"description\" content=\"Plates at Saltmarsh Supply.\">"]);
    browser.get("/categories/plates?after=24").await.shows(&[&canonical("/categories/plates?after=24")]);
    browser.get("/categories/plates?sort=title&after=24").await.shows(&[&canonical("/categories/plates")]);
}

#[tokio::test]
async fn pages_that_are_somebodys_own_are_not_to_be_found() {
    let mut browser = Browser::new();
    browser.post("/cart/lines", &[("product", "breakfast-tea"), ("quantity", "1")]).await;
    for address in ["/cart", "/checkout", "/nothing"] {
        browser.get(address).await.shows(&["<meta name=\"robots\" content=\"noindex\">"]).hides(&["rel=\"canonical\"", "og:"]);
    }
    browser.get("/").await.hides(&["noindex"]);
}

#[tokio::test]
async fn a_phone_can_keep_the_shop_under_its_name_and_icon() {
    let mut browser = Browser::new();
    browser.get("/").await.shows(&["<link rel=\"manifest\" href=\"/manifest.webmanifest\">"]);
    let shown = browser.get("/manifest.webmanifest").await;
    assert_eq!(shown.header("content-type"), "application/manifest+json");
    let manifest: Value = serde_json::from_str(&shown.html).unwrap();
    assert_eq!((manifest["name"].as_str(), manifest["lang"].as_str()), (Some("Saltmarsh Supply"), Some("en")));
    for icon in manifest["icons"].as_array().unwrap() {
        let file = browser.get(icon["src"].as_str().unwrap()).await;
        assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, "image/png"));
    }
    let icon = browser.get("/favicon.ico").await;
    assert_eq!((icon.status, icon.header("content-type")), (StatusCode::OK, "image/x-icon"));
}
