//! From start to stop, wanted and unwanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::{Folder, Running, http};

async fn state(running: &Running) -> (u16, Value) {
    let answer = http().get(format!("{}/readyz", running.operations_url())).send().await.unwrap();
    (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

async fn metrics(running: &Running) -> String {
    http().get(format!("{}/metrics", running.operations_url())).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_first_start_needs_nothing_but_an_empty_folder() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;

    let (status, report) = state(&running).await;
    assert_eq!((status, &report["state"], &report["dependencies"]["postgres"]), (200, &"ready".into(), &"up".into()));
    let alive = http().get(format!("{}/livez", running.operations_url())).send().await.unwrap();
    assert_eq!(alive.status(), 200);
    running.get("/store/v1/nothing").await;
    let metrics = metrics(&running).await;
    assert!(metrics.contains("http_requests_total{") && metrics.contains("process_resident_memory_bytes"), "{metrics}");

    let ended = running.terminate().await;
    let printed = ended.succeeded();
    for part in ["Shop", "Back office", "API docs", "Operations"] {
        assert!(printed.contains(part), "{printed}");
    }
    assert!(folder.postmaster().is_none(), "the private database stops with us");
}

#[tokio::test]
async fn a_server_never_prints_a_link_into_the_back_office_or_a_secret() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    folder.run(&["staff", "invite", "ada@example.com"]).await.succeeded();
    let credential = std::fs::read_to_string(folder.data().join("secrets/internal-credential")).unwrap();
    let ended = running.terminate().await;
    let all = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!all.contains("token=") && !all.contains(credential.trim()), "{all}");
}

#[tokio::test]
async fn a_later_start_finds_what_an_earlier_one_left() {
    let folder = Folder::new();
    let first = folder.serve(&[]).await;
    let credential = std::fs::read_to_string(folder.data().join("secrets/internal-credential")).unwrap();
    first.terminate().await.succeeded();
    let second = folder.serve(&[]).await;
    assert_eq!(std::fs::read_to_string(folder.data().join("secrets/internal-credential")).unwrap(), credential);
    assert!(folder.postgres_log().contains("database system was shut down"));
    second.terminate().await.succeeded();
}

#[tokio::test]
async fn after_a_kill_the_next_start_finds_a_clean_database() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    let killed = running.kill9().await;
    assert_eq!(killed.signal(), Some(9));

    let again = folder.serve(&[]).await;
    assert_eq!(state(&again).await.0, 200);
    again.terminate().await.succeeded();
    let log = folder.postgres_log();
    assert!(log.contains("received fast shutdown request"), "{log}");
    assert!(!log.contains("not properly shut down"), "{log}");
}

#[tokio::test]
async fn a_private_database_that_ends_by_itself_ends_the_server_with_a_reason() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    kill_process(folder.postmaster().unwrap(), Signal::INT).unwrap();
    let complaint = running.ended().await.failed();
    assert!(complaint.contains("private PostgreSQL ended by itself"), "{complaint}");
}

#[tokio::test]
async fn a_signal_under_load_drops_no_request_and_no_line_of_the_log() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    let (told, begun, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..16 {
        let (told, begun, answered) = (Arc::clone(&told), Arc::clone(&begun), Arc::clone(&answered));
        let url = format!("{}/docs/admin.json", running.base_url());
        clients.spawn(async move {
            let keeping = http();
            loop {
                // Half of the clients keep their connection, half come anew each time.
                let client = if number % 2 == 0 { keeping.clone() } else { http() };
                begun.fetch_add(1, Ordering::SeqCst);
                let outcome = async { client.get(&url).send().await?.error_for_status()?.bytes().await }.await;
                match outcome {
                    Ok(_) => answered.fetch_add(1, Ordering::SeqCst),
                    // The port is closed: this request was never taken in.
                    Err(error) if error.is_connect() && told.load(Ordering::SeqCst) => return Ok(()),
                    Err(error) => return Err(format!("{error:?}")),
                };
            }
        });
    }
    while answered.load(Ordering::SeqCst) < 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    told.store(true, Ordering::SeqCst);
    let ended = running.terminate().await;
    let dropped: Vec<String> = clients.join_all().await.into_iter().filter_map(Result::err).collect();
    assert!(dropped.is_empty(), "{dropped:?}");
    let answered = answered.load(Ordering::SeqCst);
    assert_eq!(begun.load(Ordering::SeqCst), answered + 16, "every request but the last of each client is answered");
    let lines: Vec<Value> = ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line["target"] == "request").count(), answered, "every answer is written down");
    assert_eq!(lines.last().unwrap()["message"], "stopped");
    ended.succeeded();
}

#[tokio::test]
async fn a_request_in_flight_when_the_signal_comes_is_answered() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    let mut stream = TcpStream::connect(running.base_url().trim_start_matches("http://")).await.unwrap();
    stream.write_all(b"POST /admin/v1/sessions HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{").await.unwrap();
    // The server has begun with it once it counts it.
    while !metrics(&running).await.contains("http_requests_in_flight{surface=\"api\"} 1") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.signal(Signal::TERM);
    while TcpStream::connect(running.base_url().trim_start_matches("http://")).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Long enough for everything else to have ended.
    tokio::time::sleep(Duration::from_secs(1)).await;
    stream.write_all(b"}").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 422") && answer.contains("connection: close"), "{answer}");
    running.ended().await.succeeded();
}

#[tokio::test]
async fn while_load_balancers_take_notice_requests_are_still_served() {
    let folder = Folder::new().env("TRADEWIND__HTTP__DRAIN_DELAY_MS", "1500");
    let running = folder.serve(&[]).await;
    running.signal(Signal::TERM);
    while state(&running).await.0 == 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(state(&running).await.1["state"], "draining");
    assert_eq!(running.get("/docs").await.status(), 200);
    running.ended().await.succeeded();
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let folder = Folder::new().env("TRADEWIND__HTTP__DRAIN_DELAY_MS", "300000");
    let running = folder.serve(&[]).await;
    running.signal(Signal::TERM);
    while state(&running).await.0 == 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let begun = Instant::now();
    running.signal(Signal::INT);
    let ended = running.ended().await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert!(ended.stderr.contains("stopped at once"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_worker_has_no_public_port_and_pages_alone_have_no_database() {
    let folder = Folder::new();
    let worker = folder.serve(&["--target", "worker"]).await;
    assert!(!worker.stdout().contains("Shop") && !worker.stdout().contains("docs"), "{}", worker.stdout());
    worker.terminate().await.succeeded();

    let elsewhere = Folder::new().env("TRADEWIND__WEB__API_URL", "http://127.0.0.1:1").env("TRADEWIND__WEB__INTERNAL_CREDENTIAL", "hush");
    let pages = elsewhere.serve(&["--target", "storefront,backoffice"]).await;
    let (status, report) = state(&pages).await;
    assert_eq!((status, &report["dependencies"]), (200, &serde_json::json!({})));
    assert!(!elsewhere.data().join("postgres").exists());
    pages.terminate().await.succeeded();
}

#[tokio::test]
async fn a_service_alone_serves_its_own_and_says_what_it_leaves_to_others() {
    let folder = Folder::new();
    let identity = folder.serve(&["--target", "identity"]).await;
    let said = identity.stdout();
    assert!(said.contains("other services than identity") && said.contains("--target worker") && said.contains("web.internal_credential"), "{said}");
    let body = serde_json::json!({ "email": "nobody@example.com", "password": "a long enough password" });
    let own = http().post(format!("{}/admin/v1/sessions", identity.base_url())).json(&body).send().await.unwrap();
    assert_eq!(own.status(), 401);
    for (path, part) in [("/store/v1/products", "`catalog`"), ("/admin/v1/orders", "`orders`"), ("/products", "shop"), ("/backoffice", "back office")] {
        let answer = identity.get(path).await;
        let status = answer.status();
        let problem: Value = answer.json().await.unwrap();
        assert!(status == 404 && problem["code"] == "not_served_here", "{path}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(part) && detail.contains("`identity`"), "{path}: {detail}");
    }
    let unknown: Value = identity.get("/store/v1/nothing").await.json().await.unwrap();
    assert_eq!(unknown["code"], "route_not_found", "what nobody serves is still told as such");
    identity.terminate().await.succeeded();
}
