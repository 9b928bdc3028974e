use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use fluent_bundle::FluentArgs;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, context, escape_formatter};
use rust_embed::RustEmbed;
use serde::Serialize;

use crate::assets::{Assets, HTMX};
use crate::messages::{FALLBACK, Languages, Messages};
use crate::shell::Shell;

/// The static files that pages name.
const ASSETS: [&str; 9] =
    ["style.css", "badge.js", "cart.js", "listing.js", "shop.js", HTMX, "icon.svg", "apple-touch-icon.png", "fonts/instrument-sans-latin.woff2"];

/// Nothing of another's is believed, no style is put in, and what is refused is not shown unless an element says so.
const HTMX_CONFIG: &str = r#"{"includeIndicatorCSS":false,"prefix":"","noSwap":[204,304,"4xx","5xx"]}"#;

/// The pages, their layouts (`_…`) and the icons they draw.
#[derive(RustEmbed)]
#[folder = "templates"]
struct Embedded;

/// Renders pages. A name a template asks for and nobody gave is an error, never a gap.
pub(crate) struct Templates(HashMap<&'static str, Environment<'static>>);

impl Templates {
    pub(crate) fn load(assets: &Assets, languages: &Languages) -> Self {
        Self(languages.all().map(|(language, messages)| (language, Self::environment(assets, messages.clone()))).collect())
    }

    fn environment(assets: &Assets, messages: Arc<Messages>) -> Environment<'static> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // Lines that only hold a tag leave no blank line behind.
        if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
            environment.set_syntax(syntax);
        }
        environment.set_formatter(write_value);
        environment.set_loader(|name| Ok(Embedded::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned())));

        let addresses: HashMap<String, String> = ASSETS.into_iter().map(|name| (name.to_owned(), assets.address(name))).collect();
        environment.add_function("asset", move |name: String| addresses.get(&name).cloned().ok_or_else(|| unknown("static file", &name)));
        environment.add_function("t", move |key: String, values: Kwargs| {
            let values = arguments(&values)?;
            messages.format(&key, &values).ok_or_else(|| unknown("message", &key))
        });
        environment.add_global("htmx_config", HTMX_CONFIG);
        let icons = icons();
        environment.add_function("icon", move |name: String, class: Option<String>| {
            let drawing = icons.get(&name).ok_or_else(|| unknown("icon", &name))?;
            let class = class.map_or_else(|| "icon".to_owned(), |class| format!("icon {class}"));
            Ok::<_, Error>(Value::from_safe_string(format!("<svg class=\"{class}\" viewBox=\"0 0 24 24\" aria-hidden=\"true\">{drawing}</svg>")))
        });
        environment
    }

    pub(crate) fn render(&self, template: &str, shell: &Shell, view: &impl Serialize) -> Result<String, Error> {
        let language = shell.language.split('-').next().unwrap_or_default();
        let environment = self.0.get(language).or_else(|| self.0.get(FALLBACK)).ok_or_else(|| unknown("language", language))?;
        environment.get_template(template)?.render(context! { shell => Value::from(Serde(shell)), page => Value::from(Serde(view)) })
    }
}

/// The values a template puts into a message: numbers are counted, all else is written as it is.
fn arguments(values: &Kwargs) -> Result<FluentArgs<'static>, Error> {
    let mut arguments = FluentArgs::new();
    for name in values.args() {
        let value: Value = values.get(name)?;
        if value.is_undefined() || value.is_none() {
            return Err(unknown("value", name));
        }
        match i64::try_from(value.clone()) {
            Ok(number) if value.is_number() => arguments.set(name.to_owned(), number),
            _ => arguments.set(name.to_owned(), value.to_string()),
        }
    }
    Ok(arguments)
}

/// The drawing of each icon, from the sprite: drawn into the page, it needs no request and is there with the text.
fn icons() -> HashMap<String, String> {
    let sprite = Embedded::get("icons.svg").map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default();
    let symbols = sprite.split("<symbol id=\"i-").skip(1);
    symbols
        .filter_map(|symbol| {
            let (name, rest) = symbol.split_once('"')?;
            let drawing = rest.split_once('>')?.1.split_once("</symbol>")?.0;
            Some((name.to_owned(), drawing.to_owned()))
        })
        .collect()
}

/// Escapes text for HTML. The engine's own escaping also rewrites every slash, which makes addresses unreadable.
fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let is_html = matches!(state.auto_escape(), AutoEscape::Html);
    let Some(text) = value.as_str().filter(|_| is_html && !value.is_safe()) else { return escape_formatter(out, state, value) };
    for letter in text.chars() {
        let written = match letter {
            '&' => out.write_str("&amp;"),
            '<' => out.write_str("&lt;"),
            '>' => out.write_str("&gt;"),
            '"' => out.write_str("&quot;"),
            '\'' => out.write_str("&#39;"),
            other => out.write_char(other),
        };
        written.map_err(Error::from)?;
    }
    Ok(())
}

fn unknown(what: &str, name: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("there is no {what} {name}"))
}

#[cfg(test)]
pub(crate) mod samples;
