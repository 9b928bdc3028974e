//! The storefront: the shop as shoppers see it, rendered on the server and usable without JavaScript.
//!
//! It holds no data of its own. Whatever a page shows comes through [`client::Client`] from the public API; what a browser has to
//! remember (the cart's and the orders' secrets) lies in cookies that only this tier reads.

mod about;
mod asker;
mod assets;
mod closed;
mod cookies;
mod countries;
mod error;
mod fields;
mod headers;
mod media;
mod messages;
mod money;
mod pages;
mod refusals;
mod shared;
mod shell;
mod shop;
mod templates;
mod view;
mod visit;

use std::path::PathBuf;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use client::Client;
use http::{Extensions, HeaderMap, StatusCode, Version};
use stores::Stores;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};
use tower_http::csrf::CsrfLayer;

use error::PageError;
pub use refusals::refusals_as_pages;
use shared::Shared;
use shop::Shop;

/// The largest form a page sends.
const FORM_LIMIT_BYTES: usize = 64 * 1024;

/// What the storefront needs to know.
#[derive(Clone)]
pub struct StorefrontOptions {
    /// How the API is reached; it carries the internal credential.
    pub client: Client,
    /// The address shoppers use, such as `https://shop.example`. Its scheme decides whether cookies are `Secure`.
    pub public_url: String,
    /// Where the pictures behind `/media/` lie.
    pub media_folder: PathBuf,
    /// The code of the channel to sell in; found from the host name if absent.
    pub channel: Option<String>,
    /// Other origins that pictures may come from, such as `https://images.example`.
    pub media_origins: Vec<String>,
    /// Origins of payment providers a checkout may lead to, such as `https://pay.example`.
    pub payment_origins: Vec<String>,
    /// The file that closes the shop for a while as long as it is there.
    pub maintenance_file: Option<PathBuf>,
    /// Where pages that are the same for everybody are kept; those of the API, where it is in this process.
    pub stores: Stores,
}

/// Every page of the storefront, its static files and its media.
pub fn router(options: StorefrontOptions) -> Router {
    let csrf = csrf_layer(&options.public_url);
    let stores = options.stores.clone();
    let shop = Shop::new(options);
    let shared = Shared::new(shop.clone(), stores);
    Router::new()
        .route("/", get(pages::home::show))
        .route("/products", get(pages::listing::show_all))
        .route("/categories/{slug}", get(pages::listing::show_category))
        .route("/products/{slug}", get(pages::product::show))
        .route("/cart", get(pages::cart::show))
        .route("/cart/count", get(pages::cart::count))
        .route("/cart/lines", post(pages::product::add_to_cart))
        .route("/cart/lines/{line_id}", post(pages::cart::change_line))
        .route("/checkout", get(pages::checkout::show).post(pages::checkout::submit))
        .route("/checkout/return", get(pages::checkout::come_back))
        .route("/checkout/thanks/{order_id}", get(pages::order::thank))
        .route("/orders/{order_id}", get(pages::order::show))
        .route("/robots.txt", get(pages::crawlers::robots))
        .route("/sitemap.xml", get(pages::crawlers::sitemap_index))
        .route("/sitemaps/pages.xml", get(pages::crawlers::sitemap_of_pages))
        .route("/sitemaps/products.xml", get(pages::crawlers::sitemap_of_products))
        .route("/manifest.webmanifest", get(pages::crawlers::manifest))
        .route("/favicon.ico", get(pages::crawlers::favicon))
        .route("/static/{name}", get(assets::serve))
        .route("/media/{*path}", get(media::serve))
        .fallback(async || PageError::NotFound)
        .method_not_allowed_fallback(async || PageError::Refused { status: http::StatusCode::METHOD_NOT_ALLOWED })
        .layer(DefaultBodyLimit::max(FORM_LIMIT_BYTES))
        .layer(csrf.with_rejection_response(|_| -> Response { PageError::Refused { status: http::StatusCode::FORBIDDEN }.into_response() }))
        .layer(CatchPanicLayer::custom(|_panic: Box<dyn std::any::Any + Send>| PageError::Internal.into_response()))
        .layer(from_fn_with_state(shop.clone(), closed::gate))
        .layer(from_fn_with_state(shop.clone(), error::render_errors))
        .layer(from_fn_with_state(shop.clone(), headers::secure))
        .layer(from_fn_with_state(shared, shared::serve))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(is_made_for_one)))
        .with_state(shop)
}

/// Whether an answer was made for one request. What is kept is there in every coding that is worth it, and says what it shows.
fn is_made_for_one(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key(kernel::headers::SURROGATE_KEY)
}

/// Refuses forms that another site sends, by the browser's own word (Fetch metadata, else `Origin`).
fn csrf_layer(public_url: &str) -> CsrfLayer {
    // A gateway in front may rewrite `Host`; the public address is ours whatever it says.
    CsrfLayer::new().add_trusted_origin(public_url.trim_end_matches('/')).unwrap_or_else(|error| {
        tracing::warn!(%error, public_url, "the public address is no origin; forms are checked by their host alone");
        CsrfLayer::new()
    })
}
