//! What probes and Prometheus see.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use http::Request;
use platform::operations::{Readiness, router};
use platform::telemetry::Metrics;
use serde_json::json;
use tower::ServiceExt;

use crate::get;

fn port(readiness: &Readiness) -> Router {
    router(readiness.clone(), Metrics::detached().unwrap())
}

#[tokio::test]
async fn a_process_is_ready_from_its_start_to_its_drain() {
    let readiness = Readiness::default();
    let port = port(&readiness);
    let state = async || {
        let reply = get(&port, "/readyz").await;
        (reply.status, reply.json["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(state().await, (503, "starting".to_owned()));
    readiness.set_started();
    assert_eq!(state().await, (200, "ready".to_owned()));
    readiness.set_draining();
    assert_eq!(state().await, (503, "draining".to_owned()));
    readiness.set_started();
    assert_eq!(state().await, (503, "draining".to_owned()), "who is told to stop while starting goes on stopping");
    assert_eq!(get(&port, "/livez").await.status, 200, "draining is living");
}

#[tokio::test]
async fn a_dependency_that_is_down_or_hangs_is_told_and_changes_nothing() {
    let readiness = Readiness::default();
    readiness.set_started();
    readiness.register_dependency("database", || Box::pin(async { Err("refused".to_owned()) }));
    readiness.register_dependency("redis", || Box::pin(std::future::pending()));
    readiness.register_dependency("search", || Box::pin(std::future::pending()));
    readiness.register_dependency("mail", || Box::pin(async { Ok(()) }));
    let begun = Instant::now();
    let reply = get(&port(&readiness), "/readyz").await;
    // A probe gives up after a second, and then the process would count as not ready after all.
    assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
    assert_eq!(reply.status, 200);
    let hangs = "down: no answer within 400 ms";
    assert_eq!(reply.json["dependencies"], json!({ "database": "down: refused", "mail": "up", "redis": hangs, "search": hangs }));
}

#[tokio::test]
async fn metrics_of_requests_queues_dependencies_and_the_process_are_shown() {
    let metrics = Metrics::install().unwrap();
    let readiness = Readiness::default();
    readiness.register_dependency("database", || Box::pin(async { Err("refused".to_owned()) }));
    let port = router(readiness, metrics);
    get(&port, "/readyz").await;
    let served = crate::around(Router::new().route("/dishes/{id}", axum::routing::get(async || "")), &crate::settings());
    get(&served, "/dishes/1").await;
    get(&served, "/dishes/2").await;

    let response = port.oneshot(Request::get("/metrics").body(Body::empty()).unwrap()).await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    let text = String::from_utf8(axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap();
    for part in [
        "http_requests_total{route=\"/dishes/{id}\",method=\"GET\",code=\"200\",surface=\"test\"} 2",
        "http_request_duration_seconds_bucket{route=\"/dishes/{id}\"",
        "http_requests_in_flight{surface=\"test\"} 0",
        "dependency_up{dependency=\"database\"} 0",
        "process_resident_memory_bytes",
        "process_open_fds",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}
