//! Pages and answers that are kept in memory: a change is seen at once in every process, and looking around needs no database.

use std::time::{Duration, Instant};

use db::local::{LocalOptions, LocalPostgres};
use serde_json::{Value, json};

use crate::process::{Folder, Running, http};

/// A database server that a test can stop and start.
struct Server {
    options: LocalOptions,
    running: Option<LocalPostgres>,
}

impl Server {
    async fn start(folder: &Folder) -> Self {
        let options = LocalOptions { durable: false, ..LocalOptions::new(folder.path().join("elsewhere")) };
        let mut server = Self { options, running: None };
        server.begin().await;
        server
    }

    async fn begin(&mut self) {
        let running = LocalPostgres::start(&self.options).await.unwrap();
        running.ensure_database("shop").await.unwrap();
        self.running = Some(running);
    }

    async fn stop(&mut self) {
        self.running.take().unwrap().stop().await;
    }

    fn url(&self) -> String {
        self.running.as_ref().unwrap().address().url("shop")
    }
}

/// Staff who may do everything.
pub(crate) struct Staff(String);

impl Staff {
    pub(crate) async fn join(folder: &Folder, running: &Running) -> Self {
        let printed = folder.run(&["staff", "invite", "ada@example.com"]).await.succeeded();
        let token = printed.split("token=").nth(1).unwrap().split_whitespace().next().unwrap();
        let body = json!({ "token": token, "name": "Ada", "password": "a long enough password" });
        let answer = http().post(format!("{}/admin/v1/invitations/accept", running.base_url())).json(&body).send().await.unwrap();
        let session: Value = answer.json().await.unwrap();
        Self(session["token"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn get(&self, running: &Running, path: &str) -> Value {
        let answer = http().get(format!("{}{path}", running.base_url())).bearer_auth(&self.0).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        answer.json().await.unwrap()
    }

    pub(crate) async fn send(&self, running: &Running, method: &str, path: &str, version: Option<i64>, body: &Value) -> Value {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = http().request(method, format!("{}{path}", running.base_url())).bearer_auth(&self.0).json(body);
        let request = version.map_or(request.try_clone().unwrap(), |version| request.header("if-match", format!("\"{version}\"")));
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        answer.json().await.unwrap()
    }
}

pub(crate) fn euros(amount: i64) -> Value {
    json!([{ "price": { "amount": amount, "currency": "EUR" } }])
}

pub(crate) async fn until_shown(running: &Running, path: &str, text: &str) {
    let begun = Instant::now();
    while !running.get(path).await.text().await.unwrap().contains(text) {
        assert!(begun.elapsed() < Duration::from_secs(1), "{path} does not show {text} after a second");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_changed_by_staff_is_on_the_pages_of_every_process_within_a_second() {
    let folder = Folder::new();
    let server = Server::start(&folder).await;
    let folder = folder.env("DATABASE_URL", &server.url());
    folder.run(&["migrate"]).await.succeeded();
    let whole = folder.serve(&[]).await;
    // Without jobs of its own it still hears what others change.
    let pages = folder.serve(&["--target", "api,storefront"]).await;
    let staff = Staff::join(&folder, &whole).await;
    let cup = json!({ "slug": "cup", "title": "The cup", "published": true, "variants": [{ "sku": "CUP", "prices": euros(900) }] });
    let cup = staff.send(&whole, "POST", "/admin/v1/products", None, &cup).await;
    let variant = format!("/admin/v1/products/{}/variants/{}", cup["id"].as_str().unwrap(), cup["variants"][0]["id"].as_str().unwrap());

    for (changed_at, version, amount, shown) in [(&whole, 1, 950, "€9.50"), (&pages, 2, 1_000, "€10.00"), (&whole, 3, 1_050, "€10.50")] {
        for running in [&whole, &pages] {
            for path in ["/", "/products", "/products/cup", "/store/v1/products/cup"] {
                assert_eq!(running.get(path).await.status(), 200, "{path}");
            }
        }
        staff.send(changed_at, "PATCH", &variant, Some(version), &json!({ "prices": euros(amount) })).await;
        for running in [&whole, &pages] {
            for path in ["/", "/products", "/products/cup"] {
                until_shown(running, path, shown).await;
            }
            until_shown(running, "/store/v1/products/cup", &format!("\"amount\":{amount}")).await;
        }
    }
    whole.terminate().await.succeeded();
    pages.terminate().await.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_one_can_look_around_where_somebody_has_been() {
    let folder = Folder::new();
    let mut server = Server::start(&folder).await;
    let folder = folder.env("DATABASE_URL", &server.url()).env("TRADEWIND__DATABASE__ACQUIRE_TIMEOUT_MS", "500").env("TRADEWIND__CACHE__TTL_MS", "1000");
    folder.run(&["migrate"]).await.succeeded();
    let running = folder.serve(&[]).await;
    let warm = ["/", "/products", "/store/v1/channel", "/store/v1/products"];
    for path in warm {
        assert_eq!(running.get(path).await.status(), 200, "{path}");
    }
    server.stop().await;
    // Longer than the time to live.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        for path in warm {
            assert_eq!(running.get(path).await.status(), 200, "{path} after {:?}", begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for path in ["/products?sort=title", "/store/v1/products?limit=7"] {
        let cold = running.get(path).await;
        assert_eq!((cold.status().as_u16(), cold.headers()["retry-after"].as_bytes()), (503, b"5".as_slice()), "{path}");
    }
    let figures = http().get(format!("{}/metrics", running.operations_url())).send().await.unwrap().text().await.unwrap();
    for metric in ["cache_hits_total{surface=\"page\"}", "cache_stale_hits_total{surface=\"api\"}", "cache_fills_total{surface=\"page\",outcome=\"kept\"}"] {
        assert!(figures.contains(metric), "{metric} is missing in {figures}");
    }
    server.begin().await;
    let back = Instant::now();
    while running.get("/products?sort=title").await.status() != 200 {
        assert!(back.elapsed() < Duration::from_secs(20), "the database is back, and nobody noticed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    running.terminate().await.succeeded();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_what_was_just_answered_gets_the_same_headers_and_is_counted_and_written_down() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    let read = async |path: &str| {
        let mut headers = running.get(path).await.headers().clone();
        headers.remove("date");
        (headers.remove("x-request-id").unwrap(), headers)
    };
    for path in ["/products", "/store/v1/products"] {
        let (first, again) = (read(path).await, read(path).await);
        assert_eq!(first.1, again.1, "{path}");
        assert_ne!(first.0, again.0, "{path}");
    }
    let figures = http().get(format!("{}/metrics", running.operations_url())).send().await.unwrap().text().await.unwrap();
    for (route, surface) in [("/products", "storefront"), ("/store/v1/products", "api")] {
        let figure = format!("http_requests_total{{route=\"{route}\",method=\"GET\",code=\"200\",surface=\"{surface}\"}} 2");
        assert!(figures.contains(&figure), "{figure} is not in {figures}");
    }
    let ended = running.terminate().await;
    let lines: Vec<Value> = ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line["surface"] == "storefront" && line["route"] == "/products").count(), 2);
    ended.succeeded();
}
