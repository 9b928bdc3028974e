//! What the processes of a shop share through Redis: news of what is stale, what others have rendered, and counts of who asks how often.
//!
//! Redis is never the record of anything. Each call has a time limit, and a breaker stands before them all: while Redis is away or slow
//! nobody waits for it, every process goes by what it knows itself, and a task of this process alone looks whether it has come back.

mod address;
mod link;
mod news;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};
use redis::{Cmd, FromRedisValue, RedisError, Value};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::Bus;
pub use address::{RedisAddress, RedisAddressError};
use link::Link;
use news::Desk;

/// How long a connection may take to stand.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// How often the connection is looked after while nothing seems wrong.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// How long after trouble it is looked after.
const PROBE_AFTER: Duration = Duration::from_millis(250);
/// How long a probe may take; more than a call, since nobody waits for it.
const PROBE_PATIENCE: Duration = Duration::from_millis(500);
/// How many probes in a row may fail before the connection is given up for a new one.
const PROBES: u32 = 3;
/// What a failed call weighs against one that went well, in the score that opens the breaker.
const FAILURE_WEIGHT: u32 = 3;
/// The score at which the breaker opens: three failures in a row, or many among few successes.
const BREAKING: u32 = 9;
/// How long to wait before connecting again, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How Redis is used.
#[derive(Debug, Clone)]
pub struct SharedOptions {
    /// Where it is.
    pub address: RedisAddress,
    /// How every key and channel of this shop begins, so that several may share one Redis.
    pub prefix: String,
    /// How long a call may take.
    pub timeout: Duration,
}

/// The processes' common ground. Cheap to clone. Nothing is connected until [`Shared::run`].
#[derive(Clone)]
pub struct Shared(Arc<Inner>);

struct Inner {
    prefix: String,
    timeout: Duration,
    address: RwLock<RedisAddress>,
    link: RwLock<Option<Link>>,
    /// While it is set nobody calls.
    is_broken: AtomicBool,
    score: AtomicU32,
    /// Set when the address has changed.
    has_moved: AtomicBool,
    trouble: Notify,
    desk: Desk,
}

impl Shared {
    /// The common ground at this address.
    #[must_use]
    pub fn new(options: SharedOptions) -> Self {
        gauge!("redis_up").set(0.0);
        Self(Arc::new(Inner {
            desk: Desk::new(&options.prefix),
            prefix: options.prefix,
            timeout: options.timeout,
            address: RwLock::new(options.address),
            link: RwLock::default(),
            is_broken: AtomicBool::new(false),
            score: AtomicU32::new(0),
            has_moved: AtomicBool::new(false),
            trouble: Notify::new(),
        }))
    }

    /// Uses another address from now on, such as one with a rotated password.
    pub fn set_address(&self, address: RedisAddress) {
        let mut known = self.0.address.write().unwrap_or_else(PoisonError::into_inner);
        if *known != address {
            *known = address;
            self.0.has_moved.store(true, Ordering::SeqCst);
            self.0.trouble.notify_one();
        }
    }

    /// Whether calls are made at the moment.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.usable().is_some()
    }

    /// Keeps the connection, passes this process's news on and tells `bus` what arrives, until stopped. The news that is left then is told
    /// last.
    pub async fn run(&self, bus: Bus, stop: CancellationToken) {
        // The connection is needed until the last news is told.
        let told = CancellationToken::new();
        tokio::join!(self.keep(&told), async {
            tokio::join!(self.tell_others(&stop), self.hear_others(&bus, &stop));
            told.cancel();
        });
    }

    /// Tells the others what is left to tell, over a connection of its own. For tools, which end before a task would.
    pub async fn tell_now(&self) {
        match self.connect().await {
            Ok(link) => {
                self.put(Some(link));
                self.flush().await;
                self.put(None);
            }
            Err(error) => tracing::debug!(%error, "Redis was not told what is stale; the time to live ends it"),
        }
    }

    /// Connects once and looks whether it answers. For tools.
    ///
    /// # Errors
    /// Why it does not, in words.
    pub async fn check(&self) -> Result<(), String> {
        self.connect().await.map(drop).map_err(|error| error.to_string())
    }

    /// How a key of this shop reads.
    pub(crate) fn key(&self, rest: &str) -> String {
        format!("{}:{rest}", self.0.prefix)
    }

    /// Makes a call, if Redis is well; nothing if it is not, or if there was no answer in time.
    pub(crate) async fn call<T: FromRedisValue>(&self, name: &'static str, command: &Cmd) -> Option<T> {
        let Some(mut link) = self.usable() else {
            counter!("redis_calls_total", "call" => name, "outcome" => "skipped").increment(1);
            return None;
        };
        let begun = Instant::now();
        let answer = tokio::time::timeout(self.0.timeout, link.query(command)).await;
        histogram!("redis_call_duration_seconds", "call" => name).record(begun.elapsed().as_secs_f64());
        let answer = answer.map(|answer| answer.and_then(|value| Ok(T::from_redis_value(value)?)));
        let outcome = match &answer {
            Ok(Ok(_)) => "ok",
            Ok(Err(_)) => "error",
            Err(_) => "timeout",
        };
        counter!("redis_calls_total", "call" => name, "outcome" => outcome).increment(1);
        match answer {
            Ok(Ok(value)) => {
                self.0.score.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |score| score.checked_sub(1)).ok();
                Some(value)
            }
            Ok(Err(error)) => {
                tracing::debug!(call = name, %error, "a call of Redis failed");
                self.weigh(error.is_unrecoverable_error());
                None
            }
            Err(_) => {
                self.weigh(false);
                None
            }
        }
    }

    fn usable(&self) -> Option<Link> {
        if self.0.is_broken.load(Ordering::Relaxed) {
            return None;
        }
        self.0.link.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A call failed: is it time to stop calling?
    fn weigh(&self, is_hopeless: bool) {
        let score = self.0.score.fetch_add(FAILURE_WEIGHT, Ordering::Relaxed).saturating_add(FAILURE_WEIGHT);
        if is_hopeless || score >= BREAKING {
            self.set_broken(true);
            self.0.trouble.notify_one();
        }
    }

    fn set_broken(&self, is_broken: bool) {
        if !is_broken {
            self.0.score.store(0, Ordering::Relaxed);
        }
        if self.0.is_broken.swap(is_broken, Ordering::Relaxed) != is_broken {
            gauge!("redis_up").set(if is_broken { 0.0 } else { 1.0 });
        }
    }

    fn put(&self, link: Option<Link>) {
        gauge!("redis_up").set(if link.is_some() { 1.0 } else { 0.0 });
        self.0.score.store(0, Ordering::Relaxed);
        self.0.is_broken.store(false, Ordering::Relaxed);
        *self.0.link.write().unwrap_or_else(PoisonError::into_inner) = link;
    }

    fn address(&self) -> RedisAddress {
        self.0.address.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn connect(&self) -> Result<Link, RedisError> {
        self.0.has_moved.store(false, Ordering::SeqCst);
        let mut link = match tokio::time::timeout(CONNECT_PATIENCE, Box::pin(Link::connect(&self.address(), self.0.timeout))).await {
            Ok(link) => link?,
            Err(_) => return Err(late()),
        };
        probe(&mut link).await?;
        Ok(link)
    }

    /// Connects, and connects again, until stopped.
    async fn keep(&self, stop: &CancellationToken) {
        let mut pause = PAUSES.0;
        let mut is_known_away = false;
        while let Some(connected) = stop.run_until_cancelled(self.connect()).await {
            match connected {
                Ok(link) => {
                    tracing::info!("Redis is there");
                    self.put(Some(link));
                    (pause, is_known_away) = (PAUSES.0, false);
                    let reason = stop.run_until_cancelled(self.watch()).await;
                    self.put(None);
                    if let Some(reason) = reason {
                        tracing::warn!(reason, "the connection to Redis is given up; everyone goes by what this process knows until there is another");
                    }
                }
                Err(error) if is_known_away => tracing::debug!(%error, "Redis is still away"),
                Err(error) => {
                    tracing::warn!(%error, "Redis is away: this process goes by what it knows itself");
                    is_known_away = true;
                }
            }
            stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            pause = pause.saturating_mul(2).min(PAUSES.1);
        }
    }

    /// Looks after the connection until it is of no more use, and says why.
    async fn watch(&self) -> String {
        let mut failed = 0_u32;
        loop {
            tokio::select! {
                () = tokio::time::sleep(PROBE_EVERY) => {}
                () = self.0.trouble.notified() => tokio::time::sleep(PROBE_AFTER).await,
            }
            if self.0.has_moved.load(Ordering::SeqCst) {
                return "there is a new address".to_owned();
            }
            let Some(mut link) = self.0.link.read().unwrap_or_else(PoisonError::into_inner).clone() else { return "there is none".to_owned() };
            match probe(&mut link).await {
                Ok(()) => {
                    failed = 0;
                    self.set_broken(false);
                }
                Err(error) => {
                    failed = failed.saturating_add(1);
                    self.set_broken(true);
                    if failed >= PROBES || error.is_unrecoverable_error() {
                        return error.to_string();
                    }
                }
            }
        }
    }
}

async fn probe(link: &mut Link) -> Result<(), RedisError> {
    match tokio::time::timeout(PROBE_PATIENCE, link.query::<Value>(&redis::cmd("PING"))).await {
        Ok(answer) => answer.map(drop),
        Err(_) => Err(late()),
    }
}

fn late() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("address", &self.address()).finish_non_exhaustive()
    }
}
