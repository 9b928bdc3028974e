//! The client against a small router, over both transports.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use client::{BaseUrlError, CallError, Client, Unreachable, Visitor};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use kernel::{Endpoint, Method, Problem, Token};
use platform::http::InternalCredential;
use platform::lifecycle::Tasks;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const ECHO: Endpoint<Note, Echo> = Endpoint::new(Method::Patch, "/echo/{id}/lines/{line_id}");
const READ: Endpoint<(), Echo> = Endpoint::new(Method::Get, "/echo/{id}/lines/{line_id}");
const EMPTY: Endpoint<(), ()> = Endpoint::new(Method::Delete, "/empty");
const REFUSED: Endpoint<(), Echo> = Endpoint::new(Method::Post, "/refused");
const FOREIGN: Endpoint<(), Echo> = Endpoint::new(Method::Get, "/foreign");
const HTML: Endpoint<(), Echo> = Endpoint::new(Method::Get, "/html");
const LARGE: Endpoint<(), String> = Endpoint::new(Method::Get, "/large");
const SLOW: Endpoint<(), Echo> = Endpoint::new(Method::Get, "/slow");

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    text: String,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Echo {
    method: String,
    address: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Echo {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Serialize)]
struct Filter {
    q: &'static str,
    limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

fn api() -> Router {
    Router::new()
        .route("/echo/{id}/lines/{line_id}", any(echo))
        .route("/empty", any(async || StatusCode::NO_CONTENT))
        .route("/refused", any(async || Problem::new(409, "in_progress", "Wait").field("/lines/0", "short", "only 2").retry_after(7)))
        .route("/foreign", get(async || (StatusCode::BAD_GATEWAY, "<html>bad gateway</html>")))
        .route("/html", get(async || "<html>"))
        .route("/large", get(async || format!("\"{}\"", "x".repeat(100_000))))
        .route("/slow", get(async || tokio::time::sleep(Duration::from_secs(30)).await))
}

async fn echo(request: Request<axum::body::Body>) -> Response {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let echo = Echo { method: parts.method.to_string(), address: parts.uri.path_and_query().unwrap().to_string(), headers, body };
    let answer = [(header::CONTENT_TYPE.as_str(), "application/json"), ("etag", "\"41\""), ("idempotency-replayed", "true")];
    (answer, serde_json::to_string(&echo).unwrap()).into_response()
}

/// The same API twice: in this process, and behind a listener on the loopback.
async fn both() -> [Client; 2] {
    [Client::in_process(api(), credential()), Client::http(reqwest_client(), &serve(api()).await, credential()).unwrap()]
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = Tasks::new();
    tasks.spawn("server", platform::http::serve(listener, router, tasks.clone(), CancellationToken::new(), Duration::ZERO));
    format!("http://{address}")
}

fn reqwest_client() -> reqwest::Client {
    reqwest::Client::builder().build().unwrap()
}

fn credential() -> InternalCredential {
    "let us in".into()
}

#[tokio::test]
async fn a_call_arrives_with_everything_it_was_given() {
    let token = Token::generate();
    let visitor = Visitor { address: IpAddr::from([203, 0, 113, 9]), request_id: Some("req_1".to_owned()) };
    for client in both().await {
        let call = client.call(&ECHO).param("id", "a/b c?").param("line_id", "é");
        let call = call.query(&Filter { q: "tea & co", limit: Some(3), after: None }).body(&Note { text: "hello".to_owned() });
        let call = call.bearer(&"session".into()).channel("smoke").host("shop.example").cart_token(&token).order_token(&token);
        let answer = call.idempotency_key("key-1").if_match(40).visitor(&visitor).send().await.unwrap();
        assert_eq!((answer.status, answer.version, answer.replayed), (200, Some(41), true));
        let seen = answer.body;
        assert_eq!(seen.method, "PATCH");
        assert_eq!(seen.address, "/echo/a%2Fb%20c%3F/lines/%C3%A9?q=tea+%26+co&limit=3");
        assert_eq!(seen.body, "{\"text\":\"hello\"}");
        for (name, value) in [
            ("authorization", "Bearer session"),
            ("content-type", "application/json"),
            ("x-channel", "smoke"),
            ("x-forwarded-host", "shop.example"),
            ("x-cart-token", &token.reveal()),
            ("x-order-token", &token.reveal()),
            ("idempotency-key", "key-1"),
            ("if-match", "\"40\""),
            ("x-client-address", "203.0.113.9"),
            ("x-request-id", "req_1"),
            ("x-internal-credential", "let us in"),
        ] {
            assert_eq!(seen.header(name), Some(value), "{name} over {client:?}");
        }
    }
}

#[tokio::test]
async fn a_bare_call_carries_the_internal_credential_and_nothing_else_of_ours() {
    for client in both().await {
        let seen = client.call(&READ).param("id", 1).param("line_id", 2).send().await.unwrap().body;
        assert_eq!((seen.method.as_str(), seen.address.as_str(), seen.body.as_str()), ("GET", "/echo/1/lines/2", ""));
        assert_eq!(seen.header("x-internal-credential"), Some("let us in"));
        assert_eq!(seen.header("content-type"), None);
        assert_eq!(seen.header("x-client-address"), None);
    }
}

#[tokio::test]
async fn an_answer_without_content_is_nothing() {
    for client in both().await {
        let answer = client.call(&EMPTY).send().await.unwrap();
        assert_eq!((answer.status, answer.version, answer.replayed), (204, None, false));
    }
}

#[tokio::test]
async fn a_refusal_is_told_with_its_fields_and_its_wait() {
    for client in both().await {
        let error = client.call(&REFUSED).send().await.unwrap_err();
        assert!(error.is("in_progress") && !error.is("cart_changed"));
        let problem = error.problem().unwrap();
        assert_eq!((problem.status(), problem.retry_after_seconds()), (409, Some(7)));
        assert_eq!(problem.errors().first().map(|field| field.pointer.as_str()), Some("/lines/0"));
    }
}

#[tokio::test]
async fn what_is_not_our_api_is_unreachable() {
    for client in both().await {
        assert!(matches!(unreachable(client.call(&FOREIGN).send().await), Unreachable::Foreign { status: 502 }));
        assert!(matches!(unreachable(client.call(&HTML).send().await), Unreachable::Unreadable(_)));
    }
}

#[tokio::test]
async fn an_answer_beyond_the_bound_is_not_taken_in() {
    for client in both().await {
        assert_eq!(client.call(&LARGE).send().await.unwrap().body.len(), 100_000);
        let error = unreachable(client.with_answer_limit(100_000).call(&LARGE).send().await);
        assert!(matches!(error, Unreachable::TooLarge { limit_bytes: 100_000 }));
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_not_waited_for() {
    for client in both().await {
        let error = unreachable(client.with_timeout(Duration::from_millis(50)).call(&SLOW).send().await);
        assert!(matches!(error, Unreachable::Timeout));
    }
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = Client::http(reqwest_client(), &format!("http://{address}/"), credential()).unwrap();
    assert!(matches!(unreachable(client.call(&EMPTY).send().await), Unreachable::Transport(_)));
}

#[tokio::test]
async fn a_call_that_cannot_be_written_is_not_sent() {
    for client in both().await {
        let missing = client.call(&READ).param("id", 1).send().await;
        assert!(matches!(unreachable(missing), Unreachable::Unsendable { .. }));
        let broken = client.call(&EMPTY).channel("two\nlines").send().await;
        assert!(matches!(unreachable(broken), Unreachable::Unsendable { .. }));
    }
}

#[tokio::test]
async fn a_parameter_that_would_name_another_path_names_nothing() {
    for client in both().await {
        for value in ["", ".", ".."] {
            let error = client.call(&READ).param("id", value).param("line_id", 1).send().await.unwrap_err();
            assert_eq!(error.problem().map(Problem::status), Some(404));
        }
    }
}

#[tokio::test]
async fn an_api_behind_a_prefix_is_reached() {
    let client = Client::http(reqwest_client(), &format!("{}/shop/", serve(Router::new().nest("/shop", api())).await), credential()).unwrap();
    let seen = client.call(&READ).param("id", 1).param("line_id", 2).send().await.unwrap().body;
    assert_eq!(seen.address, "/echo/1/lines/2");
}

#[test]
fn only_web_addresses_are_bases() {
    for address in ["", "shop.example", "ftp://shop.example", "http://", "http://shop.example?x=1", "/api"] {
        assert_eq!(Client::http(reqwest_client(), address, credential()).err(), Some(BaseUrlError), "{address}");
    }
}

#[test]
fn secrets_do_not_show_in_debug() {
    let client = Client::in_process(api(), credential());
    assert_eq!(format!("{client:?}"), "Client(in process)");
}

fn unreachable<T: std::fmt::Debug>(answer: Result<T, CallError>) -> Unreachable {
    match answer.unwrap_err() {
        CallError::Unreachable(reason) => reason,
        other @ CallError::Problem(_) => panic!("{other}"),
    }
}
