//! The one source of randomness: the operating system's generator.

use std::cell::RefCell;

/// How much is asked of the operating system at once for names.
const RESERVE: usize = 1_024;

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

/// Returns `N` random bytes for names, which everybody may see: out of a reserve of each thread, since asking the operating system each time
/// costs more than most of what is named. Never for secrets, which should not lie about before they are used.
#[must_use]
pub fn for_names<const N: usize>() -> [u8; N] {
    thread_local! {
        static LEFT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    LEFT.with_borrow_mut(|left| {
        if left.len() < N {
            left.extend(bytes::<RESERVE>());
        }
        let mut taken = [0; N];
        left.drain(left.len().saturating_sub(N)..).zip(&mut taken).for_each(|(byte, place)| *place = byte);
        taken
    })
}

/// Returns a number in `0..bound`, close enough to uniform for jitter; never for secrets.
#[must_use]
pub fn below(bound: u64) -> u64 {
    u64::from_le_bytes(bytes()) % bound.max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_name_is_given_twice_however_often_the_reserve_is_filled() {
        let names = || (0..1_000).map(|_| for_names::<10>()).collect::<Vec<_>>();
        let all: HashSet<_> = std::thread::scope(|scope| [scope.spawn(names), scope.spawn(names)].map(std::thread::ScopedJoinHandle::join))
            .into_iter()
            .flatten()
            .flatten()
            .collect();
        assert_eq!(all.len(), 2_000);
    }
}
