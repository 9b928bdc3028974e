//! A browser without JavaScript: it keeps cookies, follows redirects, and sends forms as they stand on the page.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use catalog_api::StockBand::{In, Low, Out};
use client::Client;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use storefront::StorefrontOptions;
use stores::Stores;
use tower::ServiceExt;

use crate::api::{FakeApi, category, product};

/// A browser in front of a storefront in front of a hand-made API.
pub(crate) struct Browser {
    pub(crate) api: FakeApi,
    router: Router,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// What a browser shows.
pub(crate) struct Shown {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
    /// Where it stands after every redirect.
    pub(crate) address: String,
}

/// The shop of the tests: a pitcher with two options, a tea without any, a vase that is sold out.
pub(crate) fn shop() -> FakeApi {
    let ceramics = category("ceramics", "Ceramics", "Stoneware thrown in small batches.");
    let tea = category("tea", "Tea & coffee", "");
    let pitcher = product(
        "harbour-pitcher",
        "Harbour Pitcher",
        &ceramics,
        &[("Glaze", &["Sea", "Rust", "Chalk"]), ("Size", &["0.6 litre", "1.2 litre"])],
        &[
            (&["Sea", "0.6 litre"], 3_800, In),
            (&["Sea", "1.2 litre"], 4_800, Out),
            (&["Rust", "0.6 litre"], 3_800, Low),
            (&["Rust", "1.2 litre"], 4_800, In),
            (&["Chalk", "0.6 litre"], 3_800, Out),
        ],
    );
    let breakfast = product("breakfast-tea", "Breakfast <Tea>", &tea, &[], &[(&[], 1_100, In)]);
    let vase = product("moon-vase", "Moon Vase", &ceramics, &[], &[(&[], 5_600, Out)]);
    FakeApi::new(vec![pitcher, breakfast, vase], vec![ceramics, tea])
}

pub(crate) fn options(client: Client, public_url: &str, media_folder: &Path) -> StorefrontOptions {
    StorefrontOptions {
        client,
        public_url: public_url.to_owned(),
        media_folder: media_folder.to_owned(),
        channel: None,
        media_origins: Vec::new(),
        payment_origins: Vec::new(),
        maintenance_file: None,
        stores: Stores::off(),
    }
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self::at("http://127.0.0.1:8080")
    }

    pub(crate) fn at(public_url: &str) -> Self {
        let api = shop();
        let client = Client::in_process(api.router(), "let us in".into());
        Self::over(api, client, public_url)
    }

    pub(crate) fn over(api: FakeApi, client: Client, public_url: &str) -> Self {
        let router = storefront::router(options(client, public_url, &PathBuf::from("no such folder")));
        Self { api, router, cookies: BTreeMap::new() }
    }

    /// A browser in front of a given storefront.
    pub(crate) fn of(api: FakeApi, router: Router) -> Self {
        Self { api, router, cookies: BTreeMap::new() }
    }

    /// Somebody else's browser in front of the same storefront.
    pub(crate) fn stranger(&self) -> Self {
        Self::of(self.api.clone(), self.router.clone())
    }

    pub(crate) async fn get(&mut self, address: &str) -> Shown {
        self.follow("GET", address, None).await
    }

    /// Sends fields the way a form of this shop does.
    pub(crate) async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Shown {
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.follow("POST", address, Some(body)).await
    }

    /// One request, without following where it leads.
    pub(crate) async fn once(&mut self, method: &str, address: &str, body: Option<String>) -> Shown {
        let mut request = Request::builder().method(method).uri(address).header(header::HOST, "127.0.0.1:8080");
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").header("sec-fetch-site", "same-origin");
        }
        let shown = send(&self.router, request.body(Body::from(body.unwrap_or_default())).unwrap(), address).await;
        for cookie in shown.headers.get_all(header::SET_COOKIE) {
            let (pair, properties) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if properties.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        shown
    }

    /// A request as it is, with no help from the browser.
    pub(crate) async fn raw(&self, request: Request<Body>) -> Shown {
        let address = request.uri().to_string();
        send(&self.router, request, &address).await
    }

    async fn follow(&mut self, method: &str, address: &str, body: Option<String>) -> Shown {
        let mut shown = self.once(method, address, body).await;
        for _ in 0..5 {
            if shown.status != StatusCode::SEE_OTHER || shown.location().starts_with("/sandbox/") {
                break;
            }
            let next = shown.location().split('#').next().unwrap().to_owned();
            shown = self.once("GET", &next, None).await;
        }
        shown
    }
}

async fn send(router: &Router, request: Request<Body>, address: &str) -> Shown {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Shown { status: parts.status, headers: parts.headers, html: String::from_utf8_lossy(&bytes).into_owned(), address: address.to_owned() }
}

impl Shown {
    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).unwrap().to_str().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts that the page shows every one of `texts`.
    #[track_caller]
    pub(crate) fn shows(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(self.html.contains(text), "{} {} does not show {text}:\n{}", self.status, self.address, self.html);
        }
        self
    }

    #[track_caller]
    pub(crate) fn hides(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(!self.html.contains(text), "{} shows {text}:\n{}", self.address, self.html);
        }
        self
    }

    /// What a field of the page holds.
    #[track_caller]
    pub(crate) fn value(&self, name: &str) -> String {
        let start = format!("name=\"{name}\"");
        let tag = self.html.split('<').find(|tag| tag.starts_with("input") && tag.contains(&start)).unwrap_or_else(|| unreachable!("no field {name}"));
        tag.split("value=\"").nth(1).map_or(String::new(), |rest| rest.split('"').next().unwrap().to_owned())
    }
}
