use crate::cli::say;

/// The release this program is of.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit it was built from, where whoever built it said so: the image does.
pub(crate) const REVISION: &str = told(option_env!("TRADEWIND_REVISION"));
/// Where its source is kept.
const SOURCE: &str = told(option_env!("TRADEWIND_SOURCE"));

/// Prints what an image carries as labels: version, revision, source.
///
/// # Errors
/// None; the signature is the other commands'.
#[expect(clippy::unnecessary_wraps, reason = "every command answers alike")]
pub(crate) fn run() -> anyhow::Result<()> {
    say(format_args!("tradewind {VERSION}\nrevision {REVISION}\nsource {SOURCE}"));
    Ok(())
}

const fn told(text: Option<&'static str>) -> &'static str {
    match text {
        Some(text) => text,
        None => "unknown",
    }
}
