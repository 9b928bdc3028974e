//! How long the shop takes to start and stop, and what it holds in memory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;

use crate::process;
use crate::server::{Running, Shop};

/// How long the shop is left alone before its memory is read.
const REST: Duration = Duration::from_secs(3);
/// How many units of everything there are, so that nothing is sold out by measuring.
const STOCK: u64 = 10_000_000;

/// Starts, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Starts {
    /// From nothing: the database is set up and migrated.
    pub(crate) first: u64,
    /// Filling it with the demo data.
    pub(crate) seed: u64,
    /// Any later time.
    pub(crate) later: u64,
    /// After it was killed.
    pub(crate) after_kill: u64,
    /// Stopping.
    pub(crate) stop: u64,
}

/// Memory of the server's process, in KiB. The database's is its own.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Memory {
    /// Started, with the demo data, and nobody has asked for anything.
    pub(crate) idle: u64,
    /// After the load.
    pub(crate) loaded: u64,
    /// The most at any moment.
    pub(crate) peak: u64,
}

/// Starts the shop in every way, and leaves it running and filled.
///
/// # Errors
/// It does not start.
pub(crate) async fn measure(shop: &Shop, demo: &Path) -> anyhow::Result<(Starts, Running)> {
    let running = shop.serve().await?;
    let first = millis(running.took);
    let seed = millis(shop.seed(demo).await?);
    let stop = millis(running.stop().await?);
    let running = shop.serve().await?;
    let later = millis(running.took);
    running.kill().await?;
    let running = shop.serve().await?;
    let after_kill = millis(running.took);
    Ok((Starts { first, seed, later, after_kill, stop }, running))
}

/// What it holds when nobody has asked for anything.
///
/// # Errors
/// It has ended.
pub(crate) async fn idle(shop: &Running) -> anyhow::Result<u64> {
    tokio::time::sleep(REST).await;
    Ok(process::memory(shop.pid()?)?.resident)
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// The demo data, but with plenty of everything. Pictures are linked, not copied.
///
/// # Errors
/// There is no demo data in `from`.
pub(crate) fn stock_up(from: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let demo = folder.join("demo");
    std::fs::create_dir_all(&demo)?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path().canonicalize()?;
        let name = path.file_name().context("a nameless file")?;
        if name == "catalogue.json" {
            let mut catalogue: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
            fill(&mut catalogue);
            std::fs::write(demo.join(name), serde_json::to_vec(&catalogue)?)?;
        } else {
            std::os::unix::fs::symlink(&path, demo.join(name))?;
        }
    }
    Ok(demo)
}

fn fill(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == "stock" && field.is_u64() {
                    *field = STOCK.into();
                } else {
                    fill(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(fill),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_plenty_of_everything_and_nothing_else_is_changed() {
        let mut catalogue = serde_json::json!({ "stock": "a word", "products": [{ "price": 3, "variants": [{ "stock": 0 }] }] });
        fill(&mut catalogue);
        assert_eq!(catalogue, serde_json::json!({ "stock": "a word", "products": [{ "price": 3, "variants": [{ "stock": STOCK }] }] }));
    }
}
