use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use platform::http::Path;

use crate::error::PageError;
use crate::shop::Shop;

/// The largest picture that is served.
const LIMIT_BYTES: u64 = 32 * 1024 * 1024;

/// A picture opened by itself is a document of our origin: it may style itself and nothing else, and no script of it runs.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

/// Answers a picture of the media folder.
pub(crate) async fn serve(State(shop): State<Shop>, Path(path): Path<String>, sent: HeaderMap) -> Result<Response, PageError> {
    let content_type = content_type(&path).ok_or(PageError::NotFound)?;
    let file = locate(&shop, &path).await.ok_or(PageError::NotFound)?;
    let meta = tokio::fs::metadata(&file).await.map_err(|_| PageError::NotFound)?;
    if !meta.is_file() || meta.len() > LIMIT_BYTES {
        return Err(PageError::NotFound);
    }
    let changed = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_nanos());
    let etag = HeaderValue::from_str(&format!("\"{:x}-{changed:x}\"", meta.len())).map_err(|_| PageError::Internal)?;
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PICTURE_POLICY)),
        (header::ETAG, etag.clone()),
    ];
    if sent.get_all(header::IF_NONE_MATCH).iter().any(|known| known == etag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let bytes = tokio::fs::read(&file).await.map_err(|_| PageError::NotFound)?;
    Ok((headers, [(header::CONTENT_TYPE, content_type)], bytes).into_response())
}

/// Where a picture lies, if it lies in the media folder, also after following links.
async fn locate(shop: &Shop, path: &str) -> Option<PathBuf> {
    let is_plain = |segment: &str| !segment.is_empty() && !segment.starts_with('.') && !segment.contains(['\\', '\0', ':']);
    if !path.split('/').all(is_plain) {
        return None;
    }
    let folder = tokio::fs::canonicalize(shop.media_folder()).await.ok()?;
    let file = tokio::fs::canonicalize(folder.join(path)).await.ok()?;
    file.starts_with(&folder).then_some(file)
}

/// What a file is by its name; nothing but pictures is served.
fn content_type(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        "avif" => Some("image/avif"),
        "gif" => Some("image/gif"),
        _ => None,
    }
}
