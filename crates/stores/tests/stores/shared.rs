//! What processes share through a real Redis, and how they do without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kernel::{Clock, Problem};
use platform::lifecycle::Tasks;
use stores::{CacheOptions, Filled, Generation, Key, Miss, Parcel, Rate, Shared, SharedOptions, Shelf, Stores, Surface, Wish};
use testkit::{RedisCluster, RedisServer};
use tokio_util::sync::CancellationToken;

const RATE: Rate = Rate { name: "test", per_minute: 6 };
const TIMEOUT: Duration = Duration::from_millis(200);

/// One of the processes of a shop.
struct Process {
    stores: Stores,
    shared: Shared,
    tasks: Tasks,
    stop: CancellationToken,
}

impl Process {
    async fn begin(url: &str) -> Self {
        let process = Self::begin_without(url);
        until("it is connected", || process.shared.is_up()).await;
        // The subscription stands a moment later.
        tokio::time::sleep(Duration::from_millis(300)).await;
        process
    }

    fn begin_without(url: &str) -> Self {
        let shared = Shared::new(SharedOptions { address: url.parse().unwrap(), prefix: "test".to_owned(), timeout: TIMEOUT });
        let (tasks, stop) = (Tasks::new(), CancellationToken::new());
        let stores = Stores::new(CacheOptions::default(), Clock::system(), tasks.clone()).with_shared(shared.clone(), "one");
        let (running, bus, until) = (shared.clone(), stores.bus().clone(), stop.clone());
        tasks.spawn("shared", async move { running.run(bus, until).await });
        Self { stores, shared, tasks, stop }
    }

    /// A commit here: this process knows it, and the others are told.
    fn change(&self, tag: &str) {
        self.stores.bus().tell(&[tag]);
        self.shared.tell(&[tag.to_owned()]);
    }

    fn now(&self) -> Generation {
        self.stores.bus().generation()
    }

    fn has_heard_of(&self, tag: &str, since: Generation) -> bool {
        self.stores.bus().is_stale(&[tag.to_owned()], since)
    }

    fn shelf(&self) -> Shelf {
        self.stores.shelf(Duration::from_secs(30)).unwrap()
    }

    async fn is_allowed(&self, subject: &str) -> bool {
        self.stores.limits().take(RATE, subject).await.is_ok()
    }

    async fn end(self) {
        self.stop.cancel();
        assert!(self.tasks.finish(Duration::from_secs(10)).await, "it does not end");
    }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    within(Duration::from_secs(20), what, holds).await;
}

async fn within(patience: Duration, what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < patience, "{what}: not within {patience:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Something that is made.
#[derive(Debug, PartialEq, Eq)]
struct Pot(String);

impl Parcel for Pot {
    fn pack(&self) -> Option<Bytes> {
        Some(self.0.clone().into())
    }

    fn unpack(bytes: &Bytes) -> Option<Self> {
        Some(Self(String::from_utf8(bytes.to_vec()).ok()?))
    }
}

/// Takes a pot off the shelf of a process, or makes it there by this name; `meanwhile` happens while it is made.
async fn pot(process: &Process, name: &str, meanwhile: impl Future<Output = ()>) -> String {
    let key = Key::new(Surface::Page, "default", "en", "/pots", "");
    let make = async {
        meanwhile.await;
        Ok::<_, Miss<Problem>>(Filled::new(Pot(name.to_owned()), vec!["pots".to_owned()]))
    };
    let pot = process.shelf().find_or_make(&key, Wish::default(), make).await.unwrap().value.0;
    // It is put there behind the back of whoever asked.
    tokio::time::sleep(Duration::from_millis(100)).await;
    pot
}

async fn nothing() {}

#[tokio::test(flavor = "multi_thread")]
async fn news_told_by_one_process_is_heard_by_the_others_within_a_second_and_once() {
    let redis = RedisServer::start().await;
    let (here, there) = (Process::begin(&redis.url()).await, Process::begin(&redis.url()).await);
    let (before_here, before_there) = (here.now(), there.now());
    here.change("product:1");
    let told = here.now();
    within(Duration::from_secs(1), "the other hears it", || there.has_heard_of("product:1", before_there)).await;
    assert!(!there.has_heard_of("product:2", before_there) && here.has_heard_of("product:1", before_here));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(here.now(), told, "a process does not hear its own news again");
    here.end().await;
    there.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_news_of_a_process_that_ends_is_told() {
    let redis = RedisServer::start().await;
    let (here, there) = (Process::begin(&redis.url()).await, Process::begin(&redis.url()).await);
    let before = there.now();
    here.change("product:1");
    here.end().await;
    within(Duration::from_secs(1), "the other hears it", || there.has_heard_of("product:1", before)).await;
    there.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn news_told_while_redis_is_away_is_heard_when_it_is_back() {
    let mut redis = RedisServer::start().await;
    let (here, there) = (Process::begin(&redis.url()).await, Process::begin(&redis.url()).await);
    redis.kill9();
    let before = there.now();
    here.change("product:1");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!there.has_heard_of("product:1", before));
    redis.begin().await;
    until("the other hears it", || there.has_heard_of("product:1", before)).await;
    here.end().await;
    there.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_missed_news_believes_nothing_that_was_made_before() {
    let redis = RedisServer::start().await;
    let (here, there) = (Process::begin(&redis.url()).await, Process::begin(&redis.url()).await);
    here.change("product:1");
    until("the other listens", || there.has_heard_of("product:1", Generation::default())).await;
    let before = there.now();
    // Nobody listens at the moment at which it is told.
    let _: i64 = redis.ask(redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("pubsub"));
    here.change("product:2");
    until("the other makes everything anew", || there.has_heard_of("product:3", before)).await;
    here.end().await;
    there.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_has_made_another_takes_until_there_is_news_of_it() {
    let redis = RedisServer::start().await;
    let (here, there) = (Process::begin(&redis.url()).await, Process::begin(&redis.url()).await);
    assert_eq!(pot(&here, "first", nothing()).await, "first");
    assert_eq!(pot(&there, "second", nothing()).await, "first");
    here.change("others");
    assert_eq!(pot(&there, "second", nothing()).await, "first");

    let before = there.now();
    here.change("pots");
    until("the other hears it", || there.has_heard_of("pots", before)).await;
    assert_eq!(pot(&there, "second", nothing()).await, "second");
    // Who has just heard the news makes its own for a while; who has not takes what holds.
    let cold = Process::begin(&redis.url()).await;
    assert_eq!(pot(&cold, "third", nothing()).await, "second");
    // Another edition is another shelf.
    let other = cold.stores.clone().with_shared(cold.shared.clone(), "two");
    let key = Key::new(Surface::Page, "default", "en", "/pots", "");
    let shelf = other.shelf(Duration::from_secs(30)).unwrap();
    let made = shelf.find_or_make(&key, Wish::default(), async { Ok::<_, Miss<Problem>>(Filled::new(Pot("own".to_owned()), Vec::new())) });
    assert_eq!(made.await.unwrap().value.0, "own");
    for process in [here, there, cold] {
        process.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_before_the_news_and_put_there_after_it_is_not_taken() {
    let redis = RedisServer::start().await;
    let (here, there) = (Process::begin(&redis.url()).await, Process::begin(&redis.url()).await);
    let before = there.now();
    let slow = pot(&here, "old", async {
        there.change("pots");
        until("it is told", || there.has_heard_of("pots", before)).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    });
    assert_eq!(slow.await, "old", "those who waited for it get it");
    let cold = Process::begin(&redis.url()).await;
    assert_eq!(pot(&cold, "new", nothing()).await, "new");
    for process in [here, there, cold] {
        process.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_counted_by_all_together_and_by_each_alone_while_redis_is_away() {
    let mut redis = RedisServer::start().await;
    let (here, there) = (Process::begin(&redis.url()).await, Process::begin(&redis.url()).await);
    for number in 0..6 {
        assert!(if number % 2 == 0 { &here } else { &there }.is_allowed("a").await, "{number}");
    }
    assert!(!here.is_allowed("a").await && !there.is_allowed("a").await && there.is_allowed("b").await);
    let wait = here.stores.limits().take(RATE, "a").await.unwrap_err().wait;
    assert!((Duration::from_secs(8)..=Duration::from_secs(10)).contains(&wait), "{wait:?}");

    redis.kill9();
    for number in 0..6 {
        assert!(here.is_allowed("a").await && there.is_allowed("a").await, "{number}");
    }
    assert!(!here.is_allowed("a").await && !there.is_allowed("a").await);
    redis.begin().await;
    until("both are connected again", || here.shared.is_up() && there.shared.is_up()).await;
    assert!(here.is_allowed("a").await, "a Redis that has begun anew counts anew");
    here.end().await;
    there.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_redis_that_hangs() {
    let redis = RedisServer::start().await;
    let process = Process::begin(&redis.url()).await;
    redis.hang();
    let begun = Instant::now();
    for number in 0..50 {
        assert!(process.is_allowed(&number.to_string()).await);
    }
    assert!(begun.elapsed() < TIMEOUT * 5, "{:?} for 50 calls: the breaker does not open", begun.elapsed());
    assert!(!process.shared.is_up());
    tokio::time::sleep(Duration::from_secs(3)).await;
    redis.wake();
    until("it is used again", || process.shared.is_up()).await;
    process.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_begins_without_redis_finds_it_later() {
    let mut redis = RedisServer::start().await;
    redis.kill9();
    let process = Process::begin_without(&redis.url());
    assert_eq!(pot(&process, "mine", nothing()).await, "mine");
    assert!(process.is_allowed("a").await && !process.shared.is_up());
    redis.begin().await;
    until("it is used", || process.shared.is_up()).await;
    process.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_is_used_without_a_restart() {
    let (first, second) = (RedisServer::start().await, RedisServer::start().await);
    let (here, there) = (Process::begin(&first.url()).await, Process::begin(&second.url()).await);
    let before = there.now();
    here.shared.set_address(second.url().parse().unwrap());
    until("it has moved", || {
        here.change("product:1");
        there.has_heard_of("product:1", before)
    })
    .await;
    here.end().await;
    there.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_cluster_of_six_a_lost_master_costs_moments_and_no_answer() {
    let mut cluster = RedisCluster::start().await;
    let (here, there) = (Process::begin(&cluster.url()).await, Process::begin(&cluster.url()).await);
    let heard = |tag: &'static str| (tag, there.now());
    let (tag, before) = heard("product:1");
    here.change(tag);
    within(Duration::from_secs(1), "the other hears it", || there.has_heard_of(tag, before)).await;
    assert_eq!((pot(&here, "first", nothing()).await, pot(&there, "second", nothing()).await), ("first".to_owned(), "first".to_owned()));
    for number in 0..6 {
        assert!(if number % 2 == 0 { &here } else { &there }.is_allowed("a").await, "{number}");
    }
    assert!(!here.is_allowed("a").await && !there.is_allowed("a").await);

    // The one with the news.
    let lost = cluster.kill_master_of("{test:news}:last");
    let asked = AtomicUsize::new(0);
    let longest = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(6) {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        let asked_at = Instant::now();
        assert!(here.is_allowed(&format!("shopper {number}")).await);
        longest.fetch_max(usize::try_from(asked_at.elapsed().as_millis()).unwrap(), Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(longest.load(Ordering::Relaxed) < 1_000, "somebody waited {longest:?} ms");
    let (tag, before) = heard("product:2");
    until("news goes round by the master that took over", || {
        here.change(tag);
        there.has_heard_of(tag, before)
    })
    .await;
    cluster.begin(lost).await;
    cluster.until_whole().await;
    until("both use it", || here.shared.is_up() && there.shared.is_up()).await;
    for _ in 0..6 {
        assert!(here.is_allowed("c").await);
    }
    assert!(!there.is_allowed("c").await, "counted together again");
    here.end().await;
    there.end().await;
}
