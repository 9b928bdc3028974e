use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use metrics::{Counter, Gauge, counter, gauge};
use sqlx::PgPool;
use sqlx::pool::PoolConnection;
use sqlx::postgres::Postgres;

/// How long a server may take to give a connection before it counts as away.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long a server that was away is left alone, until one asks again.
const REST: Duration = Duration::from_secs(2);

/// Whether a server was away a moment ago.
#[derive(Debug)]
pub(crate) struct Absence {
    begun: Instant,
    /// When it may be asked again, in milliseconds after `begun`; 0 if it is there.
    until: AtomicU64,
}

impl Default for Absence {
    fn default() -> Self {
        Self { begun: Instant::now(), until: AtomicU64::new(0) }
    }
}

impl Absence {
    /// Whether it may be asked: it is there, or this is the one who looks whether it is back.
    pub(crate) fn may_ask(&self) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until == 0 || (self.now() >= until && self.until.compare_exchange(until, self.after_rest(), Ordering::Relaxed, Ordering::Relaxed).is_ok())
    }

    /// It did not answer.
    pub(crate) fn begins(&self) {
        if self.until.swap(self.after_rest(), Ordering::Relaxed) == 0 {
            tracing::warn!("the database's readers are away; the writer serves reads");
        }
    }

    /// It answered.
    pub(crate) fn is_over(&self) {
        if self.until.load(Ordering::Relaxed) != 0 && self.until.swap(0, Ordering::Relaxed) != 0 {
            tracing::info!("the database's readers are back");
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn after_rest(&self) -> u64 {
        self.now().saturating_add(u64::try_from(REST.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A pool of connections that knows how many wait for one.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    inner: PgPool,
    figures: Arc<Figures>,
}

#[derive(Debug)]
struct Figures {
    name: &'static str,
    most: u32,
    waiting: AtomicU32,
    in_vain: Counter,
}

impl Pool {
    /// Gives `inner`, which opens `most` connections at the most, a name in the metrics.
    pub(crate) fn new(name: &'static str, most: u32, inner: PgPool) -> Self {
        let in_vain = counter!("db_pool_timeouts_total", "pool" => name);
        Self { inner, figures: Arc::new(Figures { name, most, waiting: AtomicU32::new(0), in_vain }) }
    }

    /// The pool itself.
    pub(crate) const fn inner(&self) -> &PgPool {
        &self.inner
    }

    /// Whether both are the same pool.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.figures, &other.figures)
    }

    /// A connection, as soon as there is a free one.
    ///
    /// # Errors
    /// None in time, or the server is away.
    pub(crate) async fn acquire(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let _waiting = Waiting::of(&self.figures.waiting);
        let conn = self.inner.acquire().await;
        if matches!(conn, Err(sqlx::Error::PoolTimedOut)) {
            self.figures.in_vain.increment(1);
        }
        conn
    }

    /// A connection, as soon as there is a free one; nothing if the server is away. One that is there and busy is waited for.
    pub(crate) async fn acquire_unless_away(&self) -> Option<Result<PoolConnection<Postgres>, sqlx::Error>> {
        match tokio::time::timeout(PATIENCE, self.inner.acquire()).await {
            Ok(Ok(conn)) => Some(Ok(conn)),
            Err(_) if self.inner.size() >= self.figures.most => Some(self.acquire().await),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// Tells the metrics how many connections are in use and idle, and how many wait for one at this moment.
    pub(crate) fn report(&self) {
        let Figures { name, most, waiting, .. } = &*self.figures;
        let open = self.inner.size();
        let idle = u32::try_from(self.inner.num_idle()).unwrap_or(u32::MAX).min(open);
        let of = |state: &'static str| -> Gauge { gauge!("db_pool_connections", "pool" => *name, "state" => state) };
        of("in_use").set(f64::from(open.saturating_sub(idle)));
        of("idle").set(f64::from(idle));
        gauge!("db_pool_connections_max", "pool" => *name).set(f64::from(*most));
        gauge!("db_pool_waiting", "pool" => *name).set(f64::from(waiting.load(Ordering::Relaxed)));
    }
}

/// One who waits, until it has a connection or goes away.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn of(waiting: &'a AtomicU32) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_was_away_is_left_alone_and_then_asked_by_one() {
        let absence = Absence::default();
        assert!(absence.may_ask() && absence.may_ask());
        absence.begins();
        assert!(!absence.may_ask());
        // As when it has rested.
        absence.until.store(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(2));
        assert!(absence.may_ask(), "one looks whether it is back");
        assert!(!absence.may_ask(), "and no other meanwhile");
        absence.is_over();
        assert!(absence.may_ask() && absence.may_ask());
    }
}
