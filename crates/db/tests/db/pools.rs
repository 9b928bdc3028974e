//! What the pools tell of themselves.

use std::time::Duration;

use db::{Db, DbOptions};
use kernel::Clock;
use metrics_exporter_prometheus::PrometheusBuilder;
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
