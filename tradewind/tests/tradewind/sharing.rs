//! What processes share through Redis, and that its loss costs nobody anything but speed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{RedisCluster, RedisServer, TestDatabase};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::books::{assert_everything_holds, small_shop, text};
use crate::process::{Folder, Running, http};
use crate::reads::{Staff, euros, until_shown};
use crate::shopper::Shopper;

const APPROVED: &str = "0000000000001000";
/// The key on whose node of a cluster all news is.
const NEWS: &str = "{tradewind:news}:last";

/// A shop of two processes: everything, and pages that have no database. One knows of the other by address and by Redis.
struct Two {
    inside: Folder,
    outside: Folder,
    whole: Arc<Running>,
    pages: Arc<Running>,
    staff: Arc<Staff>,
    /// Where the cup's price is changed, and its version.
    cup: String,
    version: i64,
    _database: TestDatabase,
}

impl Two {
    async fn open(redis_url: &str, settings: &[(&str, &str)]) -> Self {
        let database = TestDatabase::create(&[]).await;
        let common = || {
            let folder = Folder::new().env("TRADEWIND__WEB__INTERNAL_CREDENTIAL", "between-us").env("REDIS_URL", redis_url);
            settings.iter().fold(folder.env("TRADEWIND__DEMO", "true"), |folder, (name, value)| folder.env(name, value))
        };
        let inside = common().env("DATABASE_URL", &database.url()).env("TRADEWIND__HTTP__TRUSTED_PROXIES", "127.0.0.0/8");
        inside.run(&["migrate"]).await.succeeded();
        inside.run(&["seed", "--from", small_shop(&inside, &[100_000]).to_str().unwrap()]).await.succeeded();
        let whole = inside.serve(&[]).await;
        let outside = common().env("TRADEWIND__WEB__API_URL", whole.base_url());
        let pages = outside.serve(&["--target", "storefront"]).await;
        for running in [&whole, &pages] {
            running.until_dependency("redis", "up").await;
        }
        let staff = Staff::join(&inside, &whole).await;
        let cup = json!({ "slug": "cup", "title": "The cup", "published": true, "variants": [{ "sku": "CUP", "prices": euros(900) }] });
        let cup = staff.send(&whole, "POST", "/admin/v1/products", None, &cup).await;
        let cup = format!("/admin/v1/products/{}/variants/{}", text(&cup["id"]), text(&cup["variants"][0]["id"]));
        // The subscription of a process that has just begun stands a moment later.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Self { inside, outside, whole: Arc::new(whole), pages: Arc::new(pages), staff: Arc::new(staff), cup, version: 1, _database: database }
    }

    /// Staff changes the price of the cup, in the process with the API.
    async fn price(&mut self, amount: i64) {
        self.staff.send(&self.whole, "PATCH", &self.cup, Some(self.version), &json!({ "prices": euros(amount) })).await;
        self.version += 1;
    }

    /// A change in one process is on the other's pages within a second.
    async fn assert_news_goes_round(&mut self, amounts: [i64; 3]) {
        for amount in amounts {
            for path in ["/", "/products", "/products/cup"] {
                assert_eq!(self.pages.get(path).await.status(), 200, "{path}");
            }
            self.price(amount).await;
            let shown = format!("€{}.{:02}", amount / 100, amount % 100);
            for path in ["/products/cup", "/products"] {
                until_shown(&self.pages, path, &shown).await;
            }
        }
    }

    async fn close(self) {
        Arc::into_inner(self.pages).unwrap().terminate().await.succeeded();
        Arc::into_inner(self.whole).unwrap().terminate().await.succeeded();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_on_the_pages_of_a_process_without_a_database_within_a_second() {
    let redis = RedisServer::start().await;
    let mut shop = Two::open(&redis.url(), &[]).await;
    shop.assert_news_goes_round([950, 1_000, 1_050]).await;

    let heard = shop.pages.metrics().await;
    assert!(heard.contains("redis_up 1") && heard.contains("redis_news_total{way=\"heard\"}"), "{heard}");

    // A process that begins takes what others have made.
    assert_eq!(shop.pages.get("/products/cup").await.status(), 200);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let cold = shop.outside.serve(&["--target", "storefront"]).await;
    cold.until_dependency("redis", "up").await;
    until_shown(&cold, "/products/cup", "€10.50").await;
    let taken = cold.metrics().await;
    assert!(taken.contains("cache_shared_total{surface=\"page\",outcome=\"hit\"} 1"), "{taken}");
    cold.terminate().await.succeeded();
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn news_that_is_lost_is_made_good_by_the_time_to_live() {
    const TTL: Duration = Duration::from_secs(2);
    let mut redis = RedisServer::start().await;
    let mut shop = Two::open(&redis.url(), &[("TRADEWIND__CACHE__TTL_MS", "2000")]).await;
    // As long as there is Redis no time has to pass.
    shop.assert_news_goes_round([950, 1_000, 1_050]).await;
    redis.kill9();
    tokio::time::sleep(TTL).await;
    until_shown(&shop.pages, "/products/cup", "€10.50").await;
    let shown_at = Instant::now();
    shop.price(1_100).await;
    assert!(shop.pages.get("/products/cup").await.text().await.unwrap().contains("€10.50"), "nobody told it");
    while !shop.pages.get("/products/cup").await.text().await.unwrap().contains("€11.00") {
        assert!(shown_at.elapsed() < TTL + Duration::from_secs(2), "still the old price {:?} after it was shown last", shown_at.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_killed_and_started_again_under_load_fails_no_request_and_loses_no_login_and_no_cart() {
    let mut redis = RedisServer::start().await;
    let mut shop = Two::open(&redis.url(), &[]).await;
    let load = Load::begin(&shop).await;
    load.until_everyone_did_something().await;
    redis.kill9();
    tokio::time::sleep(Duration::from_secs(2)).await;
    load.until_everyone_did_something().await;
    redis.begin().await;
    for running in [&shop.whole, &shop.pages] {
        running.until_dependency("redis", "up").await;
    }
    load.until_everyone_did_something().await;
    // It may hang as well.
    redis.hang();
    tokio::time::sleep(Duration::from_secs(1)).await;
    load.until_everyone_did_something().await;
    redis.wake();
    for running in [&shop.whole, &shop.pages] {
        running.until_dependency("redis", "up").await;
    }
    load.end(&shop).await;
    // It is used again.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    shop.assert_news_goes_round([1_000, 1_100, 1_200]).await;
    assert_everything_holds(&shop.inside).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_of_a_cluster_killed_under_load_fails_no_request_and_loses_no_login_and_no_cart() {
    let mut cluster = RedisCluster::start().await;
    let mut shop = Two::open(&cluster.url(), &[]).await;
    shop.assert_news_goes_round([950, 1_000, 1_050]).await;
    let load = Load::begin(&shop).await;
    load.until_everyone_did_something().await;
    let lost = cluster.kill_master_of(NEWS);
    tokio::time::sleep(Duration::from_secs(4)).await;
    load.until_everyone_did_something().await;
    cluster.begin(lost).await;
    cluster.until_whole().await;
    for running in [&shop.whole, &shop.pages] {
        running.until_dependency("redis", "up").await;
    }
    load.until_everyone_did_something().await;
    load.end(&shop).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    shop.assert_news_goes_round([1_100, 1_200, 1_300]).await;
    assert_everything_holds(&shop.inside).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_whether_redis_answers_and_a_wrong_address_is_refused_without_being_shown() {
    let mut redis = RedisServer::start().await;
    let folder = Folder::new().env("REDIS_URL", &redis.url());
    let well = folder.run(&["doctor"]).await.succeeded();
    assert!(well.lines().any(|line| line.starts_with("ok") && line.contains("Redis")), "{well}");
    redis.kill9();
    let ill = folder.run(&["doctor"]).await.stdout;
    assert!(ill.lines().any(|line| line.starts_with("PROBLEM") && line.contains("Redis")), "{ill}");
    let refused = Folder::new().env("REDIS_URL", "reddis://:hush@cache").run(&["serve"]).await.failed();
    assert!(refused.contains("redis.url") && !refused.contains("hush"), "{refused}");
    let refused = Folder::new().env("TRADEWIND__HTTP__TRUSTED_PROXIES", "10.0.0.0/40").run(&["serve"]).await.failed();
    assert!(refused.contains("http.trusted_proxies"), "{refused}");
}

/// People in the shop: some look around in both processes, some buy, staff works and signs in again. None of them may be failed.
struct Load {
    people: JoinSet<()>,
    over: CancellationToken,
    done: Arc<[AtomicUsize; 4]>,
    /// A cart from before, which must be there afterwards.
    cart: (String, String),
}

const LOOKED: usize = 0;
const BOUGHT: usize = 1;
const WORKED: usize = 2;
const CAME: usize = 3;

impl Load {
    async fn begin(shop: &Two) -> Self {
        let created: Value = http().post(format!("{}/store/v1/carts", shop.whole.base_url())).send().await.unwrap().json().await.unwrap();
        let cart = (text(&created["cart"]["id"]), text(&created["token"]));
        let mut load = Self { people: JoinSet::new(), over: CancellationToken::new(), done: Arc::default(), cart };
        for running in [&shop.whole, &shop.pages] {
            let running = Arc::clone(running);
            load.let_in(LOOKED, move || look_around(Arc::clone(&running)));
        }
        for card in [Some(APPROVED), None] {
            let whole = Arc::clone(&shop.whole);
            load.let_in(BOUGHT, move || buy(Arc::clone(&whole), card));
        }
        let (whole, staff) = (Arc::clone(&shop.whole), Arc::clone(&shop.staff));
        load.let_in(WORKED, move || work(Arc::clone(&whole), Arc::clone(&staff)));
        let (whole, number) = (Arc::clone(&shop.whole), AtomicUsize::new(0));
        load.let_in(CAME, move || come(Arc::clone(&whole), number.fetch_add(1, Ordering::Relaxed)));
        load
    }

    fn let_in<F: Future<Output = ()> + Send + 'static>(&mut self, what: usize, act: impl Fn() -> F + Send + 'static) {
        let (over, done) = (self.over.clone(), Arc::clone(&self.done));
        self.people.spawn(async move {
            while !over.is_cancelled() {
                act().await;
                done[what].fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    fn counts(&self) -> [usize; 4] {
        [LOOKED, BOUGHT, WORKED, CAME].map(|what| self.done[what].load(Ordering::Relaxed))
    }

    async fn until_everyone_did_something(&self) {
        let (before, begun) = (self.counts(), Instant::now());
        while self.counts().iter().zip(before).any(|(now, before)| *now < before + 3) {
            assert!(begun.elapsed() < Duration::from_secs(60), "somebody stands still: {before:?}, {:?}", self.counts());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everybody leaves; panics if somebody was failed.
    async fn end(self, shop: &Two) {
        self.over.cancel();
        self.people.join_all().await;
        shop.staff.get(&shop.whole, "/admin/v1/me").await;
        let (cart, token) = &self.cart;
        let kept = http().get(format!("{}/store/v1/carts/{cart}", shop.whole.base_url())).header("x-cart-token", token).send().await.unwrap();
        assert_eq!(kept.status(), 200, "the cart is lost");
    }
}

async fn look_around(running: Arc<Running>) {
    for path in ["/", "/products", "/products/cup", "/products?sort=title"] {
        let answer = running.get(path).await;
        assert_eq!(answer.status(), 200, "{path}: {}", answer.text().await.unwrap());
    }
}

async fn buy(whole: Arc<Running>, card: Option<&str>) {
    Shopper::come_in(&whole).await.completes(&whole, card, 200).await;
}

async fn work(whole: Arc<Running>, staff: Arc<Staff>) {
    staff.get(&whole, "/admin/v1/me").await;
    let again = json!({ "email": "ada@example.com", "password": "a long enough password" });
    let signed_in = http().post(format!("{}/admin/v1/sessions", whole.base_url())).json(&again).send().await.unwrap();
    assert_eq!(signed_in.status(), 201, "{}", signed_in.text().await.unwrap());
}

/// Strangers from everywhere, each of whom is counted.
async fn come(whole: Arc<Running>, number: usize) {
    let from = format!("203.0.{}.{}", number / 250 % 250, number % 250 + 1);
    let came = http().post(format!("{}/store/v1/carts", whole.base_url())).header("x-forwarded-for", &from).send().await.unwrap();
    assert_eq!(came.status(), 201, "{}", came.text().await.unwrap());
}
