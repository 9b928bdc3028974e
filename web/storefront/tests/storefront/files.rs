//! Static files and pictures.

use axum::body::Body;
use client::Client;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::browser::{Browser, options, shop};

#[tokio::test]
async fn static_files_are_fetched_once_for_good() {
    let mut browser = Browser::new();
    let home = browser.get("/products/harbour-pitcher").await;
    let addresses: Vec<&str> = home.html.split("=\"").filter(|rest| rest.starts_with("/static/")).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(addresses.len(), 8);
    for address in addresses {
        let file = browser.once("GET", address, None).await;
        assert_eq!(file.status, StatusCode::OK, "{address}");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        let kind = match address.rsplit('.').next().unwrap() {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "png" => "image/png",
            "svg" => "image/svg+xml; charset=utf-8",
            _ => "font/woff2",
        };
        assert_eq!(file.header("content-type"), kind, "{address}");
    }
    assert_eq!(browser.get("/static/style.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn pictures_come_from_the_media_folder_and_nothing_else_does() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("media");
    std::fs::create_dir_all(folder.join("2026")).unwrap();
    std::fs::write(folder.join("vase.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
    std::fs::write(folder.join("2026/vase.PNG"), "png").unwrap();
    std::fs::write(folder.join("notes.txt"), "secret").unwrap();
    std::fs::write(folder.join(".hidden.svg"), "secret").unwrap();
    std::fs::write(place.path().join("outside.svg"), "secret").unwrap();
    std::os::unix::fs::symlink(place.path().join("outside.svg"), folder.join("link.svg")).unwrap();
    let client = Client::in_process(shop().router(), "let us in".into());
    let router = storefront::router(options(client, "http://127.0.0.1:8080", &folder));
    let get = async |path: &str, known: Option<&str>| {
        let mut request = Request::get(path);
        if let Some(etag) = known {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
    };

    let (status, headers, body) = get("/media/vase.svg", None).await;
    assert_eq!((status, headers.get("content-type").unwrap().to_str().unwrap()), (StatusCode::OK, "image/svg+xml"));
    assert!(headers.get("content-security-policy").unwrap().to_str().unwrap().contains("sandbox"));
    assert!(body.starts_with(b"<svg"));
    let etag = headers.get("etag").unwrap().to_str().unwrap().to_owned();
    assert_eq!(get("/media/vase.svg", Some(&etag)).await.0, StatusCode::NOT_MODIFIED);
    let (status, headers, _) = get("/media/2026/vase.PNG", None).await;
    assert_eq!((status, headers.get("content-type").unwrap().to_str().unwrap()), (StatusCode::OK, "image/png"));

    for path in [
        "/media/notes.txt",
        "/media/.hidden.svg",
        "/media/../outside.svg",
        "/media/%2e%2e/outside.svg",
        "/media/..%2foutside.svg",
        "/media/2026/..%2f..%2foutside.svg",
        "/media/%2fetc%2fhosts.svg",
        "/media/link.svg",
        "/media/2026",
        "/media/none.svg",
        "/media/vase.svg%00.png",
        "/media//vase.svg",
    ] {
        let (status, _, body) = get(path, None).await;
        assert!(matches!(status, StatusCode::NOT_FOUND), "{path}: {status}");
        assert!(!body.windows(6).any(|part| part == b"secret"), "{path}");
    }
}
