//! Behind a gateway: limits and journals see who asks, and nobody can say to be somebody else.

use serde_json::Value;
use sqlx::ConnectOptions;
use testkit::{RedisServer, TestDatabase};

use crate::books::small_shop;
use crate::process::{Folder, Running, http};

const LIMIT: usize = 5;

/// Begins a cart, as if a gateway passed this on; returns the status.
async fn new_cart(running: &Running, forwarded_for: &str) -> reqwest::Response {
    http().post(format!("{}/store/v1/carts", running.base_url())).header("x-forwarded-for", forwarded_for).send().await.unwrap()
}

async fn folder_on(database: &TestDatabase) -> Folder {
    let folder = Folder::new()
        .env("DATABASE_URL", &database.url())
        .env("TRADEWIND__WEB__INTERNAL_CREDENTIAL", "between-us")
        .env("TRADEWIND__LIMITS__CHANGES_PER_MINUTE", &LIMIT.to_string());
    folder.run(&["migrate"]).await.succeeded();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn shoppers_behind_a_gateway_are_limited_one_by_one_by_all_processes_together() {
    let (database, redis) = (TestDatabase::create(&[]).await, RedisServer::start().await);
    let folder = folder_on(&database).await.env("REDIS_URL", &redis.url()).env("TRADEWIND__HTTP__TRUSTED_PROXIES", "127.0.0.0/8, 10.0.0.0/8");
    folder.run(&["seed", "--from", small_shop(&folder, &[10]).to_str().unwrap()]).await.succeeded();
    let (one, other) = (folder.serve(&[]).await, folder.serve(&["--target", "api"]).await);
    for running in [&one, &other] {
        running.until_dependency("redis", "up").await;
    }
    for number in 0..LIMIT {
        let answer = new_cart(if number % 2 == 0 { &one } else { &other }, "203.0.113.9").await;
        assert_eq!(answer.status(), 201, "{number}");
    }
    for running in [&one, &other] {
        let refused = new_cart(running, "203.0.113.9").await;
        assert_eq!(refused.status(), 429);
        let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        assert_eq!(refused.json::<Value>().await.unwrap()["code"], "too_many_requests");
        // What the client wrote itself stands left of what the gateways wrote.
        assert_eq!(new_cart(running, "198.51.100.1, 203.0.113.9, 10.1.2.3").await.status(), 429);
    }
    assert_eq!(new_cart(&one, "203.0.113.9, 198.51.100.1").await.status(), 201);
    // A gateway that tells nobody's address stands for everybody, and is not counted as one.
    for _ in 0..=LIMIT {
        assert_eq!(new_cart(&one, "10.1.2.3").await.status(), 201);
    }

    // Through the pages it is the shopper, too, who is counted: not the process with the pages.
    let add = async |forwarded_for: &str| {
        let list = one.get("/products").await.text().await.unwrap();
        let product = list.split("href=\"/products/").nth(1).unwrap().split(['"', '?', '#']).next().unwrap().to_owned();
        let form = http().post(format!("{}/cart/lines", one.base_url())).header("sec-fetch-site", "same-origin").header("x-forwarded-for", forwarded_for);
        form.form(&[("product", product.as_str()), ("quantity", "1")]).send().await.unwrap().status().as_u16()
    };
    assert_eq!(add("203.0.113.9").await, 503, "a page that says to come again");
    assert_eq!(add("203.0.113.10").await, 303);
    one.terminate().await.succeeded();
    other.terminate().await.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_forwards_is_not_believed() {
    let database = TestDatabase::create(&[]).await;
    let folder = folder_on(&database).await;
    let mut books = database.options().connect().await.unwrap();
    for (trusted, seen) in [("10.0.0.0/8", "127.0.0.1"), ("127.0.0.1", "203.0.113.9")] {
        let running = folder.serve_with(&[], &[("TRADEWIND__HTTP__TRUSTED_PROXIES", trusted)]).await;
        let printed = folder.run(&["staff", "invite", "ada@example.com"]).await.succeeded();
        let token = printed.split("token=").nth(1).unwrap().split_whitespace().next().unwrap();
        let form = http().post(format!("{}/backoffice/invitation", running.base_url())).header("sec-fetch-site", "same-origin");
        let form = form.header("x-forwarded-for", "203.0.113.9").header("x-client-address", "198.51.100.1");
        let joined = form.form(&[("token", token), ("name", "Ada"), ("password", "a long enough password")]).send().await.unwrap();
        assert!(joined.status().is_redirection() || joined.status().is_success(), "{joined:?}");
        let address = sqlx::query_scalar::<_, String>("select address from identity.session order by created_at desc limit 1").fetch_one(&mut books).await;
        assert_eq!(address.unwrap(), seen, "with {trusted} trusted");
        running.terminate().await.succeeded();
    }
}
