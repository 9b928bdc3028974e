use std::path::Path;

use crate::cli::say;
use crate::settings;

/// Prints the effective configuration.
///
/// # Errors
/// Everything that is wrong with the configuration.
pub(crate) fn run(file: Option<&Path>) -> anyhow::Result<()> {
    say(settings::load(file)?.to_toml().trim_start());
    Ok(())
}
