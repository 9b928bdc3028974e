//! Figures that no request changes: which release this is, how busy the pools and how full the disk are.

use std::path::Path;

use db::Db;

use crate::commands::version::{REVISION, VERSION};
use crate::target::Target;

/// Tells which release of the program this is, and what it serves.
pub(crate) fn report_release(target: &Target) {
    metrics::gauge!("tradewind_build_info", "version" => VERSION, "revision" => REVISION, "target" => target.to_string()).set(1.0);
}

/// Tells how it is at this moment.
pub(crate) fn report(db: Option<&Db>, data_dir: &Path) {
    if let Some(db) = db {
        db.report();
    }
    report_disk(data_dir);
}

/// The disk under the data folder, where there is one: a private database and pictures grow there.
fn report_disk(data_dir: &Path) {
    let Ok(disk) = rustix::fs::statvfs(data_dir) else { return };
    let mebibytes = |blocks: u64| f64::from(u32::try_from(blocks.saturating_mul(disk.f_frsize) >> 20).unwrap_or(u32::MAX));
    let bytes = |blocks: u64| mebibytes(blocks).mul_add(1_048_576.0, 0.0);
    metrics::gauge!("data_disk_free_bytes").set(bytes(disk.f_bavail));
    metrics::gauge!("data_disk_size_bytes").set(bytes(disk.f_blocks));
}
