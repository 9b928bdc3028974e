//! The public port: the API, the pages, the docs, and what stands around them.

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use kernel::Problem;
use platform::http::Kit;
use tower::ServiceExt;

use crate::pages::Pages;
use crate::target::Target;
use crate::{elsewhere, faults};

/// What a process has to serve on the public port.
#[derive(Default)]
pub(crate) struct Parts {
    /// The routes of the API and of webhooks, without fallbacks.
    pub(crate) api: Router,
    /// The routes of the API that other processes serve; each says so.
    pub(crate) elsewhere: Router,
    /// The page and documents that describe the API.
    pub(crate) docs: Option<Router>,
    /// The pages; the back office's are below `/backoffice`.
    pub(crate) pages: Pages,
}

/// Puts the parts together. Each has the kit's layers around it under a name of its own; all share the kit's limits.
pub(crate) fn router(parts: Parts, target: &Target, kit: &Kit) -> Router {
    let api = problems_below_api_prefixes(parts.api.merge(parts.elsewhere));
    let around = |router, name| kit.around(faults::spoil(router), name);
    let api = around(api.method_not_allowed_fallback(method_not_allowed), "api");
    let docs = parts.docs.map(|docs| kit.around(docs, "docs")).unwrap_or_default();
    let absent = |name| kit.around(elsewhere::pages(target, name), "unknown");
    let storefront = parts.pages.storefront.map_or_else(|| absent("shop"), |pages| storefront::refusals_as_pages(around(pages, "storefront")));
    let backoffice = parts.pages.backoffice.map_or_else(|| absent("back office"), |pages| backoffice::refusals_as_pages(around(pages, "backoffice")));
    let pages = tower::service_fn(move |request: Request| {
        let pages = if is_backoffice(request.uri().path()) { &backoffice } else { &storefront };
        pages.clone().oneshot(request)
    });
    api.merge(docs).fallback_service(pages)
}

/// What no route of the API knows below its prefixes is told as a problem, not as a page.
fn problems_below_api_prefixes(api: Router) -> Router {
    ["/store/{*rest}", "/admin/{*rest}", "/webhooks/{*rest}"].into_iter().fold(api, |api, prefix| api.route(prefix, any(async || Problem::not_found("route"))))
}

async fn method_not_allowed() -> Problem {
    Problem::new(405, "method_not_allowed", "This route does not know that method")
}

fn is_backoffice(path: &str) -> bool {
    path.strip_prefix("/backoffice").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_prefix_itself_and_what_is_below_it_is_the_back_office() {
        assert!(is_backoffice("/backoffice") && is_backoffice("/backoffice/orders"));
        assert!(!is_backoffice("/backofficer") && !is_backoffice("/") && !is_backoffice("/products/backoffice"));
    }
}
