use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use platform::http::Path;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::error::PageError;
use crate::shop::Shop;

/// The style sheet, script, font and icon that come with the pages.
#[derive(RustEmbed)]
#[folder = "static"]
struct Embedded;

/// The script of others that is taken as it is. `static/htmx.txt` says where it comes from, under which licence, and what its hash is.
pub(crate) const HTMX: &str = "htmx-4.0.1.min.js";

/// The line of the style sheet in whose place the design tokens are put, so that one request fetches both.
const TOKENS_IMPORT: &str = "@import url(\"tokens.css\") layer(tokens);";

/// The static files by names that hold a hash of their content: what is fetched once is never asked for again, and a changed file has
/// another name.
#[derive(Debug, Default)]
pub(crate) struct Assets {
    addresses: HashMap<String, String>,
    files: HashMap<String, File>,
}

#[derive(Debug, Clone)]
struct File {
    bytes: Bytes,
    content_type: String,
}

impl Assets {
    pub(crate) fn load() -> Self {
        let mut assets = Self::default();
        let names: Vec<String> = Embedded::iter().map(|name| name.to_string()).collect();
        // Style sheets name the other files, so they come last.
        let (styles, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name.ends_with(".css"));
        for name in others {
            if let Some(file) = Embedded::get(&name) {
                assets.add(&name, file.data.into_owned().into(), file.metadata.mimetype());
            }
        }
        if styles.iter().any(|name| name == "style.css") {
            let style = assets.style_sheet();
            assets.add("style.css", style.into(), "text/css");
        }
        assets
    }

    /// The address of a file; the plain name if there is no such file, which is then not found.
    pub(crate) fn address(&self, name: &str) -> String {
        self.addresses.get(name).cloned().unwrap_or_else(|| format!("/static/{name}"))
    }

    /// The content of a file.
    pub(crate) fn bytes(&self, name: &str) -> Option<Bytes> {
        let hashed = self.addresses.get(name)?.strip_prefix("/static/")?;
        self.files.get(hashed).map(|file| file.bytes.clone())
    }

    fn style_sheet(&self) -> String {
        let text = |name: &str| Embedded::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default();
        let style = text("style.css").replace(TOKENS_IMPORT, &format!("@layer tokens {{\n{}}}", text("tokens.css")));
        self.addresses.iter().fold(style, |style, (name, address)| style.replace(&format!("url(\"{name}\")"), &format!("url(\"{address}\")")))
    }

    fn add(&mut self, name: &str, bytes: Bytes, content_type: &str) {
        let hash: String = Sha256::digest(&bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let file_name = name.rsplit('/').next().unwrap_or(name);
        let hashed = match file_name.rsplit_once('.') {
            Some((stem, extension)) => format!("{stem}.{hash}.{extension}"),
            None => format!("{file_name}.{hash}"),
        };
        let is_text = content_type.starts_with("text/") || content_type == "image/svg+xml";
        let content_type = if is_text { format!("{content_type}; charset=utf-8") } else { content_type.to_owned() };
        self.addresses.insert(name.to_owned(), format!("/static/{hashed}"));
        self.files.insert(hashed, File { bytes, content_type });
    }
}

/// Answers a static file.
pub(crate) async fn serve(State(shop): State<Shop>, Path(name): Path<String>) -> Result<Response, PageError> {
    let file = shop.assets().files.get(&name).ok_or(PageError::NotFound)?;
    let headers = [(header::CONTENT_TYPE, file.content_type.as_str()), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, file.bytes.clone()).into_response())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_script_of_others_is_what_was_taken() {
        let note = String::from_utf8(Embedded::get("htmx.txt").unwrap().data.into_owned()).unwrap();
        let hash: String = Sha256::digest(Embedded::get(HTMX).unwrap().data).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(note.contains(&format!("sha256 of the file: {hash}\n")) && note.contains("Zero-Clause BSD"), "{hash}");
    }

    #[test]
    fn the_style_sheet_holds_the_tokens_and_names_the_hashed_font() {
        let assets = Assets::load();
        let name = assets.address("style.css").strip_prefix("/static/").unwrap().to_owned();
        let style = String::from_utf8(assets.files.get(&name).unwrap().bytes.to_vec()).unwrap();
        assert!(!style.contains("@import") && style.contains("--paper:"));
        let font = assets.address("fonts/instrument-sans-latin.woff2");
        assert!(font.matches('.').count() == 2 && style.contains(&format!("url(\"{font}\")")), "{font}");
    }
}
