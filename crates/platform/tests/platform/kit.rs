//! The layers around every route.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::{get as on_get, post};
use garde::Validate;
use http::Request;
use kernel::Problem;
use platform::config::Http;
use platform::http::{Json, Path, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{around, get, send, settings};

#[derive(Deserialize, Validate)]
struct Cook {
    #[garde(length(min = 1))]
    dish: String,
    #[garde(dive)]
    steps: Vec<Step>,
}

#[derive(Deserialize, Validate)]
struct Step {
    #[garde(range(min = 1))]
    minutes: u32,
}

#[derive(Deserialize)]
struct Filter {
    limit: Option<u32>,
}

/// Lets every event of this process be of interest to somebody. A place that is first passed while nobody listens counts as of no interest
/// from then on, and another test's listener may come a moment too late to change that.
fn hear_everything() {
    static HEARD: std::sync::Once = std::sync::Once::new();
    HEARD.call_once(|| tracing::subscriber::set_global_default(tracing_subscriber::fmt().with_writer(std::io::sink).finish()).unwrap());
}

fn router(http: &Http) -> Router {
    hear_everything();
    let routes = Router::new()
        .route("/dishes", post(async |Json(cook): Json<Cook>| format!("{} {}", cook.dish, cook.steps.len())))
        .route("/dishes/{id}", on_get(async |Path(id): Path<u32>, Query(filter): Query<Filter>| format!("{id} {:?}", filter.limit)))
        .route("/slow", on_get(async || tokio::time::sleep(Duration::from_millis(200)).await))
        .route("/endless", on_get(async || std::future::pending::<()>().await))
        .route("/panic", on_get(panics))
        .route(
            "/cookies",
            on_get(async || ([("set-cookie", "a=1")], http::Response::builder().header("set-cookie", "b=2").body(Body::empty()).unwrap()).into_response()),
        )
        .route("/refused", on_get(async || ([("set-cookie", "a=1")], Problem::not_found("dish"))));
    around(routes, http)
}

#[expect(clippy::panic, reason = "shows what becomes of it")]
async fn panics() -> &'static str {
    panic!("secret detail")
}

async fn cook(router: &Router, content_type: &str, body: impl Into<Body>) -> crate::Reply {
    send(router, Request::post("/dishes").header("content-type", content_type).body(body.into()).unwrap()).await
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems() {
    let router = router(&settings());
    get(&router, "/nothing").await.is_problem(404, "route_not_found");
    let reply = get(&router, "/dishes").await;
    reply.is_problem(405, "method_not_allowed");
    assert_eq!(reply.header("allow"), "POST");
    get(&router, "/dishes/many").await.is_problem(404, "record_not_found");
    let reply = get(&router, "/dishes/1?limit=many").await;
    reply.is_problem(400, "invalid_query");
    assert_eq!(reply.json["errors"][0]["pointer"], "limit");
}

#[tokio::test]
async fn bodies_are_refused_for_their_kind_size_form_and_content() {
    let router = router(&settings());
    cook(&router, "text/plain", "{}").await.is_problem(415, "unsupported_media_type");
    cook(&router, "application/json", "x".repeat(1_025)).await.is_problem(413, "body_too_large");
    cook(&router, "application/json", "{\"dish\":").await.is_problem(400, "malformed_json");
    cook(&router, "application/json", "{} {}").await.is_problem(422, "invalid_body");
    cook(&router, "application/json", format!("{{\"x\":{}", "[".repeat(900))).await.is_problem(400, "malformed_json");

    let pointers = async |body: Value| {
        let reply = cook(&router, "application/json; charset=utf-8", body.to_string()).await;
        reply.is_problem(422, "invalid_body");
        reply.json["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(pointers(json!({ "dish": 1, "steps": [] })).await, ["/dish"]);
    assert_eq!(pointers(json!({ "dish": "a", "steps": [{ "minutes": 1 }, { "minutes": "x" }] })).await, ["/steps/1/minutes"]);
    assert_eq!(pointers(json!({ "dish": "a", "steps": [{}] })).await, ["/steps/0/minutes"]);
    assert_eq!(pointers(json!({ "steps": [] })).await, ["/dish"]);
    assert_eq!(pointers(json!({ "dish": "", "steps": [{ "minutes": 1 }, { "minutes": 0 }] })).await, ["/dish", "/steps/1/minutes"]);
    assert_eq!(cook(&router, "application/json", json!({ "dish": "a", "steps": [] }).to_string()).await.status, 200);
}

#[tokio::test]
async fn a_panic_is_a_problem_that_tells_nothing() {
    let reply = get(&router(&settings()), "/panic").await;
    reply.is_problem(500, "internal");
    assert!(!reply.json.to_string().contains("secret"));
}

#[tokio::test]
async fn what_takes_too_long_is_told_to_come_again() {
    let reply = get(&router(&settings()), "/endless").await;
    reply.is_problem(503, "timeout");
    assert_eq!(reply.header("retry-after"), "1");
}

#[tokio::test]
async fn more_requests_than_there_are_slots_are_told_to_come_again_at_once() {
    let router = router(&Http { max_concurrent_requests: 2, ..settings() });
    let (first, second, third) = tokio::join!(get(&router, "/slow"), get(&router, "/slow"), get(&router, "/slow"));
    assert_eq!((first.status, second.status), (200, 200));
    third.is_problem(503, "overloaded");
    assert_eq!(third.header("retry-after"), "1");
    assert_eq!(get(&router, "/slow").await.status, 200, "the slots are free again");
}

#[tokio::test]
async fn a_request_is_named_by_the_caller_only_if_it_is_our_own_web_tier() {
    let router = router(&settings());
    let named = "req_00000000000000000000000001";
    let ask = async |credential: Option<&str>, id: &str| {
        let mut request = Request::get("/nothing").header("x-request-id", id);
        if let Some(credential) = credential {
            request = request.header("x-internal-credential", credential);
        }
        send(&router, request.body(Body::empty()).unwrap()).await.header("x-request-id").to_owned()
    };
    assert_eq!(ask(Some("hush"), named).await, named);
    assert_ne!(ask(None, named).await, named);
    assert_ne!(ask(Some("wrong"), named).await, named);
    assert_ne!(ask(Some(""), named).await, named);
    assert_ne!(ask(Some("hush"), "no id of ours").await, "no id of ours");
}

#[tokio::test]
async fn every_answer_has_its_name_and_the_headers_that_keep_browsers_strict() {
    let reply = get(&router(&settings()), "/cookies").await;
    assert!(reply.header("x-request-id").starts_with("req_"));
    assert_eq!((reply.header("x-content-type-options"), reply.header("referrer-policy")), ("nosniff", "same-origin"));
    let refused = get(&router(&settings()), "/refused").await;
    refused.is_problem(404, "dish_not_found");
    assert_eq!(refused.header("set-cookie"), "a=1", "what the handler said besides stays");
}

/// A log that a test can read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn lines(&self, target: &str) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).filter(|line| line["target"] == target).collect()
    }

    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || log.clone()).finish();
        let guard = tracing::subscriber::set_default(subscriber);
        tracing::callsite::rebuild_interest_cache();
        guard
    }
}

#[tokio::test]
async fn a_request_writes_one_line_that_says_it_all() {
    let router = router(&settings());
    let log = Log::default();
    let _listening = log.listen();
    let reply = get(&router, "/dishes/7?limit=3&secret=hush").await;
    let lines = log.lines("request");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert_eq!((&line["surface"], &line["method"], &line["route"], &line["status"]), (&json!("test"), &json!("GET"), &json!("/dishes/{id}"), &json!(200)));
    assert_eq!((&line["bytes"], &line["request_id"]), (&json!("7 Some(3)".len()), &json!(reply.header("x-request-id"))));
    assert!(line["duration_us"].is_u64());
    assert!(!line.to_string().contains("hush"), "queries may hold secrets");
}

#[tokio::test]
async fn refusals_panics_and_unknown_methods_write_one_line_too() {
    let router = router(&settings());
    let log = Log::default();
    let _listening = log.listen();
    get(&router, "/nothing").await;
    get(&router, "/panic").await;
    get(&router, "/endless").await;
    send(&router, Request::builder().method("BREW").uri("/dishes").body(Body::empty()).unwrap()).await;
    let told: Vec<(Value, Value, Value)> =
        log.lines("request").into_iter().map(|line| (line["route"].clone(), line["method"].clone(), line["status"].clone())).collect();
    let expected = [("unmatched", "GET", 404), ("/panic", "GET", 500), ("/endless", "GET", 503), ("/dishes", "other", 405)];
    assert_eq!(told, expected.map(|(route, method, status)| (json!(route), json!(method), json!(status))));
    let panics = log.lines("platform::http::layers");
    assert_eq!(panics.first().map(|line| line["panic"].clone()), Some(json!("secret detail")), "the log knows why");
}

#[tokio::test]
async fn a_client_that_goes_away_is_written_down_as_such() {
    let router = router(&settings());
    let log = Log::default();
    let _listening = log.listen();
    let gone = tokio::time::timeout(Duration::from_millis(50), get(&router, "/slow")).await;
    assert!(gone.is_err());
    let lines = log.lines("request");
    assert_eq!(lines.iter().map(|line| line["status"].clone()).collect::<Vec<_>>(), [json!(499)]);
}
