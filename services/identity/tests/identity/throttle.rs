use identity_api::Role;
use tokio::task::JoinSet;

use crate::stand::{OWNER, PASSWORD, SESSIONS, join, open, owner, sign_in, sign_in_from, starting_line};

const WINDOW_SECONDS: i64 = 15 * 60;

#[tokio::test]
async fn an_address_of_email_has_ten_tries_in_a_quarter_of_an_hour() {
    let shop = open().await;
    owner(&shop).await;
    join(&shop, "bob@example.com", Role::Manager).await;
    for number in 0..10 {
        // From everywhere, so that no network address stands out.
        sign_in_from(&shop, &format!("192.0.2.{number}"), OWNER, "not the password").await.expect_problem(401, "credentials_wrong");
    }
    shop.wait(60);
    let refused = sign_in_from(&shop, "198.51.100.1", OWNER, PASSWORD).await;
    refused.expect_problem(429, "too_many_sign_ins");
    assert_eq!(refused.header("retry-after"), (WINDOW_SECONDS - 60 + 1).to_string(), "the right password does not help");
    assert_eq!(sign_in(&shop, "bob@example.com", PASSWORD).await.status, 201, "nobody else is kept out");
    shop.wait(WINDOW_SECONDS - 60);
    assert_eq!(sign_in(&shop, OWNER, PASSWORD).await.status, 201);
}

#[tokio::test]
async fn an_unknown_address_runs_out_of_tries_like_a_known_one() {
    let shop = open().await;
    for _ in 0..10 {
        sign_in(&shop, "nobody@example.com", "not the password").await.expect_problem(401, "credentials_wrong");
    }
    sign_in(&shop, "Nobody@example.com ", "not the password").await.expect_problem(429, "too_many_sign_ins");
}

#[tokio::test]
async fn getting_in_forgives_the_tries_before() {
    let shop = open().await;
    owner(&shop).await;
    for _ in 0..2 {
        for _ in 0..9 {
            sign_in(&shop, OWNER, "not the password").await.expect_problem(401, "credentials_wrong");
        }
        assert_eq!(sign_in(&shop, OWNER, PASSWORD).await.status, 201);
    }
}

#[tokio::test]
async fn a_network_address_has_fifty_tries_whoever_it_names() {
    let shop = open().await;
    owner(&shop).await;
    for number in 0..50 {
        let email = format!("person{number}@example.com");
        sign_in_from(&shop, &format!("2001:db8:1:2::{number}"), &email, "not the password").await.expect_problem(401, "credentials_wrong");
    }
    sign_in_from(&shop, "2001:db8:1:2:ffff::1", OWNER, PASSWORD).await.expect_problem(429, "too_many_sign_ins");
    assert_eq!(sign_in_from(&shop, "2001:db8:1:3::1", OWNER, PASSWORD).await.status, 201);
}

#[tokio::test]
async fn a_stranger_does_not_choose_the_address_that_is_counted() {
    let shop = open().await;
    for number in 0..50 {
        let body = serde_json::json!({ "email": format!("person{number}@example.com"), "password": "not the password" });
        let forged = shop.post(SESSIONS).header("x-client-address", &format!("192.0.2.{number}")).json(&body).send().await;
        forged.expect_problem(401, "credentials_wrong");
    }
    let body = serde_json::json!({ "email": "another@example.com", "password": "not the password" });
    shop.post(SESSIONS).header("x-client-address", "198.51.100.9").json(&body).send().await.expect_problem(429, "too_many_sign_ins");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tries_made_at_the_same_moment_count_too() {
    let shop = open().await;
    owner(&shop).await;
    let start = starting_line(24);
    let mut tries = JoinSet::new();
    for _ in 0..24 {
        let (shop, start) = (shop.clone(), start.clone());
        tries.spawn(async move {
            start.wait().await;
            sign_in(&shop, OWNER, "not the password").await
        });
    }
    let replies = tries.join_all().await;
    let times = |status: u16| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((times(401), times(429)), (10, 14));
}
