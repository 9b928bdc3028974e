//! Thousands of purchases at once, drawn by lot, in two processes on one database, of which one or the other is killed at random moments.
//! What the shoppers were told is kept, and in the end it must be what is in the books, and the books must add up.
//!
//! The seed is printed; `TRADEWIND_TEST_SEED` draws the same lots again, `TRADEWIND_TEST_PURCHASES` says how many.
#![expect(clippy::print_stderr, reason = "the seed, for those who want to see a failure again")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cart_api::CartId;
use orders_api::OrderId;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, PgConnection};
use testkit::TestDatabase;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::books::{assert_everything_holds, count, purchase, small_shop, text, wait_until_all_is_settled};
use crate::process::{Folder, Running, http};

const PURCHASES: u64 = 2_000;
/// How many shoppers are in the shop at once.
const AT_ONCE: usize = 48;
/// How long a shopper goes on asking.
const PATIENCE: Duration = Duration::from_secs(120);
/// Units of each variant: a few that everybody wants and not everybody gets, and some that suffice.
const STOCK: [i64; 16] = [40, 25, 60, 10, 1_500, 1_500, 80, 2_000, 1_500, 50, 2_000, 5, 1_500, 1_500, 2_000, 120];
const APPROVED: &str = "0000000000001000";
const SECOND_STEP: &str = "0000000000003000";
/// How one pays, and how many of a hundred shoppers do.
const CARDS: [(u64, Option<&str>); 11] = [
    (24, None),
    (22, Some(APPROVED)),
    (6, Some("0000000000002001")),
    (4, Some("0000000000002002")),
    (14, Some(SECOND_STEP)),
    (5, Some("0000000000004000")),
    (2, Some("0000000000004001")),
    (8, Some("0000000000005000")),
    (5, Some("0000000000005001")),
    (8, Some("0000000000006000")),
    (2, Some("0000000000007000")),
];

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_random_purchases_in_two_processes_that_are_killed_add_up() {
    let seed = setting("TRADEWIND_TEST_SEED").unwrap_or_else(|| u64::from_le_bytes(kernel::random::bytes()));
    let purchases = setting("TRADEWIND_TEST_PURCHASES").unwrap_or(PURCHASES);
    eprintln!("{purchases} purchases; to draw the same lots again: TRADEWIND_TEST_SEED={seed}");
    let begun = Instant::now();

    let database = TestDatabase::create(&[]).await;
    let shop = Arc::new(Shop::open(&database).await);
    let variants = shop.variants().await;
    let over = CancellationToken::new();
    let (mut killing, mut checking) = (JoinSet::new(), JoinSet::new());
    killing.spawn(kill_at_random(Arc::clone(&shop), Dice::new(seed, u64::MAX), over.clone()));
    checking.spawn(check_meanwhile(Arc::clone(&shop), over.clone()));
    let records = buy(&shop, &variants, seed, purchases).await;
    let bought_after = begun.elapsed();
    over.cancel();
    let (kills, checks) = (killing.join_all().await[0], checking.join_all().await[0]);

    let mut books = database.options().connect().await.unwrap();
    wait_until_all_is_settled(&mut books, "random purchases").await;
    assert_everything_holds(&shop.folder).await;
    shop.assert_gauges_are_at_zero().await;
    let told = assert_shoppers_were_told_the_truth(&mut books, &records).await;
    assert_nothing_is_sold_twice(&mut books).await;
    eprintln!("{told}; {kills} kills, {checks} checks meanwhile; bought after {bought_after:?}, settled and proven after {:?}", begun.elapsed());
    assert!(kills > 0 && checks > 0, "nothing was killed or looked at meanwhile");
    shop.close().await;
}

fn setting(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a knob of this test, not a setting of the program")]
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap())
}

/// Random numbers that can be drawn again (SplitMix64, Steele et al. 2014).
struct Dice(u64);

impl Dice {
    /// The dice of one shopper.
    const fn new(seed: u64, number: u64) -> Self {
        Self(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }

    /// True so many times in a hundred.
    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len().try_into().unwrap())).unwrap()]
    }

    fn card(&mut self) -> Option<&'static str> {
        let mut lot = self.below(CARDS.iter().map(|(weight, _)| weight).sum());
        let card = CARDS.iter().find(|(weight, _)| match lot.checked_sub(*weight) {
            Some(rest) => {
                lot = rest;
                false
            }
            None => true,
        });
        card.unwrap().1
    }
}

/// Two processes on one database.
struct Shop {
    folder: Folder,
    processes: [tokio::sync::Mutex<Option<Running>>; 2],
    addresses: [Mutex<Option<String>>; 2],
    client: reqwest::Client,
}

impl Shop {
    async fn open(database: &TestDatabase) -> Self {
        let folder = Folder::new()
            .env("DATABASE_URL", &database.url())
            .env("TRADEWIND__DEMO", "true")
            .env("TRADEWIND__LOG__FILTER", "error")
            .env("TRADEWIND__PAYMENTS__PROVIDER_TIMEOUT_MS", "1000")
            .env("TRADEWIND__PAYMENTS__RECONCILE_EVERY_MS", "1000")
            .env("TRADEWIND__PAYMENTS__ACTION_TIMEOUT_MS", "8000")
            .env("TRADEWIND__WORKER__LEASE_MS", "8000")
            .env("TRADEWIND__WORKER__CHECK_EVERY_MS", "10000");
        folder.run(&["migrate"]).await.succeeded();
        let data = small_shop(&folder, &STOCK);
        folder.run(&["seed", "--from", data.to_str().unwrap()]).await.succeeded();
        let shop = Self { folder, processes: Default::default(), addresses: Default::default(), client: http() };
        shop.start(0).await;
        shop.start(1).await;
        shop
    }

    async fn start(&self, which: usize) {
        let running = self.folder.serve(&[]).await;
        *self.addresses[which].lock().unwrap() = Some(running.base_url().to_owned());
        *self.processes[which].lock().await = Some(running);
    }

    async fn kill(&self, which: usize) {
        let running = self.processes[which].lock().await.take().unwrap();
        let ended = running.kill9().await;
        *self.addresses[which].lock().unwrap() = None;
        assert_eq!(ended.signal(), Some(9), "it ended before it was killed: {ended:?}");
    }

    /// Where the process is, or the other one if it is away.
    fn address(&self, which: usize) -> String {
        let address = |which: usize| self.addresses[which].lock().unwrap().clone();
        address(which).or_else(|| address(1 - which)).unwrap_or_else(|| "http://127.0.0.1:9".to_owned())
    }

    /// Every variant there is to buy.
    async fn variants(&self) -> Vec<String> {
        let get = async |path: String| self.client.get(format!("{}{path}", self.address(0))).send().await.unwrap().json::<Value>().await.unwrap();
        let mut variants = Vec::new();
        for product in get("/store/v1/products?limit=100".to_owned()).await["items"].as_array().unwrap() {
            let product = get(format!("/store/v1/products/{}", text(&product["slug"]))).await;
            variants.extend(product["variants"].as_array().unwrap().iter().map(|variant| text(&variant["id"])));
        }
        assert_eq!(variants.len(), STOCK.len());
        variants
    }

    /// The schedule has looked after everything and found nothing, in the process that looked last.
    async fn assert_gauges_are_at_zero(&self) {
        let begun = Instant::now();
        loop {
            for process in &self.processes {
                let url = format!("{}/metrics", process.lock().await.as_ref().unwrap().operations_url());
                let metrics = self.client.get(url).send().await.unwrap().text().await.unwrap();
                if metrics.contains("check_last_run_timestamp_seconds") {
                    let wrong: Vec<&str> = metrics.lines().filter(|line| line.starts_with("check_findings{") && !line.ends_with(" 0")).collect();
                    assert_eq!(wrong, [""; 0]);
                    assert!(metrics.contains("\ninventory_oversold_units 0\n"), "{metrics}");
                    return;
                }
            }
            assert!(begun.elapsed() < PATIENCE, "the schedule never ran");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn close(&self) {
        for process in &self.processes {
            process.lock().await.take().unwrap().terminate().await.succeeded();
        }
    }
}

/// Kills one process or the other and starts it anew, until the shopping is over.
async fn kill_at_random(shop: Arc<Shop>, mut dice: Dice, over: CancellationToken) -> usize {
    let mut kills = 0;
    while over.run_until_cancelled(tokio::time::sleep(Duration::from_millis(1_500 + dice.below(5_000)))).await.is_some() {
        let which = *dice.pick(&[0, 1]);
        shop.kill(which).await;
        tokio::time::sleep(Duration::from_millis(dice.below(500))).await;
        shop.start(which).await;
        kills += 1;
    }
    kills
}

/// Looks after everything while all of it moves: what is under way must not be taken for a fault.
async fn check_meanwhile(shop: Arc<Shop>, over: CancellationToken) -> usize {
    let mut checks = 0;
    while over.run_until_cancelled(tokio::time::sleep(Duration::from_secs(8))).await.is_some() {
        assert_everything_holds(&shop.folder).await;
        checks += 1;
    }
    checks
}

async fn buy(shop: &Arc<Shop>, variants: &[String], seed: u64, purchases: u64) -> Vec<Record> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let variants: Arc<[String]> = variants.into();
    let mut shoppers = JoinSet::new();
    for number in 0..purchases {
        let (shop, places, variants) = (Arc::clone(shop), Arc::clone(&places), Arc::clone(&variants));
        shoppers.spawn(async move {
            let place = places.acquire_owned().await.unwrap();
            let shopper = Shopper::come_in(shop, Dice::new(seed, number), &variants).await;
            let bought = shopper.buy().await;
            drop(place);
            bought
        });
    }
    shoppers.join_all().await
}

/// What a shopper was told.
#[derive(Debug)]
struct Record {
    cart: CartId,
    /// The orders that were said to be placed.
    placed: BTreeSet<OrderId>,
    /// How many requests were refused for good.
    refused: usize,
    /// Whether something was left open: the shopper did not wait for the end.
    is_open: bool,
}

/// A shopper with a cart.
struct Shopper {
    shop: Arc<Shop>,
    dice: Dice,
    cart: String,
    token: String,
    total: Value,
    record: Record,
}

/// An answer: status and body.
type Told = (u16, Value);

impl Shopper {
    async fn come_in(shop: Arc<Shop>, mut dice: Dice, variants: &[String]) -> Self {
        let created = loop {
            let url = format!("{}/store/v1/carts", shop.address(usize::from(dice.chance(50))));
            let answer = shop.client.post(url).send().await;
            match answer {
                Ok(answer) if answer.status() == 201 => match answer.json::<Value>().await {
                    Ok(created) => break created,
                    Err(_) => continue,
                },
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        let cart = text(&created["cart"]["id"]);
        let record = Record { cart: cart.parse().unwrap(), placed: BTreeSet::new(), refused: 0, is_open: false };
        let mut shopper = Self { shop, dice, cart, token: text(&created["token"]), total: Value::Null, record };
        let mut wanted = BTreeMap::new();
        for _ in 0..=shopper.dice.below(3) {
            wanted.insert(shopper.dice.pick(variants).clone(), 1 + shopper.dice.below(3));
        }
        for (number, (variant, quantity)) in wanted.into_iter().enumerate() {
            let (status, cart) = shopper.send("lines", &format!("line {number}"), &json!({ "variant_id": variant, "quantity": quantity })).await;
            // What is sold out by now stays out of the cart.
            if (status, &*text(&cart["code"])) != (409, "insufficient_stock") {
                assert!(status == 200 || status == 201, "{status} {cart}");
                shopper.total = cart["totals"]["total"].clone();
            }
        }
        shopper
    }

    async fn buy(mut self) -> Record {
        if self.total.is_null() {
            self.record.refused += 1;
            return self.record;
        }
        let card = self.dice.card();
        self.try_to_buy("first", card).await;
        // Refused, one may try again with another card.
        if self.record.placed.is_empty() && !self.record.is_open && self.dice.chance(50) {
            self.try_to_buy("second", Some(APPROVED)).await;
        }
        self.record
    }

    /// Completes the cart in one of the ways people do.
    async fn try_to_buy(&mut self, key: &str, card: Option<&str>) {
        let body = purchase(card, &self.total);
        let answers: Vec<(String, Told)> = match self.dice.below(100) {
            // The button is pressed twice.
            0..15 => {
                let other = self.other_device();
                let both = tokio::join!(self.send("complete", key, &body), other.send_to(1, "complete", key, &body));
                // A refusal before anything is written is not kept: the other one may find stock that was given back meanwhile.
                assert!(essence(&both.0) == essence(&both.1) || is_not_kept(&both.0) || is_not_kept(&both.1), "one key, two answers: {both:?}");
                vec![(key.to_owned(), both.0), (key.to_owned(), both.1)]
            }
            // A phone and a laptop, each with a key of its own, in two processes.
            15..25 => {
                let (other, laptop) = (self.other_device(), format!("{key} laptop"));
                let both = tokio::join!(self.send_to(0, "complete", key, &body), other.send_to(1, "complete", &laptop, &body));
                vec![(key.to_owned(), both.0), (laptop, both.1)]
            }
            // The shopper hangs up, and comes back.
            25..40 => {
                let moment = Duration::from_millis(self.dice.below(120));
                drop(tokio::time::timeout(moment, self.send("complete", key, &body)).await);
                vec![(key.to_owned(), self.send("complete", key, &body).await)]
            }
            _ => vec![(key.to_owned(), self.send("complete", key, &body).await)],
        };
        for (key, told) in answers {
            self.hear(&told).await;
            // A final answer is the same however often one asks.
            if matches!(told.0, 200 | 402) && self.dice.chance(15) {
                let again = self.send("complete", &key, &body).await;
                assert_eq!(essence(&told), essence(&again), "one key, two answers: {told:?}\n{again:?}");
            }
        }
    }

    /// Takes an answer in, and does what it asks for.
    async fn hear(&mut self, told: &Told) {
        let mut told = told.clone();
        for _ in 0..12 {
            let (status, body) = &told;
            match (*status, &*text(&body["code"])) {
                (200, _) => {
                    assert_eq!(body["status"], "placed", "{body}");
                    self.record.placed.insert(text(&body["order"]["id"]).parse().unwrap());
                    return;
                }
                (202, _) if !body["next_action"].is_null() => {
                    if self.dice.chance(20) {
                        break;
                    }
                    self.decide(&text(&body["next_action"]["url"])).await;
                    told = self.resume().await;
                }
                (202, _) => {
                    if self.dice.chance(10) {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    told = self.resume().await;
                }
                (409, "cart_completed") => {
                    self.record.placed.insert(text(&body["context"]["order_id"]).parse().unwrap());
                    return;
                }
                (402, _) | (409, "insufficient_stock") => {
                    self.record.refused += 1;
                    return;
                }
                _ => panic!("{status} {body}"),
            }
        }
        self.record.is_open = true;
    }

    /// Asks how the payment stands, each time anew.
    async fn resume(&mut self) -> Told {
        let key = format!("resume {}", self.dice.below(u64::MAX));
        self.send("resume", &key, &Value::Null).await
    }

    /// Confirms or declines on the bank's page.
    async fn decide(&mut self, url: &str) {
        let path = url.find("/sandbox/").map_or("", |start| &url[start..]).to_owned();
        let decision = if self.dice.chance(70) { "approve" } else { "decline" };
        for _ in 0..100 {
            let page = format!("{}{path}", self.shop.address(usize::from(self.dice.chance(50))));
            if self.shop.client.post(page).form(&[("decision", decision)]).send().await.is_ok_and(|answer| answer.status().as_u16() < 500) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn other_device(&self) -> Device {
        Device { shop: Arc::clone(&self.shop), cart: self.cart.clone(), token: self.token.clone() }
    }

    async fn send(&mut self, action: &str, key: &str, body: &Value) -> Told {
        let which = usize::from(self.dice.chance(50));
        self.send_to(which, action, key, body).await
    }

    async fn send_to(&self, which: usize, action: &str, key: &str, body: &Value) -> Told {
        self.other_device().send_to(which, action, key, body).await
    }
}

/// Something that holds the cart's secret.
struct Device {
    shop: Arc<Shop>,
    cart: String,
    token: String,
}

impl Device {
    /// Asks again with the same key until there is an answer, at one process or, where it is away, at the other.
    async fn send_to(&self, mut which: usize, action: &str, key: &str, body: &Value) -> Told {
        let begun = Instant::now();
        loop {
            match self.try_to_send(which, action, key, body).await {
                Some((503, _)) | None => {}
                Some((409, body)) if body["code"] == "in_progress" => {}
                Some((status, body)) => {
                    assert!(status < 500, "{status} {body}");
                    return (status, body);
                }
            }
            assert!(begun.elapsed() < PATIENCE, "no answer to {action} of {}", self.cart);
            which = 1 - which;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn try_to_send(&self, which: usize, action: &str, key: &str, body: &Value) -> Option<Told> {
        let url = format!("{}/store/v1/carts/{}/{action}", self.shop.address(which), self.cart);
        let request = self.shop.client.post(url).header("x-cart-token", &self.token).header("idempotency-key", key);
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }
}

/// What must be the same in every answer to one key.
fn essence((status, body): &Told) -> (u16, String, String) {
    (*status, text(&body["order"]["id"]), text(&body["code"]))
}

/// Whether it is a refusal that leaves nothing behind, not even its key.
fn is_not_kept((status, body): &Told) -> bool {
    *status == 409 && body["code"] == "insufficient_stock"
}

/// The shoppers' own records against the database. Returns what became of the purchases, in words.
async fn assert_shoppers_were_told_the_truth(books: &mut PgConnection, records: &[Record]) -> String {
    let rows: Vec<(Uuid, Uuid, String, Option<String>)> = sqlx::query_as("select cart_id, id, state, number from orders.order").fetch_all(books).await.unwrap();
    let mut placed: HashMap<Uuid, Vec<OrderId>> = HashMap::new();
    for (cart, order, _, _) in rows.iter().filter(|(_, _, state, _)| state == "placed") {
        placed.entry(*cart).or_default().push(OrderId::from_uuid(*order));
    }
    let sales = placed.values().map(Vec::len).sum::<usize>();
    let numbers: BTreeSet<&String> = rows.iter().filter_map(|(_, _, _, number)| number.as_ref()).collect();
    assert_eq!(numbers.len(), sales, "every sale has a number of its own");
    let (mut told, mut refused, mut open) = (0, 0, 0);
    for record in records {
        let sold = placed.remove(&record.cart.uuid()).unwrap_or_default();
        if !record.placed.is_empty() {
            assert_eq!(record.placed.iter().copied().collect::<Vec<_>>(), sold, "told to be placed: {record:?}");
            told += 1;
        } else if record.is_open {
            assert!(sold.len() <= 1, "{record:?}: {sold:?}");
            open += 1;
        } else {
            assert!(record.refused > 0 && sold.is_empty(), "told to be refused: {record:?}: {sold:?}");
            refused += 1;
        }
    }
    assert!(placed.is_empty(), "sales of nobody: {placed:?}");
    assert!(told > 0 && refused > 0, "{told} {refused}");
    format!("{} shoppers: {told} were told that they bought, {refused} that they did not, {open} did not wait; {sales} sales", records.len())
}

/// No more units in sales than there ever were, counted without the stock's own books.
async fn assert_nothing_is_sold_twice(books: &mut PgConnection) {
    let oversold = "select count(*) from (
        select line.variant_id, sum(line.quantity) as sold from orders.order_line as line join orders.order as sale on sale.id = line.order_id
        where sale.state = 'placed' group by line.variant_id
    ) as sales where sold > (select coalesce(sum(on_hand_delta), 0) from inventory.movement where movement.variant_id = sales.variant_id and kind = 'received')";
    assert_eq!(count(books, oversold).await, 0);
    let sold_out = "select count(*) from inventory.level where on_hand > 0 and on_hand = reserved";
    assert!(count(books, sold_out).await > 0, "nothing was scarce, so nothing was tried");
    assert_eq!(count(books, "select count(*) from inventory.level where reserved > on_hand").await, 0);
}
