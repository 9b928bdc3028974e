//! What the pools tell of themselves.

use std::time::Duration;

use db::{Db, DbOptions};
use kernel::Clock;
use metrics_exporter_prometheus::PrometheusBuilder;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use testkit::TestDatabase;

use crate::noon;

#[tokio::test]
async fn who_waits_for_a_connection_and_who_waited_in_vain_is_told() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // Every task of this test runs on this thread.
    let _guard = metrics::set_default_local_recorder(&recorder);
    let database = TestDatabase::create(&[]).await;
    let options = DbOptions { max_connections: 1, acquire_timeout: Duration::from_millis(300), ..DbOptions::new(database.options()) };
    let db = Db::new(&options, Clock::frozen(noon()));

    let held = db.read_latest().await.unwrap();
    let look = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        db.report();
        handle.render()
    };
    let (refused, meanwhile) = tokio::join!(db.read_latest(), look);
    assert!(refused.is_err());
    for line in [
        r#"db_pool_connections{pool="writer",state="in_use"} 1"#,
        r#"db_pool_connections{pool="writer",state="idle"} 0"#,
        r#"db_pool_connections_max{pool="writer"} 1"#,
        r#"db_pool_waiting{pool="writer"} 1"#,
        r#"db_pool_timeouts_total{pool="writer"} 0"#,
    ] {
        assert!(meanwhile.contains(line), "{line}: {meanwhile}");
    }
    assert!(!meanwhile.contains("reader"), "the writer serves reads: {meanwhile}");

    drop(held);
    tokio::time::sleep(Duration::from_millis(50)).await;
    db.report();
    let afterwards = handle.render();
    for line in [r#"db_pool_connections{pool="writer",state="idle"} 1"#, r#"db_pool_waiting{pool="writer"} 0"#, r#"db_pool_timeouts_total{pool="writer"} 1"#] {
        assert!(afterwards.contains(line), "{line}: {afterwards}");
    }
}

/// What stands for the readers: it passes on to the writer's server, until it is dropped.
struct Relay {
    address: std::net::SocketAddr,
    running: tokio::task::JoinSet<()>,
}

impl Relay {
    async fn listen(address: &str, to: &PgConnectOptions) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (socket, host, port) = (to.get_socket().cloned(), to.get_host().to_owned(), to.get_port());
        let mut running = tokio::task::JoinSet::new();
        running.spawn(async move {
            let mut passing = tokio::task::JoinSet::new();
            loop {
                let (mut from, _) = listener.accept().await.unwrap();
                let (socket, host) = (socket.clone(), host.clone());
                passing.spawn(async move {
                    if let Some(folder) = socket {
                        let mut to = tokio::net::UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await.unwrap();
                        drop(tokio::io::copy_bidirectional(&mut from, &mut to).await);
                    } else {
                        let mut to = tokio::net::TcpStream::connect((host, port)).await.unwrap();
                        drop(tokio::io::copy_bidirectional(&mut from, &mut to).await);
                    }
                });
            }
        });
        Self { address, running }
    }

    /// Ends with all its connections, as a server does that is stopped.
    async fn end(mut self) {
        self.running.shutdown().await;
    }
}

/// Who serves a read: only readers have this setting.
async fn server_of_a_read(db: &Db) -> &'static str {
    let mut conn = db.read().await.unwrap();
    let setting: String = sqlx::query_scalar("show work_mem").fetch_one(&mut *conn).await.unwrap();
    if setting == "5MB" { "reader" } else { "writer" }
}

#[tokio::test]
async fn while_the_readers_are_away_the_writer_serves_reads_and_nobody_sees_an_error() {
    let writer = TestDatabase::create(&[]).await.options();
    let relay = Relay::listen("127.0.0.1:0", &writer).await;
    let address = relay.address;
    let reader = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(address.port()).options([("work_mem", "5MB")]);
    let reader = reader.username(writer.get_username()).database(writer.get_database().unwrap()).ssl_mode(PgSslMode::Disable);
    let db = Db::new(&DbOptions { reader: Some(reader), ..DbOptions::new(writer.clone()) }, Clock::frozen(noon()));
    // Several connections are open when the readers go.
    let several = (server_of_a_read(&db), server_of_a_read(&db), server_of_a_read(&db));
    assert_eq!(tokio::join!(several.0, several.1, several.2), ("reader", "reader", "reader"));

    relay.end().await;
    for _ in 0..5 {
        assert_eq!(server_of_a_read(&db).await, "writer");
    }
    let begun = std::time::Instant::now();
    for _ in 0..50 {
        assert_eq!(server_of_a_read(&db).await, "writer");
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "who is away is not asked again for each: {:?}", begun.elapsed());

    let _relay = Relay::listen(&address.to_string(), &writer).await;
    let back = async {
        while server_of_a_read(&db).await == "writer" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), back).await.unwrap();
}
