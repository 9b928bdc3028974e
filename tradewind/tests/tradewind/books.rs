//! What the tests of whole purchases share: a small shop, and a look into its books from outside.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::process::{Ended, Folder};

/// The reconciler waits before it gives up on a payment the provider never heard of, and leases of killed workers run out.
const PATIENCE: Duration = Duration::from_secs(120);

/// Writes the data of a small shop into the folder: the first products of the demo shop, with so many units of each of their variants.
/// Returns where.
pub(crate) fn small_shop(folder: &Folder, stock: &[i64]) -> PathBuf {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
    let mut catalogue: Value = serde_json::from_slice(&std::fs::read(demo.join("catalogue.json")).unwrap()).unwrap();
    let mut stock = stock.iter().copied();
    let mut products = Vec::new();
    for mut product in catalogue["products"].as_array().unwrap().clone() {
        let few: Vec<Value> =
            product["variants"].as_array().unwrap().iter().zip(stock.by_ref().take(4)).map(|(variant, units)| with_stock(variant, units)).collect();
        if few.is_empty() {
            break;
        }
        product["variants"] = Value::Array(few);
        products.push(product);
    }
    catalogue["products"] = Value::Array(products);
    catalogue["channel"]["features"] = json!([]);
    let shop = folder.path().join("shop");
    std::fs::create_dir_all(&shop).unwrap();
    std::fs::write(shop.join("catalogue.json"), catalogue.to_string()).unwrap();
    std::os::unix::fs::symlink(demo.join("media").canonicalize().unwrap(), shop.join("media")).unwrap();
    shop
}

fn with_stock(variant: &Value, units: i64) -> Value {
    let mut variant = variant.clone();
    variant["stock"] = json!(units);
    variant
}

/// Waits until no attempt, hold, order, cart, capture or piece of news is left between two states.
pub(crate) async fn wait_until_all_is_settled(database: &mut PgConnection, name: &str) {
    let begun = Instant::now();
    loop {
        let open = [
            ("attempts", "select count(*) from payments.attempt where state in ('created', 'requires_action', 'processing')"),
            ("voids", "select count(*) from payments.void where state in ('requested', 'unknown')"),
            ("holds", "select count(*) from inventory.hold where state = 'held'"),
            ("orders", "select count(*) from orders.order where state = 'pending'"),
            ("carts", "select count(*) from cart.cart where state = 'completing'"),
            ("completions", "select count(*) from checkout.completion where state in ('started', 'waiting')"),
            ("news", "select count(*) from ops.job where event_id is not null and state in ('ready', 'running')"),
            ("dead jobs", "select count(*) from ops.job where state = 'dead'"),
        ];
        let mut left = Vec::new();
        for (what, query) in open {
            let number = count(database, query).await;
            if number > 0 {
                left.push(format!("{number} {what}"));
            }
        }
        if left.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{name}: still open: {}", left.join(", "));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Lets `tradewind check` look, and panics with everything that it finds.
pub(crate) async fn assert_everything_holds(folder: &Folder) {
    let ended = folder.run(&["check", "--json"]).await;
    let found = findings(&ended);
    assert!(found.is_empty() && ended.status.success(), "{found:#?}\n{}", ended.stderr);
}

/// What `tradewind check --json` has found: the check, and what it says in words.
pub(crate) fn findings(ended: &Ended) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    let checks = report["checks"].as_array().unwrap();
    let words = |check: &Value| check["first"].as_array().unwrap().iter().map(|words| (text(&check["check"]), text(words))).collect::<Vec<_>>();
    checks.iter().flat_map(words).collect()
}

/// The one number a statement answers.
pub(crate) async fn count(database: &mut PgConnection, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(database).await.unwrap()
}

/// A text in JSON; empty if it is none.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What a guest sends to buy a cart of this total: by card, or without one by bank transfer.
pub(crate) fn purchase(card: Option<&str>, total: &Value) -> Value {
    let payment = card.map_or(json!({ "provider": "manual" }), |card| json!({ "provider": "sandbox", "test_card": card }));
    let address = json!({ "name": "Ines Gruber", "street": "Hafengasse 3", "postcode": "1030", "city": "Wien", "country": "AT" });
    json!({ "email": "ines@example.com", "shipping_address": address, "payment": payment, "expected_total": total, "return_url": "/checkout/return" })
}
