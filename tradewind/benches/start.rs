//! How long starting takes on the optimised build: from nothing, with the demo data, again, and after a kill. Printed as shares of
//! what the README promises, because machines differ.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a measurement that cannot go on panics")]

#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/tradewind/process.rs"]
mod process;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use process::Folder;

/// From nothing to a shop that is open and filled.
const FIRST: Duration = Duration::from_secs(5);
/// Any later time.
const LATER: Duration = Duration::from_secs(1);

fn main() {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(measure());
}

async fn measure() {
    let folder = Folder::new();
    let demo = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../demo").canonicalize().unwrap();

    let begun = Instant::now();
    let running = folder.serve(&[]).await;
    let opened = begun.elapsed();
    folder.run(&["seed", "--from", &demo.display().to_string()]).await.succeeded();
    let filled = begun.elapsed();
    tell("first start, empty", opened, FIRST);
    tell("first start, with the demo data", filled, FIRST);

    let begun = Instant::now();
    running.terminate().await.succeeded();
    tell("stop", begun.elapsed(), LATER);

    let begun = Instant::now();
    let running = folder.serve(&[]).await;
    tell("later start", begun.elapsed(), LATER);

    running.kill9().await;
    let begun = Instant::now();
    let running = folder.serve(&[]).await;
    tell("start after kill -9", begun.elapsed(), LATER);
    running.terminate().await.succeeded();
}

fn tell(what: &str, took: Duration, promised: Duration) {
    let share = took.as_millis() * 100 / promised.as_millis();
    println!("{what:<34}{:>6} ms  {share:>4} % of {} s", took.as_millis(), promised.as_secs());
}
