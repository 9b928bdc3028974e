use crate::cli::say;

/// The release this program is of.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Prints the version.
///
/// # Errors
/// None; the signature is the other commands'.
#[expect(clippy::unnecessary_wraps, reason = "every command answers alike")]
pub(crate) fn run() -> anyhow::Result<()> {
    say(format_args!("tradewind {VERSION}"));
    Ok(())
}
