//! A shopper who buys one thing at a time.

use serde_json::{Value, json};

use crate::books::{purchase, text};
use crate::process::{Running, http};

/// A shopper with one thing in the cart.
pub(crate) struct Shopper {
    pub(crate) cart: String,
    token: String,
    total: Value,
}

impl Shopper {
    /// Comes in and puts one of the first thing that is in stock into the cart.
    pub(crate) async fn come_in(running: &Running) -> Self {
        let products: Value = running.get("/store/v1/products").await.json().await.unwrap();
        let product = products["items"].as_array().unwrap().iter().find(|product| product["stock"] == "in").unwrap();
        let product: Value = running.get(&format!("/store/v1/products/{}", text(&product["slug"]))).await.json().await.unwrap();
        let variant = product["variants"].as_array().unwrap().iter().find(|variant| variant["stock"] == "in").unwrap();
        Self::come_for(running, &text(&variant["id"])).await
    }

    /// Comes in for a variant.
    pub(crate) async fn come_for(running: &Running, variant: &str) -> Self {
        let created: Value = http().post(format!("{}/store/v1/carts", running.base_url())).send().await.unwrap().json().await.unwrap();
        let shopper = Self { cart: text(&created["cart"]["id"]), token: text(&created["token"]), total: Value::Null };
        let cart = shopper.post(running, "lines", "line", &json!({ "variant_id": variant, "quantity": 1 })).await.unwrap().1;
        Self { total: cart["totals"]["total"].clone(), ..shopper }
    }

    /// Completes the cart by card, or by bank transfer without one; nothing when there is no answer.
    pub(crate) async fn complete(&self, running: &Running, key: &str, card: Option<&str>) -> Option<(u16, Value)> {
        self.post(running, "complete", key, &purchase(card, &self.total)).await
    }

    /// Completes the cart and expects this status; returns the body.
    pub(crate) async fn completes(&self, running: &Running, card: Option<&str>, status: u16) -> Value {
        let (told, body) = self.complete(running, "buy", card).await.unwrap();
        assert_eq!(told, status, "{body}");
        body
    }

    async fn post(&self, running: &Running, action: &str, key: &str, body: &Value) -> Option<(u16, Value)> {
        let url = format!("{}/store/v1/carts/{}/{action}", running.base_url(), self.cart);
        let answer = http().post(url).header("x-cart-token", &self.token).header("idempotency-key", key).json(body).send().await.ok()?;
        let (status, retry) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
        assert!(status != 503 || retry, "503 without Retry-After");
        Some((status, answer.json().await.ok()?))
    }
}
