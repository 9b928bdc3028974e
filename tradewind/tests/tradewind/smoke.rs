//! The trial of a shop that serves: what it proves, what it leaves alone, and where it says that something is wrong.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::Value;
use sqlx::ConnectOptions;
use testkit::TestDatabase;
use tokio::task::JoinSet;

use crate::books::{assert_everything_holds, count, small_shop};
use crate::process::{Folder, Running, http};

/// A shop with this in stock for real, and as much as the demo has on trial.
async fn shop(stock: &[i64]) -> (Folder, Running) {
    let folder = Folder::new();
    folder.run(&["seed", "--from", small_shop(&folder, stock).to_str().unwrap()]).await.succeeded();
    let running = folder.serve(&[]).await;
    (folder, running)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_tried_on_trial_stock_alone() {
    let database = TestDatabase::create(&[]).await;
    let folder = Folder::new().env("DATABASE_URL", &database.url());
    folder.run(&["migrate"]).await.succeeded();
    folder.run(&["seed", "--from", small_shop(&folder, &[2]).to_str().unwrap()]).await.succeeded();
    let running = folder.serve(&[]).await;
    let url = running.base_url();

    let told = folder.run(&["smoke", "--api", url, "--storefront", url, "--backoffice", url]).await.succeeded();
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("API at") && lines[0].contains("order TEST-"), "{told}");
    assert!(lines[1].starts_with("storefront at") && lines[1].contains("order TEST-"), "{told}");
    assert!(lines[2].starts_with("back office at") && lines[2].contains("the sign-in page and its files are there"), "{told}");

    for (surface, requests) in [("--api", "1200"), ("--storefront", "1200"), ("--backoffice", "180")] {
        let told = folder.run(&["smoke", surface, url, "--requests", requests, "--seconds", "6"]).await.succeeded();
        assert!(told.contains(&format!("{requests} requests answered in")) && !told.contains("not as expected") && !told.contains(" x 5"), "{told}");
    }

    let mut books = database.options().connect().await.unwrap();
    let on_trial = count(&mut books, "select count(*) from orders.order where channel_kind = 'test' and state = 'placed'").await;
    assert!(on_trial > 10, "the load buys, too: {on_trial}");
    assert_eq!(count(&mut books, "select count(*) from orders.order where channel_kind = 'live'").await, 0);
    let real = "select count(*) from inventory.movement m join inventory.location l on l.id = m.location_id where l.code = 'harbour' and m.hold_id is not null";
    assert_eq!(count(&mut books, real).await, 0, "the real stock was not touched");
    assert_everything_holds(&folder).await;
    running.terminate().await.succeeded();
}

#[tokio::test]
async fn a_shop_that_sells_nothing_yet_is_no_failure_and_one_that_sells_nothing_on_trial_is() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    for surface in ["--api", "--storefront"] {
        let told = folder.run(&["smoke", surface, running.base_url(), "--requests", "100"]).await.succeeded();
        assert!(told.contains("nothing is sold here yet"), "{told}");
    }

    let shop = small_shop(&folder, &[5]);
    let mut catalogue: Value = serde_json::from_slice(&std::fs::read(shop.join("catalogue.json")).unwrap()).unwrap();
    catalogue["locations"].as_array_mut().unwrap().retain(|location| location["code"] == "harbour");
    std::fs::write(shop.join("catalogue.json"), catalogue.to_string()).unwrap();
    folder.run(&["seed", "--from", shop.to_str().unwrap()]).await.succeeded();
    for surface in ["--api", "--storefront"] {
        let complaint = folder.run(&["smoke", surface, running.base_url()]).await.failed();
        assert!(complaint.contains("looking for something to buy: the channel smoke has nothing in stock"), "{complaint}");
    }
    running.terminate().await.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_step_that_fails_is_named() {
    let (folder, running) = shop(&[5]).await;
    let steps = [
        ("--api", "GET", "/store/v1/channel", "asking for the channel: 500 Internal Server Error instead of 200 OK: spoilt"),
        ("--api", "GET", "/store/v1/products", "looking for something to buy: 500"),
        ("--api", "GET", "/store/v1/products/", "looking at the product"),
        ("--api", "POST", "/store/v1/carts", "beginning a cart: 500 Internal Server Error instead of 201"),
        ("--api", "POST", "/lines", "putting a product into the cart: 500"),
        ("--api", "PATCH", "/lines/", "changing the quantity: 500"),
        ("--api", "POST", "/complete", "buying the cart: 500"),
        ("--api", "GET", "/store/v1/orders/", "looking at the order: 500"),
        ("--storefront", "GET", "/", "opening the home page: 500"),
        ("--storefront", "GET", "/static/style", "loading /static/style"),
        ("--storefront", "GET", "/products/", "opening /products/"),
        ("--storefront", "POST", "/cart/lines", "putting a product into the cart: 500"),
        ("--storefront", "GET", "/cart", "opening the cart: 500"),
        ("--storefront", "GET", "/checkout", "opening the checkout: 500"),
        ("--storefront", "POST", "/checkout", "buying the cart: 500"),
        ("--storefront", "GET", "/checkout/thanks/", "opening the page that thanks: 500"),
        ("--storefront", "GET", "/orders/", "opening the order: 500"),
        ("--backoffice", "GET", "/backoffice/sign-in", "opening the sign-in page: 500"),
        ("--backoffice", "GET", "/backoffice/static/", "loading /backoffice/static/"),
        ("--backoffice", "GET", "/backoffice", "opening the office without a session: 500"),
    ];
    for (surface, method, path, words) in steps {
        let between = Between::start(&running, method, path, Spoil::Status).await;
        let complaint = folder.run(&["smoke", surface, &between.url]).await.failed();
        assert!(complaint.starts_with("tradewind: smoke: ") && complaint.contains(words), "{method} {path}: {complaint}");
    }
    running.terminate().await.succeeded();
}

/// A proxy that takes away what names the channel: the purchase must not become a real one, even where the sandbox serves the live channel.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_bought_where_the_channel_is_another() {
    let folder = Folder::new().env("TRADEWIND__DEMO", "true");
    folder.run(&["seed", "--from", small_shop(&folder, &[5]).to_str().unwrap()]).await.succeeded();
    let running = folder.serve(&[]).await;
    let between = Between::start(&running, "GET", "/never", Spoil::Channel).await;
    for surface in ["--api", "--storefront"] {
        let complaint = folder.run(&["smoke", surface, &between.url]).await.failed();
        assert!(complaint.contains("nothing is bought"), "{complaint}");
    }
    assert!(!running.metrics().await.contains("orders_total{channel_kind=\"live\"} 1"));
    running.terminate().await.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn load_is_told_and_judged_by_nothing_but_its_number() {
    let (folder, running) = shop(&[5]).await;
    let load = async |url: &str| folder.run(&["smoke", "--api", url, "--requests", "120", "--seconds", "2"]).await;
    let spoilt = Between::start(&running, "GET", "/store/v1/categories", Spoil::Status).await;
    let told = load(&spoilt.url).await.succeeded();
    assert!(told.contains("120 requests answered in") && told.contains(" x 500") && told.contains("were not as expected, the first: 500"), "{told}");

    let silent = Between::start(&running, "GET", "/store/v1/categories", Spoil::Silence).await;
    let complaint = load(&silent.url).await.failed();
    assert!(complaint.contains("synthetic load: ") && complaint.contains("of 120 requests were answered, fewer than 120"), "{complaint}");

    let gone = folder.run(&["smoke", "--backoffice", "http://127.0.0.1:9"]).await.failed();
    assert!(gone.contains("opening the sign-in page: no answer: ") && gone.contains("refused"), "{gone}");
    running.terminate().await.succeeded();
}

#[tokio::test]
async fn it_is_told_what_to_try() {
    let folder = Folder::new();
    let ended = folder.run(&["smoke"]).await;
    assert!(ended.status.code() == Some(2) && ended.stderr.contains("--api"), "{ended:?}");
    let ended = folder.run(&["smoke", "--api", "shop.example"]).await;
    assert!(ended.status.code() == Some(2) && ended.stderr.contains("must begin with http"), "{ended:?}");
}

/// What is done to the requests that are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spoil {
    /// They are answered with a server error.
    Status,
    /// They are not answered.
    Silence,
    /// All lose what names the channel.
    Channel,
}

/// Where the trial goes to.
struct Proxy {
    url: String,
    _serving: JoinSet<()>,
}

/// Somebody between the trial and the shop.
struct Between {
    shop: String,
    method: &'static str,
    path: &'static str,
    spoil: Spoil,
}

impl Between {
    /// Spoils requests by method and path; `/` at the end means what is below it, at the beginning alone any place. It goes when it is dropped.
    async fn start(shop: &Running, method: &'static str, path: &'static str, spoil: Spoil) -> Proxy {
        let between = Arc::new(Self { shop: shop.base_url().to_owned(), method, path, spoil });
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(between);
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Proxy { url, _serving: serving }
    }

    fn means(&self, request: &Request) -> bool {
        let path = request.uri().path();
        let is_path = match self.path {
            "/" => path == "/",
            prefix if prefix.ends_with('/') => path.contains(prefix),
            "/static/style" => path.starts_with(self.path),
            _ => path.ends_with(self.path),
        };
        request.method().as_str() == self.method && is_path
    }
}

async fn pass(State(between): State<Arc<Between>>, request: Request) -> Response {
    if between.means(&request) {
        match between.spoil {
            Spoil::Status => return (StatusCode::INTERNAL_SERVER_ERROR, "spoilt").into_response(),
            // The connection is closed in the middle of the answer.
            Spoil::Silence => {
                return Body::from_stream(futures_util::stream::once(async { Err::<bytes::Bytes, _>(std::io::Error::other("gone")) })).into_response();
            }
            Spoil::Channel => {}
        }
    }
    let url = format!("{}{}", between.shop, request.uri());
    let (parts, body) = request.into_parts();
    let mut headers = parts.headers;
    if between.spoil == Spoil::Channel {
        headers.remove("x-channel");
        headers.remove("host");
    }
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let answer = http().request(parts.method, url).headers(headers).body(body).send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = (status, answer.bytes().await.unwrap()).into_response();
    *response.headers_mut() = headers;
    response.headers_mut().remove("transfer-encoding");
    response
}
