use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kernel::Clock;

/// The tag that every render bears.
pub const EVERYTHING: &str = "*";
/// How many tags are remembered one by one. One more, and everything is stale at once.
const MOST: usize = 50_000;

/// A point in the order of all changes this process has heard of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u64);

impl Generation {
    pub(crate) const fn number(self) -> u64 {
        self.0
    }
}

/// Tells every cache of this process what has become stale.
///
/// News of this process's own commits, and of other processes' through PostgreSQL, is told by `service::Context`; what comes through Redis by
/// [`crate::Shared`]. News may be told twice, which costs a render. News that is lost costs freshness only, and for no longer than the caches'
/// time to live.
#[derive(Clone)]
pub struct Bus(Arc<State>);

struct State {
    clock: Clock,
    generation: AtomicU64,
    /// When something was told last, in microseconds since 1970.
    told_at: AtomicI64,
    told: RwLock<Told>,
}

#[derive(Default)]
struct Told {
    /// What is older than this is stale, whatever its tags.
    floor: Change,
    /// The latest change of each tag.
    tags: HashMap<Box<str>, Change>,
}

#[derive(Default, Clone, Copy)]
struct Change {
    generation: u64,
    /// In microseconds since 1970.
    told_at: i64,
}

impl Bus {
    /// A bus on which nothing was told yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(State { clock, generation: AtomicU64::new(0), told_at: AtomicI64::new(i64::MIN), told: RwLock::default() }))
    }

    /// Says that whatever bears one of `tags` is stale, if it was begun before now.
    pub fn tell(&self, tags: &[impl AsRef<str>]) {
        if tags.is_empty() {
            return;
        }
        let mut told = self.0.told.write().unwrap_or_else(PoisonError::into_inner);
        let generation = self.0.generation.load(Ordering::SeqCst).saturating_add(1);
        let change = Change { generation, told_at: self.0.clock.now().timestamp_micros() };
        for tag in tags {
            match tag.as_ref() {
                EVERYTHING => told.floor = change,
                tag => drop(told.tags.insert(tag.into(), change)),
            }
        }
        if told.tags.len() > MOST {
            told.tags.clear();
            told.floor = change;
        }
        self.0.told_at.store(change.told_at, Ordering::SeqCst);
        // Last, so that whoever sees the generation finds its tags.
        self.0.generation.store(generation, Ordering::SeqCst);
    }

    /// Where the order of changes has come to.
    #[must_use]
    pub fn generation(&self) -> Generation {
        Generation(self.0.generation.load(Ordering::SeqCst))
    }

    /// Whether something with these tags that was begun at `begun` is stale by now.
    #[must_use]
    pub fn is_stale(&self, tags: &[String], begun: Generation) -> bool {
        let told = self.0.told.read().unwrap_or_else(PoisonError::into_inner);
        begun.0 < told.floor.generation || tags.iter().any(|tag| told.tags.get(tag.as_str()).is_some_and(|changed| changed.generation > begun.0))
    }

    /// Whether news of one of these tags is younger than `within`.
    pub(crate) fn is_news(&self, tags: &[String], within: Duration) -> bool {
        let since = self.0.clock.now().timestamp_micros().saturating_sub(i64::try_from(within.as_micros()).unwrap_or(i64::MAX));
        let told = self.0.told.read().unwrap_or_else(PoisonError::into_inner);
        let is_young = |change: &Change| change.generation > 0 && change.told_at > since;
        is_young(&told.floor) || tags.iter().filter_map(|tag| told.tags.get(tag.as_str())).any(is_young)
    }

    /// How long ago something was told last, if that is less than `within`.
    #[must_use]
    pub fn told_within(&self, within: Duration) -> Option<Duration> {
        let told_at = self.0.told_at.load(Ordering::SeqCst);
        let ago = self.0.clock.now().timestamp_micros().saturating_sub(told_at);
        // A clock that was put back makes it a moment ago.
        let ago = Duration::from_micros(u64::try_from(ago).unwrap_or(0));
        (ago < within).then_some(ago)
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bus").field(&self.generation()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bus() -> Bus {
        Bus::new(Clock::system())
    }

    fn tags(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_was_begun_before_the_news_and_bears_the_tag_is_stale() {
        let bus = bus();
        let before = bus.generation();
        bus.tell(&["product:1"]);
        assert!(bus.is_stale(&tags(&["products", "product:1"]), before));
        assert!(!bus.is_stale(&tags(&["products", "product:2"]), before));
        assert!(!bus.is_stale(&tags(&["product:1"]), bus.generation()));
    }

    #[test]
    fn everything_is_everything() {
        let bus = bus();
        let before = bus.generation();
        bus.tell(&[EVERYTHING]);
        assert!(bus.is_stale(&[], before) && !bus.is_stale(&[], bus.generation()));
    }

    #[test]
    fn more_tags_than_can_be_remembered_are_everything() {
        let bus = bus();
        let before = bus.generation();
        let many: Vec<String> = (0..=MOST).map(|number| number.to_string()).collect();
        bus.tell(&many);
        assert!(bus.is_stale(&tags(&["another"]), before));
        assert!(bus.0.told.read().is_ok_and(|told| told.tags.is_empty()));
    }

    #[test]
    fn news_of_a_tag_is_news_for_a_while() {
        let clock = Clock::frozen(kernel::Timestamp::UNIX_EPOCH);
        let bus = Bus::new(clock.clone());
        let is_news = |name: &str| bus.is_news(&tags(&[name]), Duration::from_secs(5));
        assert!(!is_news("product:1"));
        bus.tell(&["product:1"]);
        assert!(is_news("product:1") && !is_news("product:2"));
        clock.advance(chrono::TimeDelta::seconds(6));
        assert!(!is_news("product:1"));
        bus.tell(&[EVERYTHING]);
        assert!(is_news("product:2"));
    }

    #[test]
    fn nothing_was_told_until_it_was() {
        let bus = bus();
        assert_eq!(bus.told_within(Duration::from_secs(5)), None);
        bus.tell(&["a"]);
        assert!(bus.told_within(Duration::from_secs(5)).is_some());
    }
}
