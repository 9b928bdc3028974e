//! The back office: pages for staff, rendered on the server, usable without JavaScript.
//!
//! Everything shown and done goes through the public admin API by the client; this crate owns the session cookie and nothing else.

mod assets;
mod carried;
mod chips;
mod csv;
mod door;
mod dress;
mod fields;
mod format;
mod inventory;
mod jobs;
mod notice;
mod orders;
mod picture;
mod products;
#[cfg(test)]
mod samples;
mod search;
mod session;
mod templates;
mod today;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use client::Client;
use kernel::Problem;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::set_header::SetResponseHeaderLayer;

use assets::Assets;
use templates::Templates;

pub use templates::TemplateError;

/// What the back office needs from the binary.
#[derive(Debug, Clone)]
pub struct BackofficeOptions {
    /// How the admin API is reached.
    pub client: Client,
    /// The address people use, such as `https://shop.example`: forms sent from there are ours, also behind a proxy that renames the host.
    pub public_url: Option<String>,
}

/// What every handler works with.
#[derive(Debug, Clone)]
pub(crate) struct Office {
    client: Client,
    templates: Templates,
    assets: Arc<Assets>,
}

/// Only our own files, no inline style or script, no frame, no other host but for pictures.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; font-src 'self'; img-src 'self' https:; \
                              form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the office never asks a browser for.
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

/// Makes the router of every path under `/backoffice`, to be merged by the binary.
///
/// # Errors
/// A template does not compile.
pub fn router(options: BackofficeOptions) -> Result<Router, TemplateError> {
    let assets = Arc::new(Assets::load());
    let templates = Templates::load(assets.clone())?;
    let csrf = csrf(options.public_url.as_deref());
    let office = Office { client: options.client, templates, assets };
    let routes = Router::new()
        .route("/backoffice", get(today::today))
        .route("/backoffice/", get(async || Redirect::to("/backoffice")))
        .route("/backoffice/search", get(search::search))
        .merge(door::routes())
        .merge(orders::routes())
        .merge(products::routes())
        .merge(inventory::routes())
        .merge(jobs::routes())
        .route("/backoffice/{*rest}", any(async || Problem::not_found("page")))
        .method_not_allowed_fallback(async || Problem::new(405, "method_not_allowed", "This page cannot be asked for like that"));
    let pages = routes
        .route_layer(csrf.with_rejection_response(|_: ProtectionError| cross_site()))
        .route_layer(from_fn_with_state(office.clone(), dress::dress))
        .route_layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    let router = pages
        .route("/backoffice/static/{name}", get(file))
        .route_layer(SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY)))
        .route_layer(SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .route_layer(SetResponseHeaderLayer::overriding(header::REFERRER_POLICY, HeaderValue::from_static("same-origin")))
        .route_layer(SetResponseHeaderLayer::overriding(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")))
        .route_layer(SetResponseHeaderLayer::overriding(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")))
        .route_layer(SetResponseHeaderLayer::overriding(HeaderName::from_static("permissions-policy"), HeaderValue::from_static(PERMISSIONS)))
        .route_layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(NotForContentType::const_new("font/"))));
    Ok(router.with_state(office))
}

/// Shows every problem that comes out of `router` as a page to those who ask for pages. It stands around every other layer.
pub fn refusals_as_pages(router: Router) -> Router {
    match Templates::load(Arc::new(Assets::load())) {
        Ok(templates) => router.layer(from_fn_with_state(templates, dress::refuse_in_pages)),
        // The router itself could not have been made either.
        Err(error) => {
            tracing::error!(%error, "refusals stay documents");
            router
        }
    }
}

/// The headers that guard a page, for one that is made outside of the layers that set them.
pub(crate) fn guarded(mut page: Response) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in headers {
        page.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    page
}

/// Forms from other sites are refused by what the browser says about their origin (Fetch metadata); no token in the page is needed.
fn csrf(public_url: Option<&str>) -> CsrfLayer {
    let Some(url) = public_url else { return CsrfLayer::new() };
    CsrfLayer::new().add_trusted_origin(url.trim_end_matches('/')).unwrap_or_else(|error| {
        tracing::warn!(%error, url, "the public address is no origin; forms are checked against the request's host only");
        CsrfLayer::new()
    })
}

fn cross_site() -> Response {
    Problem::new(403, "cross_site_request", "This came from another site")
        .detail("Open the page in the back office itself and send it from there.")
        .into_response()
}

async fn file(State(office): State<Office>, platform::http::Path(name): platform::http::Path<String>) -> Response {
    office.assets.answer(&name)
}
