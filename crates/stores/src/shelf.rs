//! The second level of the caches: what one process has made, the others take from Redis.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use metrics::counter;
use platform::lifecycle::Tasks;
use serde::{Deserialize, Serialize};

use crate::{Bus, Filled, Key, Miss, READERS_LAG, Shared, Wish};

/// The largest thing that is worth sending.
const MOST_BYTES: usize = 1024 * 1024;

/// What something kept is on its way to other processes and back.
pub trait Parcel: Sized {
    /// Its bytes; nothing if it stays here.
    fn pack(&self) -> Option<Bytes>;
    /// The same from its bytes; nothing if they are of another release.
    fn unpack(bytes: &Bytes) -> Option<Self>;
}

/// A shelf in Redis, beside a cache in this process. Everything on it bears the moment when it was begun, by Redis's clock, and its tags.
///
/// News is stamped by the same clock, before anyone hears it. So whoever takes something off the shelf sees whether there was news of it since
/// it was begun, also news that this process has missed; and what was begun before the news and put there after it is seen through as well. What
/// this process itself has heard of in the last seconds is not taken, because news by PostgreSQL may be faster than news by Redis.
#[derive(Clone)]
pub struct Shelf {
    shared: Shared,
    bus: Bus,
    tasks: Tasks,
    /// Names what must be the same in two processes for them to share: the release, and what it is set to.
    edition: Arc<str>,
    ttl: Duration,
}

/// What stands before the bytes.
#[derive(Serialize, Deserialize)]
struct Label {
    begun: u64,
    tags: Vec<String>,
}

impl Shelf {
    pub(crate) fn new(shared: Shared, bus: Bus, tasks: Tasks, edition: Arc<str>, ttl: Duration) -> Self {
        Self { shared, bus, tasks, edition, ttl }
    }

    /// What another process has made by `key`; else what `make` makes, which is put there for the others. Whoever wishes for something fresher
    /// than usual makes it.
    ///
    /// # Errors
    /// What `make` fails with.
    pub async fn find_or_make<V: Parcel, E, R>(&self, key: &Key, wish: Wish, make: R) -> Result<Filled<V>, Miss<E>>
    where
        R: Future<Output = Result<Filled<V>, Miss<E>>>,
    {
        if !self.shared.is_in_step() {
            return make.await;
        }
        let place = self.shared.key(&format!("kept:{}:{}", self.edition, key.text));
        let mut get = redis::cmd("GET");
        get.arg(&place);
        let (begun, kept) = tokio::join!(self.shared.moment(), async {
            if wish.fresher_than.is_some() { None } else { self.shared.call::<Option<Bytes>>("get", &get).await.flatten() }
        });
        let Some(begun) = begun else { return make.await };
        if let Some(kept) = kept {
            let found = self.accept(&kept, begun).await;
            counter!("cache_shared_total", "surface" => key.surface.as_str(), "outcome" => if found.is_some() { "hit" } else { "stale" }).increment(1);
            if let Some(found) = found {
                return Ok(found);
            }
        } else {
            counter!("cache_shared_total", "surface" => key.surface.as_str(), "outcome" => "miss").increment(1);
        }
        let filled = make.await?;
        self.put(place, begun, &filled);
        Ok(filled)
    }

    /// Looks whether something still holds at `now`.
    async fn accept<V: Parcel>(&self, kept: &Bytes, now: u64) -> Option<Filled<V>> {
        let end = kept.iter().position(|byte| *byte == b'\n')?;
        let Label { begun, tags } = serde_json::from_slice(kept.get(..end)?).ok()?;
        let age = Duration::from_micros(now.saturating_sub(begun));
        if age >= self.ttl || self.bus.is_news(&tags, READERS_LAG) {
            return None;
        }
        let value = V::unpack(&kept.slice(end.saturating_add(1)..))?;
        (self.shared.is_told_since(&tags, begun).await == Some(false)).then_some(Filled { value, tags, age })
    }

    /// Puts something there for as long as it may be served. Nobody waits for it.
    fn put<V: Parcel>(&self, place: String, begun: u64, filled: &Filled<V>) {
        let label = serde_json::to_vec(&Label { begun, tags: filled.tags.clone() }).ok();
        let Some((mut bytes, value)) = label.zip(filled.value.pack()).filter(|(_, value)| value.len() <= MOST_BYTES) else { return };
        bytes.push(b'\n');
        bytes.extend_from_slice(&value);
        let life = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        if life == 0 {
            return;
        }
        let shared = self.shared.clone();
        self.tasks.spawn("keep for others", async move {
            let mut set = redis::cmd("SET");
            set.arg(place).arg(bytes).arg("PX").arg(life);
            drop(shared.call::<redis::Value>("set", &set).await);
        });
    }
}
