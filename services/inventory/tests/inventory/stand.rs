//! What the tests stand on: a shop with stock, and its books.

use std::time::Duration;

use catalog_api::{ChannelId, VariantId};
use db::{Actor, Db, DbOptions};
use inventory::{HoldError, HoldLine, HoldUntil, Shortage};
use inventory_api::{HoldId, LevelAnswer, LocationId};
use kernel::{Id, Page, Quantity};
use serde_json::{Value, json};
use testkit::Shop;
use uuid::Uuid;

/// The channel and the location that every shop begins with.
pub(crate) fn channel() -> ChannelId {
    Id::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001))
}

/// The channel for trials; its stock is its own.
pub(crate) fn test_channel() -> ChannelId {
    Id::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002))
}

/// A second live channel.
pub(crate) async fn other_channel(shop: &Shop) -> ChannelId {
    let sql =
        "insert into catalog.channel (id, code, name, kind, currency, locale, countries, delivery_name, delivery_price_minor, order_number_prefix, created_at)
               values ($1, 'other', 'Other', 'live', 'EUR', 'en', '{AT}', 'Standard delivery', 490, 'OT-', now())";
    let id = ChannelId::new(shop.clock().now());
    sqlx::query(sql).bind(id.uuid()).execute(shop.context().db().writer()).await.unwrap();
    id
}

pub(crate) fn main_location() -> LocationId {
    Id::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0011))
}

pub(crate) async fn open() -> Shop {
    Shop::open(|context| vec![catalog::service(context), inventory::service(context)]).await
}

pub(crate) fn variant(shop: &Shop) -> VariantId {
    VariantId::new(shop.clock().now())
}

/// A new variant of which so many lie at the main location.
pub(crate) async fn stocked(shop: &Shop, units: i64) -> VariantId {
    let variant = variant(shop);
    let body = json!({ "location_id": main_location(), "variant_id": variant, "on_hand": units, "reason": "received" });
    assert_eq!(shop.staff("POST", "/admin/v1/stock-levels").json(&body).send().await.expect::<LevelAnswer>(200).on_hand, units);
    variant
}

/// Brings so many more units in, or takes them out.
pub(crate) async fn put(shop: &Shop, location: LocationId, variant: VariantId, delta: i64) -> LevelAnswer {
    let body = json!({ "location_id": location, "variant_id": variant, "delta": delta, "reason": "counted" });
    shop.staff("POST", "/admin/v1/stock-levels").json(&body).send().await.expect(200)
}

/// Makes a location that serves the channels.
pub(crate) async fn location(shop: &Shop, code: &str, channels: &[ChannelId]) -> LocationId {
    let body = json!({ "code": code, "name": code, "channel_ids": channels });
    let reply: Value = shop.staff("POST", "/admin/v1/stock-locations").json(&body).send().await.expect(201);
    reply["id"].as_str().unwrap().parse().unwrap()
}

/// The variant's levels as (on hand, reserved), by location.
pub(crate) async fn levels(shop: &Shop, variant: VariantId) -> Vec<(i64, i64)> {
    let page: Page<LevelAnswer> = shop.staff("GET", &format!("/admin/v1/stock-levels?variant_id={variant}")).send().await.expect(200);
    page.items.iter().map(|level| (level.on_hand, level.reserved)).collect()
}

pub(crate) async fn available(shop: &Shop, channel: ChannelId, variant: VariantId) -> i64 {
    let mut conn = shop.context().db().read().await.unwrap();
    inventory::list_available(&mut conn, channel, &[variant]).await.unwrap()[&variant]
}

pub(crate) fn line(variant_id: VariantId, quantity: i64) -> HoldLine {
    HoldLine { variant_id, quantity: Quantity::new(quantity).unwrap() }
}

/// So many seconds from now.
pub(crate) fn until(shop: &Shop, seconds: i64) -> HoldUntil {
    HoldUntil::Expires(shop.clock().now() + chrono::TimeDelta::seconds(seconds))
}

/// Holds in a transaction of its own.
pub(crate) async fn hold(shop: &Shop, lines: &[HoldLine], until: HoldUntil) -> Result<HoldId, Vec<Shortage>> {
    hold_through(shop.context().db(), lines, until).await
}

pub(crate) async fn hold_through(db: &Db, lines: &[HoldLine], until: HoldUntil) -> Result<HoldId, Vec<Shortage>> {
    let mut tx = db.begin(Actor::guest()).await.unwrap();
    match inventory::hold(&mut tx, channel(), lines, until).await {
        Ok(id) => {
            tx.commit().await.unwrap();
            Ok(id)
        }
        Err(HoldError::Insufficient(shortages)) => {
            // What a refusal leaves behind would be committed here and show in the books.
            tx.commit().await.unwrap();
            Err(shortages)
        }
        Err(error) => panic!("{error:?}"),
    }
}

pub(crate) async fn pin(db: &Db, id: HoldId) -> bool {
    let mut tx = db.begin(Actor::guest()).await.unwrap();
    let pinned = inventory::pin_hold(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    pinned
}

pub(crate) async fn commit(db: &Db, id: HoldId) -> bool {
    let mut tx = db.begin(Actor::guest()).await.unwrap();
    let committed = inventory::commit_hold(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    committed
}

pub(crate) async fn release(db: &Db, id: HoldId) -> bool {
    let mut tx = db.begin(Actor::guest()).await.unwrap();
    let released = inventory::release_hold(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    released
}

/// Lets a schedule run once.
pub(crate) async fn run(shop: &Shop, kind: &str) {
    let mut tx = shop.begin().await;
    tx.enqueue(kind, &Value::Null, None, None).await.unwrap();
    tx.commit().await.unwrap();
    assert!(shop.work_off().await >= 1);
    let failed: i64 = number(shop, "select count(*) from ops.job where state <> 'done'").await;
    assert_eq!(failed, 0, "{kind} failed");
}

/// Runs the expiry.
pub(crate) async fn expire(shop: &Shop) {
    run(shop, "inventory.expire_holds").await;
}

/// Panics with every invariant that does not hold.
pub(crate) async fn books_balance(shop: &Shop) {
    let mut conn = shop.context().db().read_latest().await.unwrap();
    assert_eq!(db::check::list_findings(&mut conn, &inventory::checks(), shop.context().now()).await.unwrap(), Vec::<String>::new());
}

/// The one number a statement answers.
pub(crate) async fn number(shop: &Shop, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(shop.context().db().writer()).await.unwrap()
}

/// Runs a statement behind the service's back.
pub(crate) async fn execute(shop: &Shop, statement: &'static str) -> Result<u64, sqlx::Error> {
    sqlx::query(statement).execute(shop.context().db().writer()).await.map(|done| done.rows_affected())
}

/// Pools wide enough for everybody to be inside a transaction at once.
pub(crate) fn crowd(shop: &Shop, most: u32) -> Db {
    let options = DbOptions {
        max_connections: most,
        acquire_timeout: Duration::from_secs(120),
        lock_timeout: Duration::from_secs(120),
        statement_timeout: Duration::from_secs(120),
        ..DbOptions::new(shop.database().options())
    };
    Db::new(&options, shop.clock().clone())
}
