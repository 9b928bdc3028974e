use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use kernel::random;
use metrics::counter;
use redis::{RedisError, Value};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{CONNECT_PATIENCE, PROBE_EVERY, PROBE_PATIENCE, Shared, late, link};
use crate::bus::{Bus, EVERYTHING};

/// One process tells the others at most this often.
const PAUSE: Duration = Duration::from_millis(20);
/// How long to wait before what could not be told is tried again, and before listening is.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(500);
/// How many tags wait to be told; beyond that, everything is.
const MOST: usize = 2_000;
/// How long Redis knows when a tag was told last: longer than anything lives that could bear it.
const REMEMBERED_SECONDS: u32 = 4_000;
/// A process that hears Redis for the first time so soon after its start has missed nothing it could have kept.
const START: Duration = Duration::from_secs(3);

/// Stamps the news, later than any before: the moment in microseconds, by Redis's clock. Notes it for each tag, and tells everyone. All at
/// once, so that who has heard the news finds the stamps.
const TELL: &str = "local now = redis.call('TIME') now = now[1] * 1000000 + now[2] \
     local last = tonumber(redis.call('GET', KEYS[1]) or '0') if now <= last then now = last + 1 end \
     local stamp = string.format('%.0f', now) \
     for i = 1, #KEYS do redis.call('SET', KEYS[i], stamp, 'EX', ARGV[1]) end \
     redis.call('PUBLISH', ARGV[2], stamp .. ' ' .. ARGV[3]) return stamp";
/// The moment by the same clock, not earlier than the last stamp.
const NOW: &str = "local now = redis.call('TIME') now = now[1] * 1000000 + now[2] \
     local last = tonumber(redis.call('GET', KEYS[1]) or '0') if now < last then now = last end \
     return string.format('%.0f', now)";

/// Where news comes in and goes out.
pub(super) struct Desk {
    /// Names this process to itself: it has heard its own news already.
    sender: String,
    /// What every key of news begins with. The braces keep them on one node of a cluster.
    keys: String,
    began: Instant,
    waiting: Mutex<Waiting>,
    bell: Notify,
    /// The latest stamp that was heard; 0 before the first.
    heard: AtomicU64,
}

/// What others have not been told.
#[derive(Default)]
struct Waiting {
    tags: BTreeSet<String>,
    /// Being told, and not known to have arrived.
    under_way: BTreeSet<String>,
}

impl Waiting {
    fn add(&mut self, tags: impl IntoIterator<Item = String>) {
        self.tags.extend(tags);
        if self.tags.len() > MOST {
            self.tags = BTreeSet::from([EVERYTHING.to_owned()]);
        }
    }
}

impl Desk {
    pub(super) fn new(prefix: &str) -> Self {
        let sender = u64::from_be_bytes(random::bytes());
        Self {
            sender: format!("{sender:016x}"),
            keys: format!("{{{prefix}:news}}"),
            began: Instant::now(),
            waiting: Mutex::default(),
            bell: Notify::new(),
            heard: AtomicU64::new(0),
        }
    }

    fn last_key(&self) -> String {
        format!("{}:last", self.keys)
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Says that whatever bears one of these tags is stale. The other processes hear it a moment later; this one was told already.
    pub fn tell(&self, tags: &[String]) {
        if !tags.is_empty() {
            self.0.desk.waiting().add(tags.iter().cloned());
            self.0.desk.bell.notify_one();
        }
    }

    /// Whether Redis knows all that this process has told.
    pub(crate) fn is_in_step(&self) -> bool {
        let waiting = self.0.desk.waiting();
        waiting.tags.is_empty() && waiting.under_way.is_empty() && self.is_up()
    }

    /// The moment by Redis's clock, in the order of the news.
    pub(crate) async fn moment(&self) -> Option<u64> {
        self.call("moment", redis::cmd("EVAL").arg(NOW).arg(1).arg(self.0.desk.last_key())).await
    }

    /// Whether there was news of one of these tags at that moment or later; nothing if Redis does not say.
    pub(crate) async fn is_told_since(&self, tags: &[String], moment: u64) -> Option<bool> {
        let mut command = redis::cmd("MGET");
        for tag in tags.iter().map(String::as_str).chain([EVERYTHING]) {
            command.arg(self.tag_key(tag));
        }
        let stamps: Vec<Option<u64>> = self.call("stamps", &command).await?;
        Some(stamps.into_iter().flatten().any(|stamp| stamp >= moment))
    }

    fn tag_key(&self, tag: &str) -> String {
        format!("{}:{tag}", self.0.desk.keys)
    }

    fn channel(&self) -> String {
        self.key("news")
    }

    /// Passes news on until stopped.
    pub(super) async fn tell_others(&self, stop: &CancellationToken) {
        while stop.run_until_cancelled(self.0.desk.bell.notified()).await.is_some() {
            while !self.flush().await && stop.run_until_cancelled(tokio::time::sleep(PAUSE_AFTER_FAILURE)).await.is_some() {}
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
        self.flush().await;
    }

    /// Tells what waits. False if it could not be told; it waits on.
    pub(super) async fn flush(&self) -> bool {
        let desk = &self.0.desk;
        let tags = {
            let mut waiting = desk.waiting();
            waiting.under_way = std::mem::take(&mut waiting.tags);
            waiting.under_way.clone()
        };
        if tags.is_empty() {
            return true;
        }
        let words = tags.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let mut command = redis::cmd("EVAL");
        command.arg(TELL).arg(tags.len().saturating_add(1)).arg(desk.last_key());
        for tag in &tags {
            command.arg(self.tag_key(tag));
        }
        command.arg(REMEMBERED_SECONDS).arg(self.channel()).arg(format!("{} {words}", desk.sender));
        let stamp: Option<u64> = self.call("tell", &command).await;
        let mut waiting = desk.waiting();
        let under_way = std::mem::take(&mut waiting.under_way);
        match stamp {
            Some(_) => counter!("redis_news_total", "way" => "told").increment(1),
            None => waiting.add(under_way),
        }
        stamp.is_some()
    }

    /// Tells `bus` what others tell, until stopped. A node that is lost is left for the next one.
    pub(super) async fn hear_others(&self, bus: &Bus, stop: &CancellationToken) {
        let mut turn = 0_usize;
        while !stop.is_cancelled() {
            let nodes = self.address();
            let node = nodes.nodes().get(turn % nodes.nodes().len().max(1)).cloned();
            if let Some(Err(error)) = stop.run_until_cancelled(Box::pin(self.listen(node.as_ref(), bus))).await {
                tracing::debug!(%error, "not listening for news; the time to live ends what is stale");
                stop.run_until_cancelled(tokio::time::sleep(PAUSE_AFTER_FAILURE)).await;
            }
            turn = turn.wrapping_add(1);
        }
    }

    async fn listen(&self, node: Option<&String>, bus: &Bus) -> Result<(), RedisError> {
        let client = link::open(node)?;
        let pubsub = tokio::time::timeout(CONNECT_PATIENCE, Box::pin(client.get_async_pubsub())).await.map_err(|_| late())??;
        let (mut sink, mut messages) = pubsub.split();
        tokio::time::timeout(CONNECT_PATIENCE, sink.subscribe(self.channel())).await.map_err(|_| late())??;
        let address = self.address();
        let mut beat = tokio::time::interval(PROBE_EVERY);
        let mut ahead = None;
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => self.hear(&message.get_payload::<String>()?, bus),
                    None => return Err(std::io::Error::from(std::io::ErrorKind::BrokenPipe).into()),
                },
                _ = beat.tick() => {
                    // A connection that has silently died would be listened to for ever.
                    tokio::time::timeout(PROBE_PATIENCE, sink.ping::<Value>()).await.map_err(|_| late())??;
                    if self.address() != address {
                        return Ok(());
                    }
                    ahead = self.look_for_missed(ahead, bus).await;
                }
            }
        }
    }

    fn hear(&self, message: &str, bus: &Bus) {
        let mut words = message.split(' ');
        let (Some(stamp), Some(sender)) = (words.next().and_then(|stamp| stamp.parse().ok()), words.next()) else { return };
        self.0.desk.heard.fetch_max(stamp, Ordering::SeqCst);
        if sender != self.0.desk.sender {
            counter!("redis_news_total", "way" => "heard").increment(1);
            bus.tell(&words.collect::<Vec<_>>());
        }
    }

    /// Compares the latest stamp with the latest heard. What is ahead for the second time running was missed, and since nobody knows what it
    /// was, everything is stale. Returns what is ahead.
    async fn look_for_missed(&self, ahead: Option<u64>, bus: &Bus) -> Option<u64> {
        let desk = &self.0.desk;
        let last: u64 = self.call::<Option<u64>>("last", redis::cmd("GET").arg(desk.last_key())).await??;
        let heard = desk.heard.load(Ordering::SeqCst);
        if last <= heard {
            return None;
        }
        if heard == 0 && desk.began.elapsed() < START {
            desk.heard.fetch_max(last, Ordering::SeqCst);
            return None;
        }
        if ahead != Some(last) {
            return Some(last);
        }
        desk.heard.fetch_max(last, Ordering::SeqCst);
        counter!("redis_news_total", "way" => "missed").increment(1);
        tracing::info!("news was missed; everything is made anew");
        bus.tell(&[EVERYTHING]);
        None
    }
}
