//! The commands around the server.

use std::os::unix::fs::PermissionsExt;

use crate::process::Folder;

#[tokio::test]
async fn an_invitation_is_printed_beside_a_running_server_and_without_one() {
    let folder = Folder::new().env("TRADEWIND__HTTP__PUBLIC_URL", "https://shop.example");
    let alone = folder.run(&["staff", "invite", "ada@example.com", "--role", "manager"]).await.succeeded();
    assert!(alone.contains("https://shop.example/backoffice/invitation?token=") && alone.contains("manager"), "{alone}");
    let running = folder.serve(&[]).await;
    let beside = folder.run(&["staff", "invite", "grace@example.com"]).await.succeeded();
    assert!(beside.contains("invitation?token=") && beside.contains("owner"), "{beside}");
    running.terminate().await.succeeded();
    let refused = folder.run(&["staff", "invite", "nobody"]).await.failed();
    assert!(refused.contains("e-mail"), "{refused}");
}

#[tokio::test]
async fn the_effective_configuration_shows_sources_and_no_secrets() {
    let folder = Folder::new().env("DATABASE_URL", "postgres://shop:hush@db.example/shop").env("TRADEWIND__WORKER__CONCURRENCY", "9");
    let printed = folder.run(&["config"]).await.succeeded();
    assert!(printed.contains("concurrency = \"9\"  # TRADEWIND__WORKER__CONCURRENCY") && printed.contains("url = \"(secret)\""), "{printed}");
    assert!(!printed.contains("hush"), "{printed}");
}

#[tokio::test]
async fn the_doctor_finds_what_is_wrong() {
    let well = Folder::new();
    assert!(well.run(&["doctor"]).await.succeeded().contains("can run here"));

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ill = Folder::new()
        .env("TRADEWIND__DATABASE__LOCAL_BIN", "/nonexistent")
        .env("TRADEWIND__HTTP__PUBLIC_ADDRESS", &taken.local_addr().unwrap().to_string())
        .env("TRADEWIND__DATA_DIR", "/proc/nowhere");
    let ended = ill.run(&["doctor"]).await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    for part in ["apt-get install postgresql", "taken", "/proc/nowhere"] {
        assert!(ended.stdout.contains(part), "{part} is missing in {}", ended.stdout);
    }
    let unset = Folder::new().env("TRADEWIND__NONSENSE", "1").run(&["doctor"]).await;
    assert!(unset.status.code() == Some(1) && unset.stdout.contains("TRADEWIND__NONSENSE"), "{unset:?}");
}

#[tokio::test]
async fn the_doctor_looks_into_a_running_shop() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    let printed = folder.run(&["doctor"]).await.succeeded();
    assert!(printed.contains("as new as this release"), "{printed}");
    running.terminate().await.succeeded();
}

#[tokio::test]
async fn scripts_can_ask_whether_it_is_ready() {
    let folder = Folder::new();
    let silent = folder.run(&["ready"]).await.failed();
    assert!(silent.contains("nothing answers"), "{silent}");
    let running = folder.serve(&[]).await;
    let address = running.operations_url().trim_start_matches("http://").to_owned();
    let folder = folder.env("TRADEWIND__HTTP__OPERATIONS_ADDRESS", &address);
    assert_eq!(folder.run(&["ready", "--within", "5"]).await.succeeded().trim(), "ready");
    running.terminate().await.succeeded();
}

#[tokio::test]
async fn secrets_are_for_us_alone_to_read() {
    let folder = Folder::new();
    folder.serve(&[]).await.terminate().await.succeeded();
    let mode = |path: &str| std::fs::metadata(folder.data().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("secrets"), mode("secrets/internal-credential")), (0o700, 0o600));
}

#[tokio::test]
async fn the_version_is_that_of_the_package_and_a_build_that_was_told_no_commit_says_so() {
    let printed = Folder::new().run(&["version"]).await.succeeded();
    let told = |text: Option<&'static str>| text.unwrap_or("unknown");
    let (revision, source) = (told(option_env!("TRADEWIND_REVISION")), told(option_env!("TRADEWIND_SOURCE")));
    assert_eq!(printed.trim(), format!("tradewind {}\nrevision {revision}\nsource {source}", env!("CARGO_PKG_VERSION")));
}
