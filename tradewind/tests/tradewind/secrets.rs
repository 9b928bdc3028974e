//! Secrets that are rotated while the program runs.

use std::time::{Duration, Instant};

use sqlx::{ConnectOptions, Connection};
use testkit::{RedisServer, TestDatabase};

use crate::process::{Folder, Running, http};

#[tokio::test]
async fn a_rotated_database_login_is_used_without_a_restart() {
    let database = TestDatabase::create(&[]).await;
    let mut superuser = database.options().connect().await.unwrap();
    let statements = "create role shop_before superuser login; create role shop_after superuser login";
    sqlx::raw_sql(statements).execute(&mut superuser).await.unwrap();
    let folder = Folder::new();
    let file = folder.path().join("database-url");
    let url_of = |role: &str| database.url().replace("//tradewind@", &format!("//{role}@"));
    std::fs::write(&file, url_of("shop_before")).unwrap();
    let folder = folder.env("DATABASE_URL_FILE", file.to_str().unwrap());
    folder.run(&["migrate"]).await.succeeded();
    let running = folder.serve(&[]).await;
    assert_eq!(new_cart(&running).await, 201);

    std::fs::write(&file, url_of("shop_after")).unwrap();
    sqlx::raw_sql("alter role shop_before nologin").execute(&mut superuser).await.unwrap();
    // Only now is it sure that nobody comes in again by the old login.
    let shut_out = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = 'shop_before'";
    sqlx::raw_sql(shut_out).execute(&mut superuser).await.unwrap();
    let begun = Instant::now();
    while new_cart(&running).await != 201 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the new login is not used:\n{}", running.logs());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let logins =
        sqlx::query_scalar::<_, String>("select distinct usename::text from pg_stat_activity where usename like 'shop_%'").fetch_all(&mut superuser).await;
    assert_eq!(logins.unwrap(), ["shop_after"]);
    running.terminate().await.succeeded();
    superuser.close().await.unwrap();
}

#[tokio::test]
async fn a_rotated_internal_credential_is_believed_without_a_restart_and_the_old_one_is_not() {
    let folder = Folder::new();
    let file = folder.path().join("internal-credential");
    std::fs::write(&file, "before").unwrap();
    let folder = folder.env("TRADEWIND__WEB__INTERNAL_CREDENTIAL_FILE", file.to_str().unwrap());
    let running = folder.serve(&[]).await;
    assert_eq!((is_believed(&running, "before").await, is_believed(&running, "after").await), (true, false));

    std::fs::write(&file, "after").unwrap();
    let begun = Instant::now();
    while !is_believed(&running, "after").await {
        assert!(begun.elapsed() < Duration::from_secs(60), "the new credential is not believed:\n{}", running.logs());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(!is_believed(&running, "before").await);
    assert_eq!(running.get("/").await.status(), 200, "the pages of the same process go on");
    running.terminate().await.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_password_of_redis_is_used_without_a_restart_over_tls() {
    let mut redis = RedisServer::start_with_tls().await;
    redis.set_password("before");
    let folder = Folder::new();
    let file = folder.path().join("redis-url");
    let (url, authority) = redis.tls_url();
    std::fs::write(&file, url).unwrap();
    let folder = folder.env("REDIS_URL_FILE", file.to_str().unwrap()).env("SSL_CERT_FILE", authority.to_str().unwrap());
    let running = folder.serve(&[]).await;
    running.until_dependency("redis", "up").await;

    redis.set_password("after");
    running.until_dependency("redis", "down").await;
    assert_eq!(new_cart(&running).await, 201, "nobody needs it");
    std::fs::write(&file, redis.tls_url().0).unwrap();
    running.until_dependency("redis", "up").await;
    let ended = running.terminate().await;
    for word in ["before", "after"] {
        assert!(!ended.stderr.contains(&format!(":{word}@")), "the log holds a password: {}", ended.stderr);
    }
    ended.succeeded();
}

/// Whether a caller with this credential may name its request itself.
async fn is_believed(running: &Running, credential: &str) -> bool {
    const NAME: &str = "req_06a0000000000000000000000r";
    let request = http().get(format!("{}/store/v1/channel", running.base_url()));
    let answer = request.header("x-internal-credential", credential).header("x-request-id", NAME).send().await.unwrap();
    answer.headers()["x-request-id"] == NAME
}

async fn new_cart(running: &Running) -> u16 {
    http().post(format!("{}/store/v1/carts", running.base_url())).send().await.unwrap().status().as_u16()
}
