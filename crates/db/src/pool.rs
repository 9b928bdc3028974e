use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use metrics::{Counter, Gauge, counter, gauge};
use sqlx::PgPool;
use sqlx::pool::PoolConnection;
use sqlx::postgres::Postgres;

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
