//! The page that describes the API, and the OpenAPI documents it is made of. Nothing on it comes from anywhere else.

mod reading;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{HeaderName, header};
use minijinja::{AutoEscape, Environment, context};
use serde_json::Value;
use utoipa::openapi::OpenApi;

use reading::Surface;

/// Nothing runs, nothing is fetched from elsewhere, nobody frames it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The page changes with the release only; browsers ask whether it did.
const CACHE_CONTROL: &str = "no-cache";

/// `/docs` with a page for each surface, `/docs/store.json` and `/docs/admin.json`.
///
/// # Errors
/// A document cannot be written or the page does not render, which a test would have told.
pub(crate) fn router(store: &OpenApi, admin: &OpenApi) -> anyhow::Result<Router> {
    let templates = templates()?;
    let template = templates.get_template("page")?;
    let page = |document: &OpenApi, name: &str| -> anyhow::Result<String> {
        let surface = Surface::read(&serde_json::to_value(document)?);
        Ok(template.render(context! { surface => minijinja::value::Serde(&surface), name })?)
    };
    Ok(Router::new()
        .route("/docs", served("text/html; charset=utf-8", page(store, "store")?))
        .route("/docs/admin", served("text/html; charset=utf-8", page(admin, "admin")?))
        .route("/docs/style.css", served("text/css; charset=utf-8", include_str!("docs/style.css").to_owned()))
        .route("/docs/store.json", served("application/json", json(store)?))
        .route("/docs/admin.json", served("application/json", json(admin)?)))
}

fn templates() -> Result<Environment<'static>, minijinja::Error> {
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.add_filter("prose", prose);
    templates.add_template("page", include_str!("docs/page.html"))?;
    Ok(templates)
}

/// Writes text as HTML, what stands between backticks as code.
fn prose(text: &str) -> minijinja::Value {
    let parts = text.split('`').enumerate().map(|(index, part)| {
        let part = minijinja::HtmlEscape(part);
        if index % 2 == 1 { format!("<code>{part}</code>") } else { part.to_string() }
    });
    minijinja::Value::from_safe_string(parts.collect())
}

fn json(document: &OpenApi) -> anyhow::Result<String> {
    let value: Value = serde_json::to_value(document)?;
    Ok(serde_json::to_string_pretty(&value)?)
}

fn served(content_type: &'static str, body: String) -> axum::routing::MethodRouter {
    let headers: [(HeaderName, &str); 3] =
        [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, CACHE_CONTROL), (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)];
    let body = bytes::Bytes::from(body);
    get(async move || (headers, body).into_response())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use utoipa::openapi::{InfoBuilder, OpenApiBuilder};

    use super::*;

    #[test]
    fn text_from_the_document_cannot_become_markup() {
        let templates = templates().unwrap();
        let info = InfoBuilder::new().title("<script>").description(Some("`<b>` & <i>")).version("1");
        let document = OpenApiBuilder::new().info(info.build()).build();
        let surface = Surface::read(&serde_json::to_value(&document).unwrap());
        let html = templates.get_template("page").unwrap().render(context! { surface => minijinja::value::Serde(&surface), name => "store" }).unwrap();
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
        assert!(html.contains("<code>&lt;b&gt;</code> &amp; &lt;i&gt;") && !html.contains("<i>"), "{html}");
    }
}
