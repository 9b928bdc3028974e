//! The first look: what it answers by itself, what it must not, and that nobody can tell the difference.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use kernel::Clock;
use metrics_exporter_prometheus::PrometheusBuilder;
use platform::config::Loaded;
use platform::http::Kit;
use platform::lifecycle::Tasks;
use serde_json::{Value, json};
use stores::{CacheOptions, Key, Render, Shortcuts, Stores, Surface, Wish};
use tower::ServiceExt;

/// A port with one kept answer, `/dishes/{id}`, and the shortcuts around it.
struct Port {
    stores: Stores,
    clock: Clock,
    shortcuts: Shortcuts<Router>,
    /// How often a request came past the first look.
    entered: Arc<AtomicUsize>,
}

/// An answer as its client sees it.
#[derive(Debug, Clone, PartialEq)]
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Reply {
    /// All but the request's own name; and the length, which a router notes and the server writes anyway.
    fn without_name(mut self) -> Self {
        self.headers.remove(header::CONTENT_LENGTH);
        assert!(self.headers.remove("x-request-id").unwrap().to_str().unwrap().starts_with("req_"));
        self
    }
}

impl Port {
    fn new() -> Self {
        Self::with(CacheOptions::default())
    }

    fn with(options: CacheOptions) -> Self {
        let clock = Clock::frozen(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let stores = Stores::new(options, clock.clone(), Tasks::new());
        let (entered, kept) = (Arc::new(AtomicUsize::new(0)), stores.clone());
        let counted = Arc::clone(&entered);
        let answer = move |request: Request| {
            counted.fetch_add(1, Ordering::SeqCst);
            let (stores, headers) = (kept.clone(), request.headers().clone());
            let key = Key::new(Surface::Api, "default", "en", request.uri().path(), "");
            async move { stores.renders().answer(&key, &headers, Wish::default(), async |_| Ok(dish())).await }
        };
        let router = Router::new().route("/dishes/{id}", get(answer)).route("/other", get(async || "not kept"));
        let kit = Kit::new(&Loaded::load(None, []).unwrap().config.http, clock.clone(), "hush".into());
        let shortcuts = stores.shortcuts(kit.around(router, "kitchen"));
        Self { stores, clock, shortcuts, entered }
    }

    async fn send(&self, request: Request) -> Reply {
        let (parts, body) = self.shortcuts.clone().oneshot(request).await.unwrap().into_parts();
        Reply { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    async fn ask(&self, headers: &[(&str, &str)]) -> Reply {
        let request = Request::get("/dishes/1").header(header::HOST, "shop.example");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    fn entered(&self) -> usize {
        self.entered.load(Ordering::SeqCst)
    }
}

fn dish() -> Render {
    let body = Bytes::from("salt and samphire, ".repeat(100));
    Render { headers: HeaderMap::new(), body, tags: vec!["dish:1".to_owned()] }.header(header::VARY, HeaderValue::from_static("X-Channel"))
}

#[tokio::test]
async fn the_second_who_asks_the_same_is_answered_at_the_door_and_sees_no_difference() {
    let port = Port::new();
    let first = port.ask(&[]).await.without_name();
    let again = port.ask(&[]).await.without_name();
    assert_eq!((&again, port.entered()), (&first, 1));
    assert_eq!((first.status, first.headers["x-content-type-options"].as_bytes()), (StatusCode::OK, b"nosniff".as_slice()));
}

#[tokio::test]
async fn codings_and_conditions_are_each_clients_own() {
    let port = Port::new();
    let plain = port.ask(&[]).await;
    let brotli = port.ask(&[("accept-encoding", "gzip, br")]).await;
    assert_eq!((brotli.headers[header::CONTENT_ENCODING].as_bytes(), &brotli.headers[header::ETAG]), (b"br".as_slice(), &plain.headers[header::ETAG]));
    assert!(brotli.body.len() < plain.body.len() / 4);
    let known = port.ask(&[("if-none-match", plain.headers[header::ETAG].to_str().unwrap())]).await;
    assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(port.entered(), 1);
}

#[tokio::test]
async fn any_news_a_second_or_the_end_of_its_time_closes_a_shortcut() {
    let port = Port::with(CacheOptions { ttl: Duration::from_millis(1_500), ..CacheOptions::default() });
    let mut entered = 0;
    let mut asks = async |is_new: bool| {
        entered += usize::from(is_new);
        port.ask(&[]).await;
        assert_eq!(port.entered(), entered);
    };
    asks(true).await;
    asks(false).await;
    port.stores.bus().tell(&["something else"]);
    asks(true).await;
    asks(false).await;
    port.clock.advance(TimeDelta::milliseconds(999));
    asks(false).await;
    port.clock.advance(TimeDelta::milliseconds(1));
    asks(true).await;
    asks(false).await;
    // Half a second on, the answer has lived for as long as it may, though the shortcut has not.
    port.clock.advance(TimeDelta::milliseconds(500));
    asks(true).await;
}

#[tokio::test]
async fn what_is_not_kept_at_all_is_never_answered_at_the_door() {
    let port = Port::with(CacheOptions { ttl: Duration::ZERO, stale_for: Duration::ZERO, ..CacheOptions::default() });
    port.ask(&[]).await;
    port.ask(&[]).await;
    assert_eq!(port.entered(), 2);
    for _ in 0..2 {
        assert_eq!(port.send(Request::get("/other").body(Body::empty()).unwrap()).await.body, "not kept");
    }
}

#[tokio::test]
async fn who_may_be_answered_otherwise_goes_the_ordinary_way() {
    let port = Port::new();
    port.ask(&[]).await;
    let others: [&[(&str, &str)]; 4] = [&[("host", "other.example")], &[("x-channel", "de")], &[("x-internal-credential", "hush")], &[("hx-request", "true")]];
    for (number, headers) in others.into_iter().enumerate() {
        let request = headers.iter().fold(Request::get("/dishes/1"), |request, (name, value)| request.header(*name, *value));
        port.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(port.entered(), number + 2, "{headers:?}");
    }
    let head = port.send(Request::head("/dishes/1").header(header::HOST, "shop.example").body(Body::empty()).unwrap()).await;
    assert_eq!((port.entered(), head.body.len(), head.headers[header::CONTENT_LENGTH].as_bytes()), (6, 0, b"1900".as_slice()));
}

#[tokio::test]
async fn more_addresses_than_can_be_known_and_long_ones_are_answered_all_the_same() {
    let port = Port::new();
    for query in ["x".repeat(2_000), "y".to_owned()] {
        for _ in 0..2 {
            let request = Request::get(format!("/dishes/1?{query}")).body(Body::empty()).unwrap();
            assert_eq!(port.send(request).await.status, StatusCode::OK);
        }
    }
    assert_eq!(port.entered(), 3, "the long one is not known again");
}

/// A place where lines of the log are kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_answer_at_the_door_is_written_down_and_counted_like_any_other() {
    let recorder = PrometheusBuilder::new().build_recorder();
    // Every task of this test runs on this thread.
    let _counting = metrics::set_default_local_recorder(&recorder);
    let log = Log::default();
    let to = log.clone();
    let _listening = tracing::subscriber::set_default(tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || to.clone()).finish());
    tracing::callsite::rebuild_interest_cache();

    let port = Port::new();
    let replies = [port.ask(&[]).await, port.ask(&[]).await];
    assert_eq!(port.entered(), 1);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    for (line, reply) in lines.iter().zip(&replies) {
        let told = ["surface", "method", "route", "status", "bytes", "request_id"].map(|field| line[field].clone());
        let id = reply.headers["x-request-id"].to_str().unwrap();
        assert_eq!(told, [json!("kitchen"), json!("GET"), json!("/dishes/{id}"), json!(200), json!(1_900), json!(id)]);
    }
    assert_ne!(lines[0]["request_id"], lines[1]["request_id"]);
    let figures = recorder.handle().render();
    for line in [
        r#"http_requests_total{route="/dishes/{id}",method="GET",code="200",surface="kitchen"} 2"#,
        r#"http_requests_in_flight{surface="kitchen"} 0"#,
        r#"cache_hits_total{surface="api"} 1"#,
    ] {
        assert!(figures.contains(line), "{line} is not in {figures}");
    }
}
