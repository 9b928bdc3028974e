use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};

use crate::shop::Shop;

/// What a page may load and where its forms may lead: this shop, and nothing inline.
///
/// Browsers check where a sent form is redirected to as well, so the payment providers' pages stand beside our own.
pub(crate) fn content_security_policy(public_url: &str, media_origins: &[String], payment_origins: &[String]) -> String {
    let with = |origins: &[String]| origins.iter().fold("'self'".to_owned(), |list, origin| format!("{list} {origin}"));
    let (images, forms) = (with(media_origins), with(payment_origins));
    let policy = format!("default-src 'self'; img-src {images}; form-action {forms}; object-src 'none'; base-uri 'none'; frame-ancestors 'none'");
    if public_url.starts_with("https://") { format!("{policy}; upgrade-insecure-requests") } else { policy }
}

/// Adds the headers that keep a page to itself.
pub(crate) async fn secure(State(shop): State<Shop>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut add = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.entry(name).or_insert(value);
        }
    };
    add(header::CONTENT_SECURITY_POLICY, shop.content_security_policy());
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::REFERRER_POLICY, "same-origin");
    add(header::X_FRAME_OPTIONS, "DENY");
    add(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    add(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    add(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    if shop.public_url().starts_with("https://") {
        add(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000");
    }
    response
}
