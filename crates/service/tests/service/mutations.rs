//! Mutating requests: whole or not at all, once per key, and to their end when the client goes away.

use std::time::{Duration, Instant};

use platform::lifecycle::Tasks;
use serde_json::json;
use testkit::Shop;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::kitchen::{Cook, Tries, audited, open};

fn dish(takes_ms: u64) -> Cook {
    Cook { dish: "soup".to_owned(), takes_ms }
}

async fn eventually_audited(shop: &Shop, number: i64) {
    let begun = Instant::now();
    while audited(shop, "dish.cooked").await != number {
        assert!(begun.elapsed() < Duration::from_secs(10), "the work was not done");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_in_the_middle_does_not_stop_the_work() {
    let shop = open(&Tries::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = platform::http::serve(listener, shop.router(), Tasks::new(), stop.clone(), Duration::from_secs(5));
    let hanging_up = async {
        let body = serde_json::to_string(&dish(300)).unwrap();
        let request = format!("POST /store/v1/dishes HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(client);
        eventually_audited(&shop, 1).await;
        stop.cancel();
    };
    tokio::join!(serving, hanging_up);
}

#[tokio::test]
async fn a_request_future_that_is_dropped_in_the_middle_does_not_stop_the_work() {
    let shop = open(&Tries::default()).await;
    let sent = shop.post("/store/v1/dishes").json(&dish(300)).send();
    assert!(tokio::time::timeout(Duration::from_millis(100), sent).await.is_err());
    eventually_audited(&shop, 1).await;
}

#[tokio::test]
async fn a_stopping_process_waits_for_work_whose_client_has_gone() {
    let shop = open(&Tries::default()).await;
    let sent = shop.post("/store/v1/dishes").json(&dish(300)).send();
    assert!(tokio::time::timeout(Duration::from_millis(100), sent).await.is_err());
    assert!(shop.context().tasks().finish(Duration::from_secs(5)).await);
    assert_eq!(audited(&shop, "dish.cooked").await, 1);
}

#[tokio::test]
async fn a_refusal_takes_everything_back_and_leaves_the_key_to_be_used_again() {
    let shop = open(&Tries::default()).await;
    for _ in 0..2 {
        let reply = shop.post("/store/v1/refusals").header("idempotency-key", "k").send().await;
        reply.expect_problem(409, "out_of_salt");
        assert_eq!(reply.header("idempotency-replayed"), "");
    }
    assert_eq!(audited(&shop, "dish.cooked").await, 0);
}

#[tokio::test]
async fn a_repeat_with_the_same_key_gets_the_same_answer_and_no_second_effect() {
    let shop = open(&Tries::default()).await;
    let first = shop.post("/store/v1/dishes").header("idempotency-key", "k").json(&dish(0)).send().await;
    let second = shop.post("/store/v1/dishes").header("idempotency-key", "k").json(&dish(0)).send().await;
    assert_eq!((first.status, &first.text, first.header("etag")), (201, &second.text, "\"7\""));
    assert_eq!((second.status, second.header("etag"), second.header("idempotency-replayed")), (201, "\"7\"", "true"));
    assert_eq!(second.header("content-type"), "application/json");
    assert_eq!(audited(&shop, "dish.cooked").await, 1);

    let other = Cook { dish: "stew".to_owned(), takes_ms: 0 };
    shop.post("/store/v1/dishes").header("idempotency-key", "k").json(&other).send().await.expect_problem(422, "idempotency_key_reused");
    // Another holder of another secret has other keys.
    let theirs = shop.post("/store/v1/dishes").header("idempotency-key", "k").header("x-cart-token", "other").json(&dish(0)).send().await;
    assert_eq!((theirs.status, theirs.header("idempotency-replayed")), (201, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_request_ten_times_at_once_has_one_effect_and_ten_equal_answers() {
    let shop = open(&Tries::default()).await;
    let all = (0..10).map(|_| shop.post("/store/v1/dishes").header("idempotency-key", "k").json(&dish(200)).send());
    let replies = futures_util::future::join_all(all).await;
    for reply in &replies {
        assert_eq!((reply.status, &reply.text), (201, &replies[0].text));
    }
    assert_eq!(replies.iter().filter(|reply| reply.header("idempotency-replayed") == "true").count(), 9);
    assert_eq!(audited(&shop, "dish.cooked").await, 1);
}

#[tokio::test]
async fn without_a_key_every_request_has_its_effect() {
    let shop = open(&Tries::default()).await;
    for _ in 0..2 {
        assert_eq!(shop.post("/store/v1/dishes").json(&dish(0)).send().await.status, 201);
    }
    assert_eq!(audited(&shop, "dish.cooked").await, 2);
}

#[tokio::test]
async fn bad_requests_are_problems_with_stable_codes_and_pointers() {
    let shop = open(&Tries::default()).await;
    let post = || shop.post("/store/v1/dishes");
    post().json(&json!({ "dish": "", "takes_ms": 1 })).send().await.expect_problem(422, "invalid_body");
    let missing = post().json(&json!({ "dish": "soup" })).send().await;
    assert_eq!(missing.expect_problem(422, "invalid_body").json["errors"][0], json!({ "pointer": "/takes_ms", "code": "required", "detail": "must be given" }));
    let wrong = post().json(&json!({ "dish": "soup", "takes_ms": "long" })).send().await;
    assert_eq!(wrong.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], "/takes_ms");
    let long = post().json(&json!({ "dish": "soup", "takes_ms": 9_999 })).send().await;
    assert_eq!(long.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], "/takes_ms");
    post().body("{}").send().await.expect_problem(415, "unsupported_media_type");
    post().header("content-type", "application/json").body("{").send().await.expect_problem(400, "malformed_json");
    post().header("content-type", "application/json").body("").send().await.expect_problem(400, "malformed_json");
    for key in [String::new(), "k".repeat(201), "ü".to_owned()] {
        post().header("idempotency-key", &key).json(&dish(0)).send().await.expect_problem(400, "invalid_header");
    }
    assert_eq!(audited(&shop, "dish.cooked").await, 0);
}
