//! What the tests stand on: a shop with stock, orders at every stage, and staff.

use std::collections::BTreeMap;
use std::time::Duration;

use catalog::Channel;
use catalog_api::{ChannelId, MediaReference, ProductId, VariantId};
use db::Tx;
use inventory::{HoldLine, HoldUntil};
use inventory_api::{HoldId, LocationId};
use kernel::{Currency, Id, Money, Quantity, Token};
use orders::{NewOrder, NewOrderLine};
use orders_api::{Address, AdminOrder, OrderId, OrderTotals};
use payments::{NewAttempt, Payments, Settings};
use payments_api::{AttemptState, PaymentChoice};
use serde_json::{Value, json};
use testkit::{Reply, Shop, TestRequest};
use uuid::Uuid;

/// Approved at once.
pub(crate) const APPROVED: &str = "0000000000001000";
/// Approved at once; captures are done, but not answered in time.
pub(crate) const CAPTURE_TIMES_OUT: &str = "0000000000007000";
/// Approved at once; captures are refused.
pub(crate) const CAPTURE_REFUSED: &str = "0000000000008000";

/// A channel of every shop: 1 is live, 2 is for trials.
pub(crate) fn channel(number: u128) -> ChannelId {
    Id::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number))
}

fn location(channel: u128) -> LocationId {
    Id::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0010 + channel))
}

pub(crate) fn euros(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn settings() -> Settings {
    Settings { provider_timeout: Duration::from_millis(300), ..Settings::default() }
}

pub(crate) async fn open() -> Shop {
    Shop::open(|context| {
        let payments = Payments::new(context, settings());
        vec![catalog::service(context), inventory::service(context), payments::service(&payments), orders::service(context, payments)]
    })
    .await
}

pub(crate) fn address(name: &str) -> Address {
    serde_json::from_value(json!({ "name": name, "street": "Quay 1", "postcode": "1010", "city": "Wien", "country": "AT" })).unwrap()
}

/// An order to be made: two units at 1,000 and one at 500, delivery 490.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) channel: u128,
    pub(crate) email: &'static str,
    pub(crate) name: &'static str,
    /// A sandbox card, or nothing for a bank transfer.
    pub(crate) card: Option<&'static str>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { channel: 1, email: "ada@example.com", name: "Ada Lovelace", card: Some(APPROVED) }
    }
}

/// An order, and the secret that opens it.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) shop: Shop,
    pub(crate) id: OrderId,
    pub(crate) token: Token,
    pub(crate) hold: HoldId,
    pub(crate) variant: VariantId,
    pub(crate) cart: Uuid,
}

impl Plan {
    /// The order, pending, with its stock held and its attempt written.
    pub(crate) async fn pending(&self, shop: &Shop) -> Order {
        let now = shop.clock().now();
        let (first, second) = (VariantId::new(now), VariantId::new(now));
        for variant in [first, second] {
            let body = json!({ "location_id": location(self.channel), "variant_id": variant, "delta": 10, "reason": "received" });
            let reply = shop.staff("POST", "/admin/v1/stock-levels").json(&body).send().await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        let mut tx = shop.begin().await;
        let lines = [HoldLine { variant_id: first, quantity: quantity(2) }, HoldLine { variant_id: second, quantity: quantity(1) }];
        let hold = inventory::hold(&mut tx, channel(self.channel), &lines, HoldUntil::Committed).await.unwrap();
        let channel = catalog::find_channel(tx.conn(), channel(self.channel)).await.unwrap().unwrap();
        let token = Token::generate();
        let order = self.new_order(OrderId::new(now), channel, &token, hold, [first, second]);
        let (id, cart) = (order.id, order.cart_id);
        self.write(&mut tx, order).await;
        tx.commit().await.unwrap();
        Order { shop: shop.clone(), id, token, hold, variant: first, cart }
    }

    async fn write(&self, tx: &mut Tx, order: NewOrder) {
        let attempt = NewAttempt {
            order_id: order.id.uuid(),
            channel_kind: order.channel.kind,
            amount: order.totals.total,
            choice: PaymentChoice { provider: order.payment_provider.clone(), test_card: self.card.map(ToOwned::to_owned) },
            return_url: None,
        };
        orders::insert_pending(tx, order).await.unwrap();
        payments::insert_attempt(tx, attempt).await.unwrap();
    }

    pub(crate) fn new_order(&self, id: OrderId, channel: Channel, token: &Token, hold_id: HoldId, [first, second]: [VariantId; 2]) -> NewOrder {
        NewOrder {
            id,
            channel,
            cart_id: id.uuid(),
            token_hash: token.hash(),
            email: self.email.to_owned(),
            shipping_address: address(self.name),
            billing_address: address("Charles Babbage"),
            lines: vec![line(first, "PITCHER", 2, 1_000), line(second, "BOWL", 1, 500)],
            delivery_name: "Standard delivery".to_owned(),
            totals: OrderTotals { item_count: 3, subtotal: euros(2_500), delivery: euros(490), total: euros(2_990) },
            payment_provider: if self.card.is_some() { "sandbox" } else { "manual" }.to_owned(),
            hold_id,
        }
    }

    /// The order, placed, with its money held.
    pub(crate) async fn placed(&self, shop: &Shop) -> Order {
        let order = self.pending(shop).await;
        order.authorize().await;
        assert!(order.place().await);
        order
    }
}

pub(crate) async fn placed(shop: &Shop) -> Order {
    Plan::default().placed(shop).await
}

fn quantity(number: i64) -> Quantity {
    Quantity::new(number).unwrap()
}

pub(crate) fn line(variant_id: VariantId, sku: &str, units: i64, price: i64) -> NewOrderLine {
    NewOrderLine {
        product_id: ProductId::from_uuid(variant_id.uuid()),
        variant_id,
        product_slug: sku.to_lowercase(),
        sku: sku.to_owned(),
        title: format!("The {}", sku.to_lowercase()),
        options: BTreeMap::from([("Colour".to_owned(), "Blue".to_owned())]),
        image: (units > 1).then(|| MediaReference {
            url: "/media/pitcher.svg".to_owned(),
            alt: "A pitcher".to_owned(),
            width: 10,
            height: 10,
            option_value: None,
            sources: Vec::new(),
        }),
        quantity: quantity(units),
        unit_price: euros(price),
        total: euros(price * units),
    }
}

impl Order {
    async fn authorize(&self) {
        let payments = Payments::new(self.shop.context(), settings());
        let mut conn = self.shop.context().db().read_latest().await.unwrap();
        let id = payments::find_payment_summary(&mut conn, self.id.uuid()).await.unwrap().attempts[0].id;
        let attempt = payments::find_attempt(&mut conn, id).await.unwrap().unwrap();
        let outcome = payments.authorize(&attempt).await;
        let mut tx = self.shop.begin().await;
        let recorded = payments::record(&mut tx, id, &outcome).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(recorded.attempt.state, AttemptState::Authorized);
    }

    pub(crate) async fn place(&self) -> bool {
        let mut tx = self.shop.begin().await;
        let placed = orders::place(&mut tx, self.id, self.hold).await.unwrap();
        tx.commit().await.unwrap();
        placed
    }

    pub(crate) async fn cancel_pending(&self, reason: &str) -> bool {
        let mut tx = self.shop.begin().await;
        let canceled = orders::cancel_pending(&mut tx, self.id, reason).await.unwrap();
        tx.commit().await.unwrap();
        canceled
    }

    pub(crate) fn path(&self) -> String {
        format!("/admin/v1/orders/{}", self.id)
    }

    /// The order as staff see it.
    pub(crate) async fn read(&self) -> AdminOrder {
        self.shop.staff("GET", &self.path()).send().await.expect(200)
    }

    /// Begins a change by staff, made on a version.
    pub(crate) fn change(&self, what: &str, version: i64) -> TestRequest {
        self.shop.staff("POST", &format!("{}/{what}", self.path())).header("if-match", &format!("\"{version}\""))
    }

    pub(crate) async fn capture(&self, version: i64, amount: Option<i64>) -> Reply {
        let body = amount.map_or(json!({}), |amount| json!({ "amount": euros(amount) }));
        self.change("capture", version).json(&body).send().await
    }

    pub(crate) async fn cancel(&self, version: i64) -> Reply {
        self.change("cancel", version).json(&json!({})).send().await
    }

    /// What happened to it, by name.
    pub(crate) async fn story(&self) -> Vec<String> {
        self.read().await.timeline.into_iter().map(|entry| entry.kind).collect()
    }

    /// Units of the first variant that are reserved.
    pub(crate) async fn reserved(&self) -> i64 {
        let path = format!("/admin/v1/stock-levels?variant_id={}", self.variant);
        let levels: Value = self.shop.staff("GET", &path).send().await.expect(200);
        levels["items"][0]["reserved"].as_i64().unwrap()
    }
}

/// Panics with everything that does not hold.
pub(crate) async fn books_balance(shop: &Shop) {
    let mut conn = shop.context().db().read_latest().await.unwrap();
    let checks = [orders::checks(), payments::checks(), inventory::checks()].concat();
    assert_eq!(db::check::list_findings(&mut conn, &checks, shop.context().now()).await.unwrap(), Vec::<String>::new());
}

/// The one number a statement answers.
pub(crate) async fn number(shop: &Shop, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(shop.context().db().writer()).await.unwrap()
}
