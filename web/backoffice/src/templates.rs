//! The templates, embedded, and how a page is made of one.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use kernel::Problem;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use rust_embed::RustEmbed;
use serde::Serialize;

use crate::assets::{Assets, Links};

#[derive(RustEmbed)]
#[folder = "templates/"]
struct Sources;

/// Where a page takes up the icon symbols it uses. Escaped text can never look like this.
const SPRITE: &str = "<!--sprite-->";

/// The template engine with every template compiled.
#[derive(Debug, Clone)]
pub(crate) struct Templates {
    environment: Arc<Environment<'static>>,
    assets: Arc<Assets>,
}

/// A template does not compile, or does not fit its page.
#[derive(Debug, thiserror::Error)]
#[error("template {name}")]
pub struct TemplateError {
    name: String,
    source: minijinja::Error,
}

/// What the frame around a page needs.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Frame {
    /// The title of the window.
    pub(crate) title: String,
    /// Which part of the navigation this is: the folder of its address, or nothing.
    pub(crate) part: &'static str,
    /// Who is signed in; nobody on the pages before the door.
    pub(crate) me: Option<Me>,
}

/// The signed-in member of staff, as the frame shows them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Me {
    pub(crate) name: String,
    pub(crate) initials: String,
    pub(crate) email: String,
    pub(crate) role: &'static str,
    /// Whether anything may be changed; viewers see no forms.
    pub(crate) may_change: bool,
}

impl Templates {
    /// Compiles every embedded template.
    ///
    /// # Errors
    /// A template does not compile; the tests compile them all.
    pub(crate) fn load(assets: Arc<Assets>) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|source| TemplateError { name: "syntax".to_owned(), source })?);
        for name in Sources::iter() {
            let source = Sources::get(&name).map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default();
            environment.add_template_owned(name.to_string(), source).map_err(|source| TemplateError { name: name.to_string(), source })?;
        }
        Ok(Self { environment: Arc::new(environment), assets })
    }

    /// Makes the page `name` of its frame and content.
    pub(crate) fn render(&self, name: &str, frame: &Frame, page: &impl Serialize) -> Result<String, TemplateError> {
        let links: &Links = self.assets.links();
        let rendered = self
            .environment
            .get_template(name)
            .and_then(|template| template.render(context! { frame => value(frame), links => value(links), page => value(page) }))
            .map_err(|source| TemplateError { name: name.to_owned(), source })?;
        let symbols: String = used_symbols(&rendered).into_iter().filter_map(|id| self.assets.symbol(id)).collect();
        let sprite = format!("<svg hidden>{symbols}</svg>");
        Ok(rendered.replacen(SPRITE, &sprite, 1))
    }

    /// Answers with the page `name`. A template that does not fit is our fault: logged, 500.
    pub(crate) fn page(&self, status: StatusCode, name: &str, frame: &Frame, page: &impl Serialize) -> Response {
        match self.render(name, frame, page) {
            Ok(html) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
            Err(error) => {
                let reason = std::error::Error::source(&error).map(|source| format!("{source:#}"));
                tracing::error!(%error, reason, "page not rendered");
                Problem::internal().into_response()
            }
        }
    }
}

fn value(serialized: &impl Serialize) -> Value {
    Value::from(Serde(serialized))
}

/// The ids of the icons a page refers to, each once.
fn used_symbols(html: &str) -> BTreeSet<&str> {
    html.split("<use href=\"#").skip(1).filter_map(|rest| rest.split_once('"')).map(|(id, _)| id).collect()
}
