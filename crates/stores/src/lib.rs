//! What a process keeps beside the database, and may lose: answers and pages rendered once and served as bytes, and the bus that tells
//! what has become stale.
//!
//! A render's tags are the surrogate keys of what it shows, such as `product:prd_…`. A change names the tags it touches on the [`Bus`];
//! whatever was rendered before that and bears one of them is never served again. See ADR 8.

mod bus;
mod cache;
mod coding;
mod key;
mod render;
mod rendered;
mod shortcuts;

use std::time::Duration;

use kernel::{Clock, Problem};
use platform::lifecycle::Tasks;

pub use bus::{Bus, EVERYTHING, Generation};
pub use cache::{Cache, CacheOptions, Entry, Fill, Filled, Lost, Miss, Surface, Weight, Wish};
pub use key::Key;
pub use render::{Render, RenderCache, Unkept};
pub use rendered::Rendered;
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
}

impl Stores {
    /// Empty caches. Work that outlives its request runs in `tasks`.
    #[must_use]
    pub fn new(options: CacheOptions, clock: Clock, tasks: Tasks) -> Self {
        Self::on(Bus::new(clock.clone()), options, clock, tasks)
    }

    /// Caches that keep nothing, for tests of what is rendered.
    #[must_use]
    pub fn off() -> Self {
        Self::new(CacheOptions { ttl: Duration::ZERO, stale_for: Duration::ZERO, ..CacheOptions::default() }, Clock::system(), Tasks::new())
    }

    /// Empty caches with other options on the same bus.
    #[must_use]
    pub fn with_options(self, options: CacheOptions) -> Self {
        Self::on(self.bus, options, self.clock, self.tasks)
    }

    fn on(bus: Bus, options: CacheOptions, clock: Clock, tasks: Tasks) -> Self {
        let renders = RenderCache::new(Cache::new("renders", options, bus.clone(), clock.clone(), tasks.clone()));
        Self { bus, renders, options, clock, tasks }
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
