//! The one source of randomness: the operating system's generator.

/// Returns `N` random bytes fit for secrets.
///
/// An operating system that cannot give random bytes cannot run a shop: the process aborts.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads randomness")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}

/// Returns a number in `0..bound`, close enough to uniform for jitter; never for secrets.
#[must_use]
pub fn below(bound: u64) -> u64 {
    u64::from_le_bytes(bytes()) % bound.max(1)
}
