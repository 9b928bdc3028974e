//! What keeps the program from starting, and how it says so.

use testkit::TestDatabase;

use crate::process::Folder;

#[tokio::test]
async fn a_taken_port_is_named_with_the_setting_that_moves_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (variable, setting) in [("TRADEWIND__HTTP__PUBLIC_ADDRESS", "http.public_address"), ("TRADEWIND__HTTP__OPERATIONS_ADDRESS", "http.operations_address")]
    {
        let folder = Folder::new().env(variable, &address);
        let complaint = folder.run(&["serve"]).await.failed();
        assert!(complaint.contains(&address) && complaint.contains("taken") && complaint.contains(setting), "{complaint}");
        assert!(!folder.data().join("postgres").exists(), "ports come before the database");
    }
}

#[tokio::test]
async fn a_second_process_on_one_folder_is_told_who_has_it() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    let complaint = folder.run(&["serve"]).await.failed();
    let holder = running.pid().as_raw_nonzero().to_string();
    assert!(complaint.contains("in use") && complaint.contains(&holder) && complaint.contains("TRADEWIND__DATA_DIR"), "{complaint}");
    assert_eq!(running.get("/docs").await.status(), 200, "the first one is not harmed");
    running.terminate().await.succeeded();
}

#[tokio::test]
async fn without_postgresql_there_is_one_message_that_says_what_to_install() {
    let folder = Folder::new().env("TRADEWIND__DATABASE__LOCAL_BIN", "/nonexistent");
    let complaint = folder.run(&["serve"]).await.failed();
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    for part in ["no PostgreSQL", "apt-get install postgresql", "brew install", "DATABASE_URL"] {
        assert!(complaint.contains(part), "{complaint}");
    }
}

#[tokio::test]
async fn a_database_with_an_older_schema_is_refused_and_left_alone() {
    let database = TestDatabase::create(&[]).await;
    let folder = Folder::new().env("DATABASE_URL", &database.url());
    let complaint = folder.run(&["serve"]).await.failed();
    assert!(complaint.contains("lacks migration") && complaint.contains("tradewind migrate"), "{complaint}");

    folder.run(&["migrate"]).await.succeeded();
    let running = folder.serve(&[]).await;
    assert!(!folder.data().join("postgres").exists(), "a given database leaves no private one behind");
    running.terminate().await.succeeded();
}

#[tokio::test]
async fn everything_wrong_with_the_configuration_is_told_at_once() {
    let folder = Folder::new()
        .env("TRADEWIND__HTTP__PUBLIC_ADDRESS", "nowhere")
        .env("TRADEWIND__HTTP__BODY_LIMIT_BYTES", "1")
        .env("TRADEWIND__NONSENSE", "1")
        .env("DATABASE_URL_FILE", "/does/not/exist");
    std::fs::write(folder.path().join("tradewind.toml"), "colour = 'red'\n[worker]\nconcurency = 4\n").unwrap();
    let complaint = folder.run(&["serve", "--target", "storefrnt"]).await.failed();
    for part in ["HTTP__PUBLIC_ADDRESS", "body_limit_bytes", "TRADEWIND__NONSENSE", "/does/not/exist", "colour", "worker.concurency", "storefrnt"] {
        assert!(complaint.contains(part), "{part} is missing in {complaint}");
    }
}

#[tokio::test]
async fn settings_that_do_not_go_together_are_refused() {
    let without_api = Folder::new().run(&["serve", "--target", "storefront"]).await.failed();
    assert!(without_api.contains("web.api_url"), "{without_api}");
    let folder = Folder::new().env("TRADEWIND__WEB__API_URL", "http://127.0.0.1:1");
    let without_credential = folder.run(&["serve", "--target", "backoffice"]).await.failed();
    assert!(without_credential.contains("web.internal_credential"), "{without_credential}");
    let no_address = Folder::new().env("DATABASE_URL", "postgres:hush").env("TRADEWIND__HTTP__PUBLIC_URL", "shop.example").run(&["serve"]).await.failed();
    assert!(no_address.contains("database.url") && no_address.contains("http.public_url") && !no_address.contains("hush"), "{no_address}");
}

#[tokio::test]
async fn variables_of_others_do_not_disturb() {
    let folder = Folder::new().env("TRADEWIND_SERVICE_HOST", "10.0.0.1").env("PGPORT", "1").env("PGSSLMODE", "require");
    folder.serve(&[]).await.terminate().await.succeeded();
}
