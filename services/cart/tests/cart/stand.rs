//! What the tests stand on: a shop with products, stock and a cart.

use cart_api::{CartAnswer, CartCreated, CartId};
use catalog_api::{AdminProduct, ChannelId, VariantId};
use inventory_api::LocationId;
use kernel::{Id, Token};
use serde_json::json;
use testkit::{Reply, Shop, TestRequest};
use uuid::Uuid;

/// The channel every shop begins with; its delivery costs 490.
pub(crate) fn channel() -> ChannelId {
    Id::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001))
}

fn main_location() -> LocationId {
    Id::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0011))
}

pub(crate) async fn open() -> Shop {
    Shop::open(|context| vec![catalog::service(context), inventory::service(context), cart::service(context)]).await
}

/// A published product of one variant, at a price, with so many units.
pub(crate) async fn product(shop: &Shop, slug: &str, price: i64, units: i64) -> AdminProduct {
    let body = json!({
        "slug": slug, "title": format!("The {slug}"), "published": true,
        "variants": [{ "sku": slug.to_uppercase(), "prices": [{ "price": { "amount": price, "currency": "EUR" } }] }],
        "media": [{ "url": format!("/media/{slug}.svg"), "alt": slug, "width": 10, "height": 10 }]
    });
    let product: AdminProduct = shop.staff("POST", "/admin/v1/products").json(&body).send().await.expect(201);
    if units > 0 {
        stock(shop, product.variants[0].id, units).await;
    }
    product
}

/// The one variant of a new product.
pub(crate) async fn variant(shop: &Shop, slug: &str, price: i64, units: i64) -> VariantId {
    product(shop, slug, price, units).await.variants[0].id
}

/// Brings so many more units in, or takes them out.
pub(crate) async fn stock(shop: &Shop, variant: VariantId, delta: i64) {
    let body = json!({ "location_id": main_location(), "variant_id": variant, "delta": delta, "reason": "counted" });
    accepted(&shop.staff("POST", "/admin/v1/stock-levels").json(&body).send().await);
}

/// Changes the product's price.
pub(crate) async fn reprice(shop: &Shop, product: &AdminProduct, price: i64) {
    let path = format!("/admin/v1/products/{}/variants/{}", product.id, product.variants[0].id);
    let body = json!({ "prices": [{ "price": { "amount": price, "currency": "EUR" } }] });
    let current: AdminProduct = shop.staff("GET", &format!("/admin/v1/products/{}", product.id)).send().await.expect(200);
    accepted(&shop.staff("PATCH", &path).header("if-match", &format!("\"{}\"", current.version)).json(&body).send().await);
}

/// Takes the product from the shelves, or puts it back.
pub(crate) async fn publish(shop: &Shop, product: &AdminProduct, published: bool) {
    let path = format!("/admin/v1/products/{}", product.id);
    let current: AdminProduct = shop.staff("GET", &path).send().await.expect(200);
    let patch = shop.staff("PATCH", &path).header("if-match", &format!("\"{}\"", current.version));
    accepted(&patch.json(&json!({ "published": published })).send().await);
}

fn accepted(reply: &Reply) {
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// A cart and its secret.
#[derive(Clone)]
pub(crate) struct Basket {
    pub(crate) shop: Shop,
    pub(crate) id: CartId,
    pub(crate) token: Token,
}

impl Basket {
    pub(crate) async fn make(shop: &Shop) -> Self {
        let created: CartCreated = shop.post("/store/v1/carts").send().await.expect(201);
        Self { shop: shop.clone(), id: created.cart.id, token: created.token }
    }

    pub(crate) fn path(&self) -> String {
        format!("/store/v1/carts/{}", self.id)
    }

    /// Begins a request with the cart's secret, below its path.
    pub(crate) fn request(&self, method: &str, below: &str) -> TestRequest {
        self.shop.request(method, &format!("{}{below}", self.path())).header("x-cart-token", &self.token)
    }

    pub(crate) async fn read(&self) -> CartAnswer {
        self.request("GET", "").send().await.expect(200)
    }

    pub(crate) async fn add(&self, variant: VariantId, quantity: i64) -> Reply {
        self.request("POST", "/lines").json(&json!({ "variant_id": variant, "quantity": quantity })).send().await
    }

    /// Puts units in and expects that it works.
    pub(crate) async fn put(&self, variant: VariantId, quantity: i64) -> CartAnswer {
        self.add(variant, quantity).await.expect(200)
    }

    /// Sets the quantity of the line at a place.
    pub(crate) async fn set(&self, place: usize, quantity: i64) -> Reply {
        let line = self.read().await.lines[place].id;
        self.request("PATCH", &format!("/lines/{line}")).json(&json!({ "quantity": quantity })).send().await
    }

    /// Takes the line at a place out.
    pub(crate) async fn take_out(&self, place: usize) -> Reply {
        let line = self.read().await.lines[place].id;
        self.request("DELETE", &format!("/lines/{line}")).send().await
    }
}

/// The one number a statement answers.
pub(crate) async fn number(shop: &Shop, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(shop.context().db().writer()).await.unwrap()
}

/// Does the work of a transaction and commits it.
pub(crate) async fn claim(basket: &Basket) -> bool {
    let mut tx = basket.shop.begin().await;
    let until = tx.now() + chrono::TimeDelta::minutes(15);
    let claimed = cart::begin_completion(&mut tx, basket.id, until).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

pub(crate) async fn finish(basket: &Basket) -> bool {
    let mut tx = basket.shop.begin().await;
    let finished = cart::finish_completion(&mut tx, basket.id).await.unwrap();
    tx.commit().await.unwrap();
    finished
}

pub(crate) async fn reopen(basket: &Basket) -> bool {
    let mut tx = basket.shop.begin().await;
    let reopened = cart::reopen(&mut tx, basket.id).await.unwrap();
    tx.commit().await.unwrap();
    reopened
}
