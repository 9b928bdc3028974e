//! What a process keeps beside the database, and may lose: answers and pages rendered once and served as bytes, and the bus that tells
//! what has become stale.
//!
//! A render's tags are the surrogate keys of what it shows, such as `product:prd_…`. A change names the tags it touches on the [`Bus`];
//! whatever was rendered before that and bears one of them is never served again. See ADR 8.

mod bus;
mod cache;
mod coding;
mod key;
mod limits;
mod render;
mod rendered;
mod shared;
mod shelf;
mod shortcuts;

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Problem};
use platform::lifecycle::Tasks;

pub use bus::{Bus, EVERYTHING, Generation};
pub use cache::{Cache, CacheOptions, Entry, Fill, Filled, Lost, Miss, Surface, Weight, Wish};
pub use key::Key;
pub use limits::{Limits, Rate, TooOften, subject_of};
pub use render::{Render, RenderCache, Unkept};
pub use rendered::Rendered;
pub use shared::{RedisAddress, RedisAddressError, Shared, SharedOptions};
pub use shelf::{Parcel, Shelf};
pub use shortcuts::Shortcuts;

/// How long after a change whatever is made anew reads the writer, because a reader may not have the change yet.
pub const READERS_LAG: Duration = Duration::from_secs(5);
/// The room for small typed look-ups beside the renders.
const LOOKUP_BYTES: u64 = 1024 * 1024;

/// The caches of a process and the bus that keeps them true. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Stores {
    bus: Bus,
    renders: RenderCache,
    options: CacheOptions,
    clock: Clock,
    tasks: Tasks,
    common: Option<Common>,
    limits: Limits,
}

/// What the processes of a shop share.
#[derive(Clone)]
struct Common {
    shared: Shared,
    edition: Arc<str>,
}

impl Stores {
    /// Empty caches. Work that outlives its request runs in `tasks`.
    #[must_use]
    pub fn new(options: CacheOptions, clock: Clock, tasks: Tasks) -> Self {
        Self::on(Bus::new(clock.clone()), options, clock, tasks, None)
    }

    /// Caches that keep nothing, for tests of what is rendered.
    #[must_use]
    pub fn off() -> Self {
        Self::new(CacheOptions { ttl: Duration::ZERO, stale_for: Duration::ZERO, ..CacheOptions::default() }, Clock::system(), Tasks::new())
    }

    /// Empty caches that share through Redis what they make, with those processes that are of the same edition, and count limits together with
    /// all. [`Shared::run`] keeps the connection.
    #[must_use]
    pub fn with_shared(self, shared: Shared, edition: &str) -> Self {
        Self::on(self.bus, self.options, self.clock, self.tasks, Some(Common { shared, edition: edition.into() }))
    }

    fn on(bus: Bus, options: CacheOptions, clock: Clock, tasks: Tasks, common: Option<Common>) -> Self {
        let cache = Cache::new("renders", options, bus.clone(), clock.clone(), tasks.clone());
        let limits = Limits::new(clock.clone(), common.as_ref().map(|common| common.shared.clone()));
        let stores = Self { renders: RenderCache::new(cache.clone(), None), bus, options, clock, tasks, common, limits };
        let shelf = stores.shelf(options.ttl);
        Self { renders: RenderCache::new(cache, shelf), ..stores }
    }

    /// Where work is spawned that outlives its request.
    #[must_use]
    pub const fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// What the processes of the shop share, if they do.
    #[must_use]
    pub fn shared(&self) -> Option<&Shared> {
        self.common.as_ref().map(|common| &common.shared)
    }

    /// How often somebody may do something.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A cache of records that are asked for again and again, for a short time; never served while their source is away.
    #[must_use]
    pub fn records<V: Weight, E: Clone + Send + Sync + 'static>(&self, name: &'static str, ttl: Duration) -> Cache<V, E> {
        let options = CacheOptions { max_bytes: LOOKUP_BYTES.saturating_mul(4), ttl: ttl.min(self.options.ttl), stale_for: Duration::ZERO };
        Cache::new(name, options, self.bus.clone(), self.clock.clone(), self.tasks.clone())
    }

    /// The shelf for things that live so long, if there is one.
    #[must_use]
    pub fn shelf(&self, ttl: Duration) -> Option<Shelf> {
        let Common { shared, edition } = self.common.clone()?;
        Some(Shelf::new(shared, self.bus.clone(), self.tasks.clone(), edition, ttl.min(self.options.ttl)))
    }

    /// Who tells, and hears, what is stale.
    #[must_use]
    pub const fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Answers and pages.
    #[must_use]
    pub const fn renders(&self) -> &RenderCache {
        &self.renders
    }

    /// Puts the first look around everything a port answers: see [`Shortcuts`].
    #[must_use]
    pub fn shortcuts<S>(&self, port: S) -> Shortcuts<S> {
        Shortcuts::around(port, self.renders.clone())
    }

    /// A cache of something small that renders are found by, such as the channels of the shop.
    #[must_use]
    pub fn lookup<V: Weight>(&self, name: &'static str) -> Cache<V, Problem> {
        let options = CacheOptions { max_bytes: LOOKUP_BYTES.min(self.options.max_bytes), ..self.options };
        Cache::new(name, options, self.bus.clone(), self.clock.clone(), self.tasks.clone())
    }
}
