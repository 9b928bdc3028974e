//! The private server: durable, alone on its folder, and clean however its holder ends.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use db::local::{LocalError, LocalOptions, LocalPostgres};
use sqlx::{ConnectOptions, PgConnection};

/// The variable by which a test tells its child process which folder to hold.
const FOLDER: &str = "TRADEWIND_TEST_FOLDER";

async fn start(folder: &Path) -> LocalPostgres {
    LocalPostgres::start(&LocalOptions::new(folder)).await.unwrap()
}

async fn connect(server: &LocalPostgres) -> PgConnection {
    server.address().options("postgres").connect().await.unwrap()
}

async fn show(conn: &mut PgConnection, setting: &str) -> String {
    sqlx::query_scalar("select current_setting($1)").bind(setting).fetch_one(conn).await.unwrap()
}

/// A folder below the system's temporary one, which the service account can reach.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    // The folder of a test is closed to others by default; a clone usually is not.
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

fn process_of(cluster: &Path) -> i32 {
    std::fs::read_to_string(cluster.join("postmaster.pid")).unwrap().lines().next().unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn the_server_is_durable_checks_its_pages_and_listens_on_no_port() {
    let folder = folder();
    let server = start(folder.path()).await;
    let mut conn = connect(&server).await;
    for (setting, value) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("unix_socket_permissions", "0700"),
    ] {
        assert_eq!(show(&mut conn, setting).await, value, "{setting}");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", process_of(&folder.path().join("postgres")))).unwrap();
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next()).unwrap().to_owned();
    assert_ne!(user, "0", "it does not run as root");
    server.stop().await;
    assert!(!folder.path().join("postgres/postmaster.pid").exists(), "it has stopped");
}

#[tokio::test]
async fn a_later_start_finds_what_was_written_before() {
    let folder = folder();
    let server = start(folder.path()).await;
    server.ensure_database("shop").await.unwrap();
    server.ensure_database("shop").await.unwrap();
    let mut conn = server.address().options("shop").connect().await.unwrap();
    sqlx::query("create table kept as select 7 as number").execute(&mut conn).await.unwrap();
    server.stop().await;

    let server = start(folder.path()).await;
    let mut conn = server.address().options("shop").connect().await.unwrap();
    let number: i32 = sqlx::query_scalar("select number from kept").fetch_one(&mut conn).await.unwrap();
    assert_eq!(number, 7);
}

#[tokio::test]
async fn a_second_start_on_the_same_folder_is_refused_in_clear_words_and_harms_nobody() {
    let folder = folder();
    let server = start(folder.path()).await;
    let error = LocalPostgres::start(&LocalOptions::new(folder.path())).await.unwrap_err();
    assert!(matches!(error, LocalError::InUse { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("in use by another Tradewind (process {})", std::process::id())), "{error}");
    assert_eq!(LocalPostgres::attach(folder.path()).unwrap().as_ref(), Some(server.address()));
    assert_eq!(show(&mut connect(&server).await, "fsync").await, "on");
    server.stop().await;
    assert_eq!(LocalPostgres::attach(folder.path()).unwrap(), None);
}

#[tokio::test]
async fn without_postgresql_one_message_says_how_to_get_it() {
    let folder = folder();
    let options = LocalOptions { bin_dir: Some(folder.path().to_owned()), ..LocalOptions::new(folder.path()) };
    let error = LocalPostgres::start(&options).await.unwrap_err();
    let words = error.to_string();
    for part in ["no PostgreSQL 15 or newer was found", "apt-get install postgresql", "brew install", "TRADEWIND__DATABASE__LOCAL_BIN", "DATABASE_URL"] {
        assert!(words.contains(part), "{part} is missing in {words}");
    }
}

#[tokio::test]
async fn a_data_folder_made_by_another_version_asks_for_that_version() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("postgres")).unwrap();
    std::fs::write(folder.path().join("postgres/PG_VERSION"), "9\n").unwrap();
    let words = LocalPostgres::start(&LocalOptions::new(folder.path())).await.unwrap_err().to_string();
    assert!(words.contains("no PostgreSQL 9 (the version that made the existing data) was found"), "{words}");
}

#[tokio::test]
async fn a_set_up_that_was_killed_half_way_is_begun_anew() {
    let folder = folder();
    std::fs::create_dir_all(folder.path().join("postgres.new/base")).unwrap();
    std::fs::write(folder.path().join("postgres.new/PG_VERSION"), "15\n").unwrap();
    let server = start(folder.path()).await;
    assert!(!folder.path().join("postgres.new").exists());
    server.stop().await;
}

#[tokio::test]
async fn a_folder_the_service_account_cannot_reach_sends_the_cluster_elsewhere() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    // Closed to everybody but root, as a root-only home is.
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let server = start(folder.path()).await;
    let data: PathBuf = show(&mut connect(&server).await, "data_directory").await.into();
    server.stop().await;
    assert!(data.starts_with("/var/lib/tradewind"), "{}", data.display());
    assert!(!folder.path().join("postgres").exists());
    std::fs::remove_dir_all(data.parent().unwrap()).unwrap();
}

/// Not a test by itself: the child process of the next one. It starts a server and writes numbers, telling each once it is committed.
#[tokio::test]
#[ignore = "the child process of the next test"]
async fn hold_a_server_until_killed() {
    #[expect(clippy::disallowed_methods, reason = "how a test speaks to its child")]
    let folder = std::env::var_os(FOLDER).unwrap();
    let server = start(Path::new(&folder)).await;
    let mut conn = connect(&server).await;
    sqlx::query("create table if not exists kept (number bigint primary key)").execute(&mut conn).await.unwrap();
    for number in 1_i64.. {
        sqlx::query("insert into kept (number) values ($1)").bind(number).execute(&mut conn).await.unwrap();
        #[expect(clippy::print_stdout, reason = "how a child speaks to its test")]
        {
            println!("committed {number}");
        }
    }
}

#[tokio::test]
async fn killing_the_holder_leaves_a_clean_database_that_starts_again() {
    let folder = folder();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "local::hold_a_server_until_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let committed = |line: Result<String, std::io::Error>| line.ok().and_then(|line| line.strip_prefix("committed ")?.parse::<i64>().ok());
    let mut last = 0;
    while last < 200 {
        let line = lines.next().unwrap();
        last = committed(line).unwrap_or(last);
    }
    let postmaster = process_of(&folder.path().join("postgres"));
    child.kill().unwrap();
    child.wait().unwrap();
    last = lines.filter_map(committed).last().unwrap_or(last);

    // At once, while the server of the killed process may still be stopping.
    let begun = Instant::now();
    let server = start(folder.path()).await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_ne!(process_of(&folder.path().join("postgres")), postmaster);
    let kept: i64 = sqlx::query_scalar("select count(*) from kept").fetch_one(&mut connect(&server).await).await.unwrap();
    assert!(kept >= last, "{kept} of {last} acknowledged commits are there");
    let log = std::fs::read_to_string(folder.path().join("postgres.log")).unwrap();
    assert!(log.contains("received fast shutdown request") && log.contains("database system is shut down"), "{log}");
    assert!(!log.contains("not properly shut down"), "{log}");
    server.stop().await;
}
