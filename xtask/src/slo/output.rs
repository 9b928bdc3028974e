//! Files as they are written, each with a head that says where it comes from.

use anyhow::Context;
use serde::Serialize;

const HEAD: &str = "# Written by `cargo xtask slo` from deploy/observability. Change the sources, not this file.\n";

pub(super) fn yaml(document: &impl Serialize) -> anyhow::Result<String> {
    Ok(format!("{HEAD}{}", serde_norway::to_string(document)?))
}

pub(super) fn documents(documents: &[impl Serialize]) -> anyhow::Result<String> {
    let texts: Result<Vec<String>, _> = documents.iter().map(serde_norway::to_string).collect();
    Ok(format!("{HEAD}{}", texts?.join("---\n")))
}

/// JSON knows no comments; what is written says it in a field of its own where there is room for one.
pub(super) fn json(document: &impl Serialize) -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(document).context("JSON")?))
}
