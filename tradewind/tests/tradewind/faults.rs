//! Killed at every fault point of a checkout: after the restart nothing is open, nothing is lost, nothing is doubled, and the shopper who
//! sends the same request again gets one sale.

use std::path::Path;

use checkout::faults::{FaultPoint, VARIABLE};
use db::local::LocalPostgres;
use kernel::Clock;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, PgConnection};
use tokio::task::JoinSet;

use crate::books::{count, purchase, text, wait_until_all_is_settled};
use crate::process::{Folder, Running, http};

const APPROVED: &str = "0000000000001000";
const SECOND_STEP: &str = "0000000000003000";
const ANSWERS_LATE: &str = "0000000000005000";

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_fault_point_a_checkout_ends_as_one_sale() {
    let mut shops = JoinSet::new();
    for point in FaultPoint::ALL {
        shops.spawn(kill_at(point));
    }
    assert_eq!(shops.join_all().await.len(), FaultPoint::ALL.len());
}

async fn kill_at(point: FaultPoint) {
    let name = point.as_str();
    let folder = Folder::new()
        .env("TRADEWIND__DEMO", "true")
        .env("TRADEWIND__PAYMENTS__PROVIDER_TIMEOUT_MS", "1000")
        .env("TRADEWIND__PAYMENTS__RECONCILE_EVERY_MS", "1000");
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
    folder.run(&["seed", "--from", demo.to_str().unwrap()]).await.succeeded();

    let running = folder.serve_with(&[], &[(VARIABLE, name)]).await;
    let shopper = Shopper::with_a_full_cart(&running).await;
    shopper.buy_until_the_power_goes(point, &running).await;
    assert_eq!(running.ended().await.signal(), Some(9), "{name} was not reached");

    let running = folder.serve(&[]).await;
    let mut database = database_of(&folder).await;
    wait_until_all_is_settled(&mut database, name).await;
    assert_books_balance(&mut database, name).await;
    let sold = count(&mut database, "select count(*) from orders.order where state = 'placed'").await;
    assert!(sold <= 1, "{name}: {sold} orders");

    // Back with the same key: the answer is a sale, or the refusal that was kept; then a new key buys what is still in the cart.
    let again = shopper.complete(&running, "first", shopper.card(point)).await;
    let again = if again.0 == 202 { shopper.resume(&running).await } else { again };
    match again.0 {
        200 => assert_eq!(again.1["status"], "placed", "{name}"),
        402 => {
            assert_eq!((sold, &again.1["code"]), (0, &json!("payment_canceled")), "{name}: {again:?}");
            let anew = shopper.complete(&running, "second", Some(APPROVED)).await;
            assert_eq!((anew.0, &anew.1["status"]), (200, &json!("placed")), "{name}: {anew:?}");
        }
        _ => panic!("{name}: {again:?}"),
    }
    assert_eq!(count(&mut database, "select count(*) from orders.order where state = 'placed'").await, 1, "{name}");
    assert_eq!(count(&mut database, "select count(*) from payments.attempt where state = 'authorized'").await, 1, "{name}");
    assert_eq!(count(&mut database, "select count(*) from inventory.hold where state = 'committed'").await, 1, "{name}");
    assert_books_balance(&mut database, name).await;
    running.terminate().await.succeeded();
}

/// A shopper with one thing in the cart.
struct Shopper {
    cart: String,
    token: String,
    total: Value,
}

impl Shopper {
    async fn with_a_full_cart(running: &Running) -> Self {
        let products: Value = running.get("/store/v1/products").await.json().await.unwrap();
        let product = products["items"].as_array().unwrap().iter().find(|product| product["stock"] == "in").unwrap();
        let product: Value = running.get(&format!("/store/v1/products/{}", product["slug"].as_str().unwrap())).await.json().await.unwrap();
        let variant = product["variants"].as_array().unwrap().iter().find(|variant| variant["stock"] == "in").unwrap();
        let created: Value = http().post(format!("{}/store/v1/carts", running.base_url())).send().await.unwrap().json().await.unwrap();
        let shopper = Self { cart: text(&created["cart"]["id"]), token: text(&created["token"]), total: Value::Null };
        let cart = shopper.post(running, "lines", "line", &json!({ "variant_id": variant["id"], "quantity": 1 })).await.unwrap().1;
        Self { total: cart["totals"]["total"].clone(), ..shopper }
    }

    /// Does what makes the process come by the fault point.
    async fn buy_until_the_power_goes(&self, point: FaultPoint, running: &Running) {
        let first = self.post(running, "complete", "first", &self.purchase(self.card(point))).await;
        match point {
            FaultPoint::ResumeAnswered => {
                let page = text(&first.unwrap().1["next_action"]["url"]);
                let page = format!("{}{}", running.base_url(), page.find("/sandbox/").map_or("", |start| &page[start..]));
                let approved = http().post(page).form(&[("decision", "approve")]).send().await.unwrap();
                assert_eq!(approved.status(), 303);
                assert!(self.post(running, "resume", "resume", &Value::Null).await.is_none(), "the process lived on");
            }
            // The news comes by itself a little later.
            FaultPoint::NewsWritten => assert_eq!(first.unwrap().0, 202),
            _ => assert!(first.is_none(), "{}: the process lived on", point.as_str()),
        }
    }

    /// The card that leads to the fault point; none for a bank transfer.
    const fn card(&self, point: FaultPoint) -> Option<&'static str> {
        match point {
            FaultPoint::ImmediateWritten | FaultPoint::ImmediateCommitted => None,
            FaultPoint::ResumeAnswered => Some(SECOND_STEP),
            FaultPoint::NewsWritten => Some(ANSWERS_LATE),
            _ => Some(APPROVED),
        }
    }

    async fn complete(&self, running: &Running, key: &str, card: Option<&str>) -> (u16, Value) {
        self.post(running, "complete", key, &self.purchase(card)).await.unwrap()
    }

    async fn resume(&self, running: &Running) -> (u16, Value) {
        self.post(running, "resume", "again", &Value::Null).await.unwrap()
    }

    fn purchase(&self, card: Option<&str>) -> Value {
        purchase(card, &self.total)
    }

    /// Nothing when the process went away without an answer.
    async fn post(&self, running: &Running, action: &str, key: &str, body: &Value) -> Option<(u16, Value)> {
        let url = format!("{}/store/v1/carts/{}/{action}", running.base_url(), self.cart);
        let request = http().post(url).header("x-cart-token", &self.token).header("idempotency-key", key);
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }
}

async fn database_of(folder: &Folder) -> PgConnection {
    LocalPostgres::attach(&folder.data()).unwrap().unwrap().options("tradewind").connect().await.unwrap()
}

async fn assert_books_balance(database: &mut PgConnection, name: &str) {
    let checks = [inventory::checks(), payments::checks(), orders::checks(), checkout::checks()].concat();
    let wrong = db::check::list_findings(database, &checks, Clock::system().now()).await.unwrap();
    assert!(wrong.is_empty(), "{name}: {}", wrong.join("\n"));
}
