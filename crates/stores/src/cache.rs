use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::Clock;
use metrics::{Counter, counter, gauge};
use platform::lifecycle::Tasks;
use tokio::sync::watch;

use crate::bus::{Bus, Generation};
use crate::{Key, READERS_LAG};

/// How long a request that could be given something old waits for something new.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long nothing new is tried after the source was found to be away, as long as there is something old to give.
const PAUSE: Duration = Duration::from_secs(1);

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct CacheOptions {
    /// The most bytes, over all entries.
    pub max_bytes: u64,
    /// How long an entry is served without asking whether it still holds: the bound on what lost news costs.
    pub ttl: Duration,
    /// How long an entry of which no news came is served while its source is away.
    pub stale_for: Duration,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { max_bytes: 64 * 1024 * 1024, ttl: Duration::from_secs(30), stale_for: Duration::from_secs(3_600) }
    }
}

/// What something kept weighs in memory.
pub trait Weight: Send + Sync + 'static {
    /// Its bytes, about.
    fn weight(&self) -> usize;
}

/// What an entry is part of, in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Surface {
    /// An answer of the store API.
    Api,
    /// A page.
    Page,
    /// Something that others are found by.
    Lookup,
}

impl Surface {
    /// The name in keys and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Page => "page",
            Self::Lookup => "lookup",
        }
    }
}

/// What a caller asks of an entry beyond its being fresh.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    /// It was begun no longer ago than this: the caller heard of a change then.
    pub fresher_than: Option<Duration>,
}

/// What whoever fills an entry has to know.
#[derive(Debug, Clone, Copy)]
pub struct Fill {
    /// A change was heard of so long ago, and readers may not have it yet: read the writer, and say so to whoever is asked.
    pub changed_ago: Option<Duration>,
}

/// Something new to keep.
#[derive(Debug)]
pub struct Filled<V> {
    /// What it is.
    pub value: V,
    /// What it is made of, as the bus names it.
    pub tags: Vec<String>,
    /// How long ago it was begun, if another process made it; else nothing.
    pub age: Duration,
}

impl<V> Filled<V> {
    /// Something made just now.
    #[must_use]
    pub const fn new(value: V, tags: Vec<String>) -> Self {
        Self { value, tags, age: Duration::ZERO }
    }
}

/// Nothing to keep.
#[derive(Debug, Clone)]
pub struct Miss<E> {
    /// What those who asked are told, unless there is something old for them.
    pub error: E,
    /// Whether the source is away, so that something old is better than nothing.
    pub is_away: bool,
}

/// Why there is no value.
#[derive(Debug)]
pub enum Lost<E> {
    /// The filler said so.
    Refused(E),
    /// The filler broke off; the log knows why.
    Broken,
}

/// Something kept, with what is needed to know whether it still holds.
#[derive(Debug)]
pub struct Entry<V> {
    value: V,
    tags: Vec<String>,
    /// When it was begun, in microseconds since 1970.
    begun_at: i64,
    generation: Generation,
    /// The generation at which it was last found to hold, so that a hit asks the bus only after news.
    holds_at: AtomicU64,
    weight: u32,
}

impl<V> Deref for Entry<V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

impl<V: Weight> Entry<V> {
    fn new(filled: Filled<V>, begun_at: i64, generation: Generation, key: &str) -> Self {
        let Filled { value, tags, age } = filled;
        let begun_at = begun_at.saturating_sub(micros(age));
        let bytes = tags.iter().fold(value.weight().saturating_add(key.len()), |sum, tag| sum.saturating_add(tag.len()).saturating_add(24));
        Self { value, tags, begun_at, generation, holds_at: AtomicU64::new(generation.number()), weight: u32::try_from(bytes).unwrap_or(u32::MAX) }
    }

    fn is_outdated(&self, bus: &Bus) -> bool {
        let now = bus.generation();
        if self.holds_at.load(Ordering::Relaxed) == now.number() {
            return false;
        }
        if bus.is_stale(&self.tags, self.generation) {
            return true;
        }
        self.holds_at.store(now.number(), Ordering::Relaxed);
        false
    }
}

type Outcome<V, E> = Result<Arc<Entry<V>>, Miss<E>>;

/// A fill that is under way.
struct Flight<V, E> {
    number: u64,
    begun_at: i64,
    generation: Generation,
    outcome: watch::Receiver<Option<Outcome<V, E>>>,
}

/// Keeps what is costly to make, by key. Cheap to clone.
///
/// - Who misses an entry makes it; who comes meanwhile waits for the same. It is made to its end even when everybody has gone.
/// - Entries and fills carry the [`Bus`]'s generation of when they were begun. News that touches an entry's tags and came later makes it
///   stale for ever, also when it came while the entry was being made: that one is served to those who waited, and not kept. Nobody who
///   comes after the news joins a fill that was begun before it.
/// - An entry beyond its time to live of which no news came is made anew; while its source is away it is served, up to a bound.
pub struct Cache<V, E>(Arc<Inner<V, E>>);

impl<V, E> Clone for Cache<V, E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<V, E> {
    name: &'static str,
    options: CacheOptions,
    bus: Bus,
    clock: Clock,
    tasks: Tasks,
    entries: moka::future::Cache<Arc<str>, Arc<Entry<V>>>,
    flights: Mutex<HashMap<Arc<str>, Flight<V, E>>>,
    numbers: AtomicU64,
    /// Until when the source counts as away, in microseconds since 1970.
    away_until: AtomicI64,
    figures: [Figures; 3],
}

/// Counters, found once, since finding them costs more than a hit.
struct Figures {
    hits: Counter,
    stale: Counter,
    kept: Counter,
    overtaken: Counter,
    refused: Counter,
    away: Counter,
}

impl Figures {
    fn of(surface: Surface) -> Self {
        let surface = surface.as_str();
        let fills = |outcome: &'static str| counter!("cache_fills_total", "surface" => surface, "outcome" => outcome);
        Self {
            hits: counter!("cache_hits_total", "surface" => surface),
            stale: counter!("cache_stale_hits_total", "surface" => surface),
            kept: fills("kept"),
            overtaken: fills("overtaken"),
            refused: fills("refused"),
            away: fills("away"),
        }
    }
}

impl<V: Weight, E: Clone + Send + Sync + 'static> Cache<V, E> {
    /// An empty cache whose entries news on `bus` makes stale.
    #[must_use]
    pub fn new(name: &'static str, options: CacheOptions, bus: Bus, clock: Clock, tasks: Tasks) -> Self {
        let entries = moka::future::Cache::builder()
            .name(name)
            .max_capacity(options.max_bytes)
            .weigher(|_: &Arc<str>, entry: &Arc<Entry<V>>| entry.weight)
            .time_to_live(options.ttl.max(options.stale_for).max(Duration::from_millis(1)))
            .build();
        Self(Arc::new(Inner {
            name,
            options,
            bus,
            clock,
            tasks,
            entries,
            flights: Mutex::default(),
            numbers: AtomicU64::new(0),
            away_until: AtomicI64::new(i64::MIN),
            figures: [Surface::Api, Surface::Page, Surface::Lookup].map(Figures::of),
        }))
    }

    /// The entry of a key: the kept one if it holds and is as fresh as wished, else what `fill` makes. `fill` gets the entry that was there.
    ///
    /// # Errors
    /// What `fill` refused with, when there is nothing old to give in its place.
    pub async fn get<F, R>(&self, key: &Key, wish: Wish, fill: F) -> Result<Arc<Entry<V>>, Lost<E>>
    where
        F: FnOnce(Fill, Option<Arc<Entry<V>>>) -> R + Send + 'static,
        R: Future<Output = Result<Filled<V>, Miss<E>>> + Send + 'static,
    {
        let inner = &self.0;
        let figures = inner.figures(key.surface);
        let kept = inner.entries.get(key.text.as_ref()).await;
        let now = inner.now();
        let Some(old) = kept.clone().filter(|entry| !entry.is_outdated(&inner.bus) && entry.is_younger(now, inner.options.stale_for.max(inner.options.ttl)))
        else {
            return settle(self.fly(key, wish, kept, fill)).await;
        };
        let is_wished = wish.fresher_than.is_none_or(|bound| old.is_younger(now, bound));
        if is_wished && old.is_younger(now, inner.options.ttl) {
            figures.hits.increment(1);
            return Ok(old);
        }
        if now < inner.away_until.load(Ordering::Relaxed) {
            figures.stale.increment(1);
            return Ok(old);
        }
        let flight = self.fly(key, wish, kept, fill);
        match tokio::time::timeout(PATIENCE, wait(flight)).await {
            Ok(Some(Ok(entry))) => Ok(entry),
            Ok(Some(Err(miss))) if !miss.is_away => Err(Lost::Refused(miss.error)),
            outcome => {
                if outcome.is_err() {
                    inner.set_away();
                }
                figures.stale.increment(1);
                Ok(old)
            }
        }
    }

    /// Where news has come to.
    pub(crate) fn generation(&self) -> Generation {
        self.0.bus.generation()
    }

    /// Until when an entry that was just found may be served without looking for it again, in microseconds since 1970: for `longest`, and within
    /// its time to live.
    pub(crate) fn good_until(&self, entry: &Entry<V>, longest: Duration) -> i64 {
        let inner = &self.0;
        inner.now().saturating_add(micros(longest)).min(entry.begun_at.saturating_add(micros(inner.options.ttl)))
    }

    /// Counts a hit on an entry that was found at `generation` and is good until then: whether no news at all came since, and the time is not
    /// over.
    pub(crate) fn is_hit_again(&self, surface: Surface, generation: Generation, good_until: i64) -> bool {
        let inner = &self.0;
        let is_hit = inner.bus.generation() == generation && inner.now() < good_until;
        if is_hit {
            inner.figures(surface).hits.increment(1);
        }
        is_hit
    }

    /// Tells the cache's size and the age of its oldest entry to the metrics.
    pub async fn report(&self) {
        let inner = &self.0;
        inner.entries.run_pending_tasks().await;
        let oldest = inner.entries.iter().map(|(_, entry)| entry.begun_at).min();
        let age = oldest.map_or(0, |begun_at| inner.now().saturating_sub(begun_at) / 1_000_000);
        let set = |name: &'static str, value: u64| gauge!(name, "cache" => inner.name).set(f64::from(u32::try_from(value).unwrap_or(u32::MAX)));
        set("cache_entries", inner.entries.entry_count());
        set("cache_bytes", inner.entries.weighted_size());
        set("cache_oldest_age_seconds", u64::try_from(age).unwrap_or(0));
    }

    /// How many entries there are and what they weigh, for tests and reports.
    pub async fn size(&self) -> (u64, u64) {
        self.0.entries.run_pending_tasks().await;
        (self.0.entries.entry_count(), self.0.entries.weighted_size())
    }

    /// Joins the fill that is under way, unless news came since or it was begun too early; else begins one.
    fn fly<F, R>(&self, key: &Key, wish: Wish, kept: Option<Arc<Entry<V>>>, fill: F) -> watch::Receiver<Option<Outcome<V, E>>>
    where
        F: FnOnce(Fill, Option<Arc<Entry<V>>>) -> R + Send + 'static,
        R: Future<Output = Result<Filled<V>, Miss<E>>> + Send + 'static,
    {
        let inner = &self.0;
        let mut flights = inner.flights();
        let (generation, now) = (inner.bus.generation(), inner.now());
        if let Some(flight) = flights.get(&key.text) {
            let is_wished = wish.fresher_than.is_none_or(|bound| is_younger(flight.begun_at, now, bound));
            let is_alive = flight.outcome.has_changed().is_ok();
            if flight.generation == generation && is_wished && is_alive {
                return flight.outcome.clone();
            }
        }
        let (tell, outcome) = watch::channel(None);
        let number = inner.numbers.fetch_add(1, Ordering::Relaxed);
        flights.insert(Arc::clone(&key.text), Flight { number, begun_at: now, generation, outcome: outcome.clone() });
        drop(flights);
        let changed_ago = wish.fresher_than.or(inner.bus.told_within(READERS_LAG));
        let (inner, key) = (Arc::clone(inner), key.clone());
        inner.tasks.clone().spawn("cache fill", async move {
            let filled = fill(Fill { changed_ago }, kept).await;
            let outcome = inner.keep(&key, filled, now, generation).await;
            inner.land(&key, number);
            // Everybody may have gone.
            drop(tell.send(Some(outcome)));
        });
        outcome
    }
}

impl<V: Weight, E: Clone + Send + Sync + 'static> Inner<V, E> {
    async fn keep(&self, key: &Key, filled: Result<Filled<V>, Miss<E>>, begun_at: i64, generation: Generation) -> Outcome<V, E> {
        let figures = self.figures(key.surface);
        match filled {
            Ok(filled) => {
                let entry = Arc::new(Entry::new(filled, begun_at, generation, &key.text));
                if entry.is_outdated(&self.bus) {
                    figures.overtaken.increment(1);
                } else {
                    self.entries.insert(Arc::clone(&key.text), Arc::clone(&entry)).await;
                    figures.kept.increment(1);
                }
                Ok(entry)
            }
            Err(miss) if miss.is_away => {
                self.set_away();
                figures.away.increment(1);
                Err(miss)
            }
            Err(miss) => {
                // It was there and is no more; the news of it was lost.
                self.entries.invalidate(key.text.as_ref()).await;
                figures.refused.increment(1);
                Err(miss)
            }
        }
    }

    fn land(&self, key: &Key, number: u64) {
        let mut flights = self.flights();
        if flights.get(&key.text).is_some_and(|flight| flight.number == number) {
            flights.remove(&key.text);
        }
    }

    fn flights(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Flight<V, E>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_away(&self) {
        self.away_until.store(self.now().saturating_add(micros(PAUSE)), Ordering::Relaxed);
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }

    const fn figures(&self, surface: Surface) -> &Figures {
        let [api, page, lookup] = &self.figures;
        match surface {
            Surface::Api => api,
            Surface::Page => page,
            Surface::Lookup => lookup,
        }
    }
}

impl<V> Entry<V> {
    fn is_younger(&self, now: i64, bound: Duration) -> bool {
        is_younger(self.begun_at, now, bound)
    }
}

fn is_younger(begun_at: i64, now: i64, bound: Duration) -> bool {
    now.saturating_sub(begun_at) < micros(bound)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Waits for a fill; nothing if it broke off.
async fn wait<V, E: Clone>(mut flight: watch::Receiver<Option<Outcome<V, E>>>) -> Option<Outcome<V, E>> {
    flight.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone())
}

async fn settle<V, E: Clone>(flight: watch::Receiver<Option<Outcome<V, E>>>) -> Result<Arc<Entry<V>>, Lost<E>> {
    match wait(flight).await {
        Some(Ok(entry)) => Ok(entry),
        Some(Err(miss)) => Err(Lost::Refused(miss.error)),
        None => Err(Lost::Broken),
    }
}
