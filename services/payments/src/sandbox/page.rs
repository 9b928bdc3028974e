//! The page of the second step, as a bank would show it: plain, without script or style, usable from the keyboard.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use platform::http::Path;
use service::{Context, Failure};

use super::server;
use crate::store::sandbox::{self as books, Payment, PaymentState};

/// Nothing may be loaded, framed or run; the form leads back here.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The page's routes, outside both API surfaces.
pub(crate) fn routes(context: &Context) -> Router {
    Router::new().route("/sandbox/payments/{reference}", get(show).post(decide)).with_state(context.clone())
}

async fn show(State(context): State<Context>, Path(reference): Path<String>) -> Result<Response, Failure> {
    let mut conn = context.db().read_latest().await?;
    let payment = books::find_by_reference(&mut conn, &reference).await?;
    Ok(payment.as_ref().map_or_else(unknown, |payment| page(StatusCode::OK, &body(payment))))
}

async fn decide(State(context): State<Context>, Path(reference): Path<String>, form: Bytes) -> Result<Response, Failure> {
    let decision = form_urlencoded::parse(&form).find(|(name, _)| name == "decision").map(|(_, value)| value.into_owned());
    let approves = match decision.as_deref() {
        Some("approve") => true,
        Some("decline") => false,
        _ => return Ok(page(StatusCode::BAD_REQUEST, "<h1>Nothing was decided</h1>\n<p>Go back and choose approve or decline.</p>")),
    };
    let payment = context.detached("sandbox decision", server::decide(context.clone(), reference, approves)).await?;
    Ok(payment.as_ref().map_or_else(unknown, see_other))
}

fn see_other(payment: &Payment) -> Response {
    let location = HeaderValue::from_str(return_url(payment)).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]).into_response()
}

fn return_url(payment: &Payment) -> &str {
    payment.return_url.as_deref().unwrap_or("/")
}

fn unknown() -> Response {
    page(StatusCode::NOT_FOUND, "<h1>No such payment</h1>\n<p>Check the address, or go back to the shop.</p>")
}

fn body(payment: &Payment) -> String {
    let amount = payment.amount.map(|amount| amount.to_string()).unwrap_or_default();
    let back = escape(return_url(payment));
    let over = match payment.state {
        PaymentState::RequiresAction => {
            return format!(
                "<h1>Confirm your payment</h1>\n<p>Amount: <strong>{amount}</strong></p>\n<p>This is a trial. No money moves.</p>\n\
                 <form method=\"post\" action=\"/sandbox/payments/{}\">\n\
                 <p><button type=\"submit\" name=\"decision\" value=\"approve\">Approve</button>\n\
                 <button type=\"submit\" name=\"decision\" value=\"decline\">Decline</button></p>\n</form>",
                escape(&payment.reference)
            );
        }
        PaymentState::Authorized => "was approved",
        PaymentState::Declined => "was declined",
        PaymentState::Processing => "is being worked on",
        PaymentState::Canceled | PaymentState::Voided => "was canceled",
    };
    format!("<h1>Nothing left to confirm</h1>\n<p>This payment {over}.</p>\n<p><a href=\"{back}\">Back to the shop</a></p>")
}

fn page(status: StatusCode, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n<title>Sandbox bank</title>\n</head>\n\
         <body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        // The address is the secret that opens the page.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, html).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
