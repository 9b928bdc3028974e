//! Style sheet, script, font and mark, under names that hold a hash of their content, so that browsers may keep them for ever.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use kernel::Problem;
use rust_embed::RustEmbed;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Where the files are served.
pub(crate) const PREFIX: &str = "/backoffice/static/";

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

/// The addresses pages link to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Links {
    style: String,
    script: String,
    font: String,
    mark: String,
}

/// Every served file by its hashed name, and the icon symbols that pages carry themselves.
#[derive(Debug)]
pub(crate) struct Assets {
    files: BTreeMap<String, (Bytes, &'static str)>,
    links: Links,
    symbols: BTreeMap<String, String>,
}

impl Assets {
    /// Hashes what is embedded. The style sheet takes the tokens in and names the font by its hash.
    pub(crate) fn load() -> Self {
        let mut files = BTreeMap::new();
        let mut add = |name: &str, kind: &str, bytes: Vec<u8>, media_type: &'static str| {
            let hashed = format!("{name}.{}.{kind}", hash(&bytes));
            let link = format!("{PREFIX}{hashed}");
            files.insert(hashed, (Bytes::from(bytes), media_type));
            link
        };
        let font = add("geist-latin", "woff2", read("geist-latin.woff2"), "font/woff2");
        let style = style_sheet(&font).into_bytes();
        let links = Links {
            style: add("style", "css", style, "text/css; charset=utf-8"),
            script: add("keys", "js", read("keys.js"), "text/javascript; charset=utf-8"),
            mark: add("mark", "svg", read("mark.svg"), "image/svg+xml"),
            font,
        };
        Self { files, links, symbols: symbols(&text("icons.svg")) }
    }

    /// The addresses pages link to.
    pub(crate) const fn links(&self) -> &Links {
        &self.links
    }

    /// The symbol of an icon, such as `i-order`.
    pub(crate) fn symbol(&self, id: &str) -> Option<&str> {
        self.symbols.get(id).map(String::as_str)
    }

    /// Answers a file by its hashed name.
    pub(crate) fn answer(&self, name: &str) -> Response {
        let Some((bytes, media_type)) = self.files.get(name) else { return Problem::not_found("page").into_response() };
        let headers = [(header::CONTENT_TYPE, *media_type), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
        (headers, bytes.clone()).into_response()
    }
}

/// The sheet with `tokens.css` put where it leaves room for it.
fn style_sheet(font: &str) -> String {
    let note = "/* tokens.css is put here when the sheet is served: one request instead of two in a row */";
    text("style.css").replace("url(\"geist-latin.woff2\")", &format!("url(\"{font}\")")).replacen(note, &text("tokens.css"), 1)
}

/// The first 16 hexadecimal digits of the content's SHA-256.
fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn read(name: &str) -> Vec<u8> {
    Files::get(name).map(|file| file.data.into_owned()).unwrap_or_default()
}

fn text(name: &str) -> String {
    String::from_utf8_lossy(&read(name)).into_owned()
}

/// The `<symbol>`s of the sprite by id; each stands on a line of its own.
fn symbols(sprite: &str) -> BTreeMap<String, String> {
    let id = |line: &str| Some(line.strip_prefix("<symbol id=\"")?.split_once('"')?.0.to_owned());
    sprite.lines().filter_map(|line| Some((id(line)?, line.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_file_is_there_and_the_sheet_stands_alone() {
        let assets = Assets::load();
        assert_eq!(assets.files.len(), 4);
        assert!(assets.files.values().all(|(bytes, _)| bytes.len() > 100));
        let (sheet, _) = assets.files.get(assets.links.style.strip_prefix(PREFIX).unwrap()).unwrap();
        let sheet = std::str::from_utf8(sheet).unwrap();
        assert!(sheet.contains("--accent: #0e5a60"), "the tokens are in");
        assert!(sheet.contains(&format!("url(\"{}\")", assets.links.font)), "the font is named by its hash");
        assert!(!sheet.contains("@import"));
        assert!(assets.symbol("i-order").unwrap().ends_with("</symbol>"));
    }

    #[test]
    fn another_content_has_another_name() {
        assert_ne!(hash(b"a"), hash(b"b"));
        assert_eq!(hash(b"a").len(), 16);
    }
}
