//! A shop with one product, and buyers.

use std::time::Duration;

use payments::{Payments, Settings};
use serde_json::{Value, json};
use testkit::{Reply, Shop};

/// A shop that sells one variant, of which so many are there.
pub(crate) struct Fixture {
    pub(crate) shop: Shop,
    pub(crate) product_id: String,
    pub(crate) variant_id: String,
}

/// A cart and its secret.
#[derive(Clone)]
pub(crate) struct Basket {
    pub(crate) id: String,
    pub(crate) token: String,
}

impl Fixture {
    /// Opens the shop with `units` of the variant at 10.00 EUR; delivery is 4.90 EUR.
    pub(crate) async fn open(units: i64) -> Self {
        let settings = Settings { provider_timeout: Duration::from_millis(300), ..Settings::default() };
        let shop = Shop::open(move |context| {
            let payments = Payments::new(context, settings);
            vec![
                catalog::service(context),
                inventory::service(context),
                cart::service(context),
                payments::service(&payments),
                orders::service(context, payments.clone()),
                checkout::service(context, payments),
            ]
        })
        .await;
        let product = json!({
            "slug": "harbour-pitcher", "title": "Harbour Pitcher", "published": true,
            "variants": [{ "sku": "PIT-1", "prices": [{ "price": { "amount": 1000, "currency": "EUR" } }] }],
        });
        let product: Value = shop.staff("POST", "/admin/v1/products").json(&product).send().await.expect(201);
        let fixture = Self { shop, product_id: text(&product["id"]), variant_id: text(&product["variants"][0]["id"]) };
        fixture.stock("main", units).await;
        fixture
    }

    /// Puts `units` more of the variant at the location.
    pub(crate) async fn stock(&self, location: &str, units: i64) {
        let locations: Value = self.shop.staff("GET", "/admin/v1/stock-locations").send().await.expect(200);
        let found = locations["items"].as_array().unwrap().iter().find(|item| item["code"] == location).unwrap();
        let change = json!({ "location_id": found["id"], "variant_id": self.variant_id, "delta": units, "reason": "received" });
        let reply = self.shop.staff("POST", "/admin/v1/stock-levels").json(&change).send().await;
        assert!(reply.status < 300, "{}", reply.text);
        self.shop.work_off().await;
    }

    /// A new cart with so many units.
    pub(crate) async fn basket(&self, quantity: i64) -> Basket {
        let created: Value = self.shop.post("/store/v1/carts").send().await.expect(201);
        let basket = Basket { id: text(&created["cart"]["id"]), token: text(&created["token"]) };
        let line = json!({ "variant_id": self.variant_id, "quantity": quantity });
        let reply = self.shop.post(&format!("/store/v1/carts/{}/lines", basket.id)).header("x-cart-token", &basket.token).json(&line).send().await;
        assert!(reply.status < 300, "{}", reply.text);
        basket
    }

    /// Completes a cart.
    pub(crate) async fn complete(&self, basket: &Basket, key: &str, body: &Value) -> Reply {
        let request = self.shop.post(&format!("/store/v1/carts/{}/complete", basket.id)).header("x-cart-token", &basket.token);
        request.header("idempotency-key", key).json(body).send().await
    }

    /// Completes a cart as a client does that comes again with the same key when it is told to (503, or 409 `in_progress`, with `Retry-After`):
    /// on a busy machine the shop may be full for a moment.
    pub(crate) async fn complete_patiently(&self, basket: &Basket, key: &str, body: &Value) -> Reply {
        for _ in 0..30 {
            let reply = self.complete(basket, key, body).await;
            if reply.header("retry-after").is_empty() {
                return reply;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("the shop was full for half a minute");
    }

    /// Comes back from the provider.
    pub(crate) async fn resume(&self, basket: &Basket) -> Reply {
        self.shop.post(&format!("/store/v1/carts/{}/resume", basket.id)).header("x-cart-token", &basket.token).send().await
    }

    /// The cart.
    pub(crate) async fn cart(&self, basket: &Basket) -> Value {
        self.shop.get(&format!("/store/v1/carts/{}", basket.id)).header("x-cart-token", &basket.token).send().await.expect(200)
    }

    /// The level of the variant at the location of the live channel.
    pub(crate) async fn level(&self) -> (i64, i64) {
        let levels: Value = self.shop.staff("GET", &format!("/admin/v1/stock-levels?variant_id={}", self.variant_id)).send().await.expect(200);
        let level = &levels["items"][0];
        (level["on_hand"].as_i64().unwrap(), level["reserved"].as_i64().unwrap())
    }

    /// How many orders stand there, over both kinds of channels.
    pub(crate) async fn orders(&self, state: &str) -> usize {
        let mut after = String::new();
        let mut count = 0;
        loop {
            let page: Value = self.shop.staff("GET", &format!("/admin/v1/orders?state={state}&limit=100{after}")).send().await.expect(200);
            count += page["items"].as_array().unwrap().len();
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return count,
            }
        }
    }

    /// Every invariant of every service, re-summed; panics with what does not add up.
    pub(crate) async fn assert_books_balance(&self) {
        let mut conn = self.shop.context().db().read_latest().await.unwrap();
        let now = self.shop.context().now();
        let checks = [inventory::checks(), payments::checks(), orders::checks(), checkout::checks()].concat();
        let wrong = db::check::list_findings(&mut conn, &checks, now).await.unwrap();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// What a guest sends to buy `quantity` units with the provider, and a test card of the sandbox.
pub(crate) fn purchase(quantity: i64, provider: &str, card: Option<&str>) -> Value {
    let mut body = json!({
        "email": "ines@example.com",
        "shipping_address": { "name": "Ines Gruber", "street": "Hafengasse 3", "postcode": "1030", "city": "Wien", "country": "AT" },
        "payment": { "provider": provider },
        "expected_total": { "amount": 1000 * quantity + 490, "currency": "EUR" },
        "return_url": "/checkout/return",
    });
    if let Some(card) = card {
        body["payment"]["test_card"] = json!(card);
    }
    body
}

/// A body without the id of the request that was answered.
pub(crate) fn without_instance(reply: &Reply) -> (u16, Value) {
    let mut body = reply.json.clone();
    if let Some(object) = body.as_object_mut() {
        object.remove("instance");
    }
    (reply.status, body)
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
