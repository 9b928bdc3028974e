//! The page of the second step, as a bank would show it: without script, usable from the keyboard, in a look that is not the shop's.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use platform::http::Path;
use service::{Context, Failure};

use super::server;
use super::words::Words;
use crate::store::sandbox::{self as books, Payment, PaymentState};

/// Nothing may be loaded but the style, nothing framed or run; the form leads back here.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
/// The page's looks.
const STYLE: &str = include_str!("bank.css");

/// The page's routes, outside both API surfaces.
pub(crate) fn routes(context: &Context) -> Router {
    Router::new().route("/sandbox/bank.css", get(style)).route("/sandbox/payments/{reference}", get(show).post(decide)).with_state(context.clone())
}

async fn style() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, STYLE).into_response()
}

async fn show(State(context): State<Context>, Path(reference): Path<String>, sent: HeaderMap) -> Result<Response, Failure> {
    let words = words(&sent);
    let mut conn = context.db().read_latest().await?;
    let payment = books::find_by_reference(&mut conn, &reference).await?;
    Ok(payment.as_ref().map_or_else(|| unknown(words), |payment| page(StatusCode::OK, words, &body(payment, words))))
}

async fn decide(State(context): State<Context>, Path(reference): Path<String>, sent: HeaderMap, form: Bytes) -> Result<Response, Failure> {
    let words = words(&sent);
    let decision = form_urlencoded::parse(&form).find(|(name, _)| name == "decision").map(|(_, value)| value.into_owned());
    let approves = match decision.as_deref() {
        Some("approve") => true,
        Some("decline") => false,
        _ => return Ok(page(StatusCode::BAD_REQUEST, words, &told(words.undecided, words.undecided_text))),
    };
    let payment = context.detached("sandbox decision", server::decide(context.clone(), reference, approves)).await?;
    Ok(payment.as_ref().map_or_else(|| unknown(words), see_other))
}

fn words(sent: &HeaderMap) -> &'static Words {
    Words::of(sent.get(header::ACCEPT_LANGUAGE).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default())
}

fn see_other(payment: &Payment) -> Response {
    let location = HeaderValue::from_str(return_url(payment)).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]).into_response()
}

fn return_url(payment: &Payment) -> &str {
    payment.return_url.as_deref().unwrap_or("/")
}

fn unknown(words: &Words) -> Response {
    page(StatusCode::NOT_FOUND, words, &told(words.unknown, words.unknown_text))
}

fn told(title: &str, text: &str) -> String {
    format!("<h1>{title}</h1>\n<p>{text}</p>")
}

fn body(payment: &Payment, words: &Words) -> String {
    let amount = payment.amount.map(|amount| amount.to_string()).unwrap_or_default();
    let over = match payment.state {
        PaymentState::RequiresAction => {
            let Words { confirm, amount: amount_label, reference: reference_label, approve, decline, trial, .. } = words;
            let reference = escape(&payment.reference);
            return format!(
                "<h1>{confirm}</h1>\n<p>{trial}</p>\n\
                 <dl><div><dt>{amount_label}</dt><dd><strong>{amount}</strong></dd></div><div><dt>{reference_label}</dt><dd>{reference}</dd></div></dl>\n\
                 <form method=\"post\" action=\"/sandbox/payments/{reference}\" class=\"actions\">\n\
                 <button type=\"submit\" name=\"decision\" value=\"approve\">{approve}</button>\n\
                 <button type=\"submit\" name=\"decision\" value=\"decline\" class=\"quiet\">{decline}</button>\n</form>"
            );
        }
        PaymentState::Authorized => words.approved,
        PaymentState::Declined => words.declined,
        PaymentState::Processing => words.processing,
        PaymentState::Canceled | PaymentState::Voided => words.canceled,
    };
    let back = escape(return_url(payment));
    format!("{}\n<p class=\"actions\"><a class=\"button\" href=\"{back}\">{}</a></p>", told(words.nothing_left, over), words.back)
}

fn page(status: StatusCode, words: &Words, body: &str) -> Response {
    let Words { language, bank, .. } = words;
    let html = format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n<title>{bank}</title>\n\
         <link rel=\"stylesheet\" href=\"/sandbox/bank.css\">\n</head>\n\
         <body>\n<header><p><span aria-hidden=\"true\">S</span>{bank}</p></header>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        // The address is the secret that opens the page.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, [(header::VARY, HeaderValue::from_static("Accept-Language"))], html).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
