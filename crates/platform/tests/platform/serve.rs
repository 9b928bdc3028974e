//! The port itself: opening, serving, draining.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use kernel::Problem;
use platform::http::{bind, serve};
use platform::lifecycle::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::{around, client, settings, url};

const DRAIN: Duration = Duration::from_secs(10);

/// A port that is open until told to stop.
struct Port {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: Tasks,
}

/// Opens a port, runs `visit` against it, and closes it.
async fn open(drain_timeout: Duration, visit: impl AsyncFnOnce(&Port)) -> Duration {
    let routes = Router::new()
        .route("/quick", get(async || "quick"))
        .route("/slow", get(async || tokio::time::sleep(Duration::from_millis(20)).await))
        .route("/slower", get(async || tokio::time::sleep(Duration::from_millis(250)).await))
        .route("/endless", get(async || std::future::pending::<()>().await))
        .route("/refused", get(async || Problem::not_found("dish").detail("There is none.")));
    let router = around(routes, &platform::config::Http { request_timeout: Duration::from_secs(30), ..settings() });
    let listener = bind("127.0.0.1:0".parse().unwrap(), "http.public_address").await.unwrap();
    let port = Port { address: listener.local_addr().unwrap(), stop: CancellationToken::new(), tasks: Tasks::new() };
    let mut stopped = Instant::now();
    let serving = serve(listener, router, port.tasks.clone(), port.stop.clone(), drain_timeout);
    let visiting = async {
        visit(&port).await;
        stopped = Instant::now();
        port.stop.cancel();
    };
    tokio::join!(serving, visiting);
    stopped.elapsed()
}

#[tokio::test]
async fn a_taken_port_is_a_clear_error() {
    let listener = bind("127.0.0.1:0".parse().unwrap(), "http.public_address").await.unwrap();
    let address = listener.local_addr().unwrap();
    let error = bind(address, "http.public_address").await.unwrap_err();
    assert_eq!(error.to_string(), format!("{address} is taken by another program: stop it, or set http.public_address to another address"));
    let error = bind("192.0.2.1:1".parse().unwrap(), "http.public_address").await.unwrap_err();
    assert!(error.to_string().contains("http.public_address"), "{error}");
}

#[tokio::test]
async fn problems_arrive_whole_over_the_wire() {
    open(DRAIN, async |port: &Port| {
        let reply = client().get(url(port.address, "/refused")).send().await.unwrap();
        assert_eq!(reply.status().as_u16(), 404);
        let problem: serde_json::Value = reply.json().await.unwrap();
        assert!(problem["instance"].as_str().unwrap().starts_with("req_"));
        let head = client().head(url(port.address, "/refused")).send().await.unwrap();
        assert_eq!((head.status().as_u16(), head.text().await.unwrap()), (404, String::new()));
    })
    .await;
}

/// Sends requests over one kept connection until the port is closed, counts those that were answered, and tells how many were lost.
async fn visit_until_closed(address: SocketAddr, path: &str, answered: Arc<AtomicUsize>) -> usize {
    let client = client();
    let mut lost = 0;
    while lost < 100 {
        match client.get(url(address, path)).send().await {
            Ok(reply) if reply.status().is_success() => {
                answered.fetch_add(1, Ordering::SeqCst);
            }
            // Not let in any more: the client knows that nothing was done.
            Err(error) if error.is_connect() => return lost,
            _ => lost += 1,
        }
    }
    lost
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn draining_under_load_loses_no_request() {
    for _ in 0..5 {
        let visitors: std::sync::Mutex<Vec<_>> = std::sync::Mutex::default();
        let answered = Arc::new(AtomicUsize::new(0));
        let took = open(DRAIN, async |port: &Port| {
            let address = port.address;
            for number in 0..24 {
                let path = if number % 2 == 0 { "/quick" } else { "/slow" };
                #[expect(clippy::disallowed_methods, reason = "a test waits for its own tasks")]
                visitors.lock().unwrap().push(tokio::spawn(visit_until_closed(address, path, Arc::clone(&answered))));
            }
            while answered.load(Ordering::SeqCst) < 200 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        assert!(took < Duration::from_secs(5), "it drained in {took:?}");
        for visitor in visitors.into_inner().unwrap() {
            assert_eq!(visitor.await.unwrap(), 0, "lost requests");
        }
    }
}

#[tokio::test]
async fn a_request_in_flight_is_answered_and_its_connection_closed() {
    let answered = Arc::new(AtomicUsize::new(0));
    let tasks = Tasks::new();
    let took = open(DRAIN, async |port: &Port| {
        let (address, answered) = (port.address, Arc::clone(&answered));
        tasks.spawn("visitor", async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET /slower HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
            let mut reply = String::new();
            stream.read_to_string(&mut reply).await.unwrap();
            assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("connection: close"), "{reply}");
            answered.fetch_add(1, Ordering::SeqCst);
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
    })
    .await;
    assert!(tasks.finish(DRAIN).await);
    assert_eq!(answered.load(Ordering::SeqCst), 1);
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_connection_without_a_request_does_not_hold_up_the_stop() {
    let silent = std::sync::Mutex::new(None);
    let took = open(DRAIN, async |port: &Port| {
        *silent.lock().unwrap() = Some(TcpStream::connect(port.address).await.unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
    })
    .await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_request_that_never_ends_is_left_behind_when_the_drain_timeout_is_over() {
    let tasks = Tasks::new();
    let took = open(Duration::from_millis(500), async |port: &Port| {
        let address = port.address;
        tasks.spawn("visitor", async move {
            drop(client().get(url(address, "/endless")).send().await);
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
    })
    .await;
    assert!((Duration::from_millis(400)..Duration::from_secs(2)).contains(&took), "{took:?}");
}
