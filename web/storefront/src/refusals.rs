//! Refusals of the layers around the pages, such as too many requests at once: problems for machines, pages for people.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};

use crate::assets::Assets;
use crate::error::{ErrorView, PageError, words};
use crate::headers::content_security_policy;
use crate::messages::{FALLBACK, Languages, Messages};
use crate::shell::Shell;
use crate::templates::Templates;

/// What a refusal is shown with. It asks nobody: it is for when there is no time.
struct Pages {
    templates: Templates,
    messages: Arc<Messages>,
    content_security_policy: Option<HeaderValue>,
}

/// Shows every problem that comes out of `router` as a page to those who ask for pages. It stands around every other layer.
pub fn refusals_as_pages(router: Router) -> Router {
    let languages = Languages::load();
    let pages = Pages {
        templates: Templates::load(&Assets::load(), &languages),
        messages: languages.messages(FALLBACK),
        content_security_policy: HeaderValue::from_str(&content_security_policy("", &[], &[])).ok(),
    };
    router.layer(from_fn_with_state(Arc::new(pages), show))
}

async fn show(State(pages): State<Arc<Pages>>, request: Request, next: Next) -> Response {
    let wants_page = wants_page(request.headers());
    let response = next.run(request).await;
    if !wants_page || !is_problem(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Some(html) = pages.render(parts.status) else { return Response::from_parts(parts, body) };
    for of_the_problem in [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::ETAG] {
        parts.headers.remove(of_the_problem);
    }
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    parts.headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    if let Some(policy) = &pages.content_security_policy {
        parts.headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    (parts.status, parts.headers, html).into_response()
}

impl Pages {
    fn render(&self, status: http::StatusCode) -> Option<String> {
        let error = match status.as_u16() {
            404 => PageError::NotFound,
            429 | 503 => PageError::Unavailable { retry_after_seconds: 1 },
            400..=499 => PageError::Refused { status },
            _ => PageError::Internal,
        };
        let (title, text) = words(error, &self.messages);
        let view = ErrorView { status: status.as_u16(), title, text, again: None, is_alone: true, tiles: Vec::new() };
        let html = self.templates.render("error.html", &Shell::bare(), &view);
        html.inspect_err(|error| tracing::error!(error = format!("{error:#}"), "refusal not rendered")).ok()
    }
}

fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

fn is_problem(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"))
}
