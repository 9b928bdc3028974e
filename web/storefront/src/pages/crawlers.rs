//! What machines ask a shop for: `robots.txt`, site maps, the manifest of an app.

use std::fmt::Write;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use catalog_api::ProductQuery;
use catalog_api::endpoints::{GET_CHANNEL, LIST_CATEGORIES, LIST_PRODUCTS};
use http::header;
use serde_json::json;

use crate::error::PageError;
use crate::fields::QueryFields;
use crate::shop::Shop;
use crate::visit::Visit;

/// How many products one site map names: a page of the API's.
const PRODUCTS: u32 = 100;
/// How many site maps the index names at most; making it asks the API once for each. What lies beyond is found by way of the lists.
const MAPS: usize = 50;
const XML: &str = "application/xml; charset=utf-8";
const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// What crawlers may not read: pages that are somebody's own.
pub(crate) async fn robots(State(shop): State<Shop>) -> Response {
    let text = format!("User-agent: *\nDisallow: /cart\nDisallow: /checkout\nDisallow: /orders/\n\nSitemap: {}/sitemap.xml\n", shop.public_url());
    answer("text/plain; charset=utf-8", text)
}

/// The index of the site maps: one of the shop's pages and categories, and as many of products as there are pages of them.
pub(crate) async fn sitemap_index(State(shop): State<Shop>, visit: Visit) -> Result<Response, PageError> {
    let mut places = vec!["/sitemaps/pages.xml".to_owned(), "/sitemaps/products.xml".to_owned()];
    let mut after = None;
    while places.len() < MAPS {
        let query = ProductQuery { limit: Some(PRODUCTS), after, ..ProductQuery::default() };
        let Some(next) = shop.call(&visit, &LIST_PRODUCTS).query(&query).send().await?.body.next else { break };
        // A cursor holds nothing but letters, digits, `-` and `_`.
        places.push(format!("/sitemaps/products.xml?after={next}"));
        after = Some(next);
    }
    Ok(answer(XML, map("sitemapindex", "sitemap", shop.public_url(), &places)))
}

/// The home page, the list of everything, and the categories.
pub(crate) async fn sitemap_of_pages(State(shop): State<Shop>, visit: Visit) -> Result<Response, PageError> {
    let categories = shop.call(&visit, &LIST_CATEGORIES).send().await?.body.items;
    let fixed = ["/", "/products"].map(ToOwned::to_owned);
    let places: Vec<String> = fixed.into_iter().chain(categories.iter().map(|category| format!("/categories/{}", category.slug))).collect();
    Ok(answer(XML, map("urlset", "url", shop.public_url(), &places)))
}

/// A page of products.
pub(crate) async fn sitemap_of_products(State(shop): State<Shop>, visit: Visit, query: QueryFields) -> Result<Response, PageError> {
    let query = ProductQuery { limit: Some(PRODUCTS), after: query.0.get("after").map(ToOwned::to_owned), ..ProductQuery::default() };
    let products = shop.call(&visit, &LIST_PRODUCTS).query(&query).send().await?.body.items;
    let places: Vec<String> = products.iter().map(|product| format!("/products/{}", product.slug)).collect();
    Ok(answer(XML, map("urlset", "url", shop.public_url(), &places)))
}

/// How the shop looks when it is put on the home screen of a phone.
pub(crate) async fn manifest(State(shop): State<Shop>, visit: Visit) -> Result<Response, PageError> {
    let channel = shop.call(&visit, &GET_CHANNEL).send().await?.body;
    let icon = |name: &str, size: u16, purpose: &str| {
        let side = format!("{size}x{size}");
        json!({ "src": shop.assets().address(name), "sizes": side, "type": "image/png", "purpose": purpose })
    };
    let manifest = json!({
        "name": channel.name,
        "short_name": channel.name,
        "lang": channel.locale,
        "start_url": "/",
        "scope": "/",
        "display": "minimal-ui",
        "background_color": "#fbfaf7",
        "theme_color": "#fbfaf7",
        "icons": [icon("icon-192.png", 192, "any"), icon("icon-512.png", 512, "any"), icon("icon-maskable-512.png", 512, "maskable")],
    });
    Ok(answer("application/manifest+json", manifest.to_string()))
}

/// The icon that is asked for without looking into a page.
pub(crate) async fn favicon(State(shop): State<Shop>) -> Result<Response, PageError> {
    let bytes = shop.assets().bytes("favicon.ico").ok_or(PageError::NotFound)?;
    Ok(([(header::CONTENT_TYPE, "image/x-icon"), (header::CACHE_CONTROL, "public, max-age=86400")], bytes).into_response())
}

fn answer(content_type: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "public, max-age=600")], text).into_response()
}

fn map(kind: &str, entry: &str, origin: &str, places: &[String]) -> String {
    let mut text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{kind} xmlns=\"{NAMESPACE}\">\n");
    for place in places {
        // Writing into a text never fails. Neither slugs nor cursors hold what XML would need escaped.
        _ = writeln!(text, "<{entry}><loc>{origin}{place}</loc></{entry}>");
    }
    text + &format!("</{kind}>\n")
}
