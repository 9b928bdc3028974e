//! What is kept in memory: served without the database, and never beyond a change.

use std::sync::Arc;
use std::time::{Duration, Instant};

use catalog_api::{AdminProduct, ChannelAnswer, ProductAnswer, ProductSummary, StockBand};
use db::{Db, DbOptions};
use inventory_api::StockBandChanged;
use kernel::Page;
use platform::lifecycle::Tasks;
use serde_json::json;
use service::{Context, Surfaces, worker};
use testkit::{Shop, StaffPass, TestRequest};
use tokio_util::sync::CancellationToken;

use crate::{create, create_category, matrix, open, patch, single};

const PATHS: [&str; 5] =
    ["/store/v1/channel", "/store/v1/categories", "/store/v1/products", "/store/v1/products?category=cups&sort=title", "/store/v1/products/cup"];

async fn shop_with_a_cup() -> (Shop, AdminProduct) {
    let shop = open().await;
    create_category(&shop, "cups", None).await;
    let mut draft = single("cup", 900);
    draft["category"] = json!("cups");
    let cup = create(&shop, &draft).await;
    (shop, cup)
}

async fn set_price(shop: &Shop, product: &AdminProduct, version: i64, amount: i64) {
    let path = format!("/admin/v1/products/{}/variants/{}", product.id, product.variants[0].id);
    let body = json!({ "prices": [{ "price": { "amount": amount, "currency": "EUR" } }] });
    shop.staff("PATCH", &path).header("if-match", &format!("\"{version}\"")).json(&body).send().await.expect_status(200);
}

fn price(product: &ProductAnswer) -> i64 {
    product.variants[0].price.amount_minor()
}

async fn kept(shop: &Shop) -> u64 {
    shop.context().stores().renders().size().await.0
}

#[tokio::test]
async fn what_was_read_once_needs_no_database() {
    let (shop, _) = shop_with_a_cup().await;
    let mut warm = Vec::new();
    for path in PATHS {
        warm.push(shop.read(path).await);
    }
    shop.context().db().close().await;
    for (path, warm) in PATHS.iter().zip(&warm) {
        let again = shop.read(path).await;
        assert_eq!((&again.json, again.header("etag")), (&warm.json, warm.header("etag")), "{path}");
        let known = shop.get(path).header("if-none-match", warm.header("etag")).send().await;
        assert_eq!((known.status, known.text.as_str()), (304, ""), "{path}");
        let head = shop.request("HEAD", path).send().await;
        assert_eq!((head.status, head.text.as_str(), head.header("etag")), (200, "", warm.header("etag")), "{path}");
    }
    // Beyond its time to live it is served as long as the database is away.
    shop.wait(60);
    shop.read("/store/v1/products/cup").await;
    let cold = shop.get("/store/v1/products?sort=newest").send().await;
    assert_eq!((cold.status, cold.header("retry-after")), (503, "5"));
}

#[tokio::test]
async fn a_change_of_staff_is_seen_at_once() {
    let (shop, cup) = shop_with_a_cup().await;
    for (version, amount) in [(1, 950), (2, 1_000), (3, 1_050)] {
        let before: ProductAnswer = shop.read("/store/v1/products/cup").await.expect(200);
        shop.read("/store/v1/products").await;
        set_price(&shop, &cup, version, amount).await;
        let after: ProductAnswer = shop.read("/store/v1/products/cup").await.expect(200);
        assert_eq!((price(&before), price(&after)), (amount - 50, amount));
        let list: Page<ProductSummary> = shop.read("/store/v1/products").await.expect(200);
        assert_eq!(list.items[0].price.amount_minor(), amount);
    }
    patch(&shop, &cup, 4, &json!({ "published": false })).await.expect_status(200);
    shop.get("/store/v1/products/cup").send().await.expect_problem(404, "product_not_found");
    create_category(&shop, "plates", None).await;
    assert_eq!(shop.read("/store/v1/categories").await.json["items"].as_array().unwrap().len(), 2);
    let channel: ChannelAnswer = shop.read("/store/v1/channel").await.expect(200);
    let renamed = shop.staff("PATCH", &format!("/admin/v1/channels/{}", channel.id)).header("if-match", &format!("\"{}\"", channel.version));
    renamed.json(&json!({ "name": "Saltmarsh" })).send().await.expect_status(200);
    assert_eq!(shop.read("/store/v1/channel").await.expect::<ChannelAnswer>(200).name, "Saltmarsh");
}

#[tokio::test]
async fn a_crossed_stock_band_is_seen_where_the_product_is_shown() {
    let shop = open().await;
    let hills = create(&shop, &matrix("hills")).await;
    create(&shop, &single("cup", 100)).await;
    let channel: ChannelAnswer = shop.read("/store/v1/channel").await.expect(200);
    shop.read("/store/v1/products/hills").await;
    shop.read("/store/v1/products").await;
    let cup = shop.read("/store/v1/products/cup").await;
    let mut tx = shop.begin().await;
    let news = StockBandChanged { channel_id: channel.id, variant_id: hills.variants[0].id, band: StockBand::Low, sequence: 1 };
    tx.publish(&news).await.unwrap();
    tx.commit().await.unwrap();
    shop.work_off().await;
    assert_eq!(shop.read("/store/v1/products/hills").await.expect::<ProductAnswer>(200).variants[0].stock, StockBand::Low);
    assert_eq!(shop.read("/store/v1/products").await.expect::<Page<ProductSummary>>(200).items[0].stock, StockBand::Low);
    shop.context().db().close().await;
    assert_eq!(shop.read("/store/v1/products/cup").await.text, cup.text, "the other product was left where it is");
}

#[tokio::test]
async fn a_change_in_another_process_is_seen_within_a_second() {
    let (shop, cup) = shop_with_a_cup().await;
    // The other process has its own pools and memory, on the same database.
    let clock = shop.clock().clone();
    let db = Db::new(&DbOptions::new(shop.database().options()), clock);
    let elsewhere = Context::new(db.clone(), Tasks::new(), Arc::new(StaffPass::default()), "".into(), true);
    let services = vec![catalog::service(&elsewhere)];
    db.set_subscriptions(worker::subscriptions(&services));
    let router = Surfaces::of(&elsewhere, &services).router;
    let stop = CancellationToken::new();
    for context in [shop.context().clone(), elsewhere.clone()] {
        let stop = stop.clone();
        context.clone().tasks().spawn("news", async move { worker::pass_news_on(&context, &stop).await });
    }
    let seen = async || price(&TestRequest::new(router.clone(), "GET", "/store/v1/products/cup").send().await.expect::<ProductAnswer>(200));
    // Until it listens, nothing can be told.
    let listening = "select count(*) from pg_stat_activity where datname = current_database() and query like '%LISTEN%'";
    for _ in 0..500 {
        let listeners: i64 = sqlx::query_scalar(listening).fetch_one(shop.begin().await.conn()).await.unwrap();
        if listeners >= 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(seen().await, 900);
    set_price(&shop, &cup, 1, 950).await;
    let changed = Instant::now();
    while seen().await != 950 {
        assert!(changed.elapsed() < Duration::from_secs(1), "still the old price after a second");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
}

#[tokio::test]
async fn news_that_is_lost_costs_the_time_to_live_and_no_more() {
    let (shop, cup) = shop_with_a_cup().await;
    let seen = async || price(&shop.read("/store/v1/products/cup").await.expect::<ProductAnswer>(200));
    assert_eq!(seen().await, 900);
    let quietly = async |amount: i64| {
        let mut tx = shop.begin().await;
        let update = "update catalog.price set price_minor = $1 where variant_id = $2";
        sqlx::query(update).bind(amount).bind(cup.variants[0].id.uuid()).execute(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
    };
    quietly(950).await;
    assert_eq!(seen().await, 900);
    shop.wait(31);
    assert_eq!(seen().await, 950);

    quietly(1_000).await;
    let heard = async |credential: &str| {
        let request = shop.get("/store/v1/products/cup").header("x-fresher-than-ms", "0").header("x-internal-credential", credential);
        price(&request.send().await.expect::<ProductAnswer>(200))
    };
    assert_eq!(heard("a guess").await, 950, "only our own pages are believed");
    assert_eq!(heard("internal").await, 1_000, "our own pages heard of a change");
}

#[tokio::test]
async fn one_answer_is_one_entry_however_it_is_asked_for() {
    let (shop, _) = shop_with_a_cup().await;
    let before = kept(&shop).await;
    let key = "sort=featured&limit=24";
    for path in ["/store/v1/products", "/store/v1/products?limit=24", &format!("/store/v1/products?{key}")] {
        shop.read(path).await;
    }
    assert_eq!(kept(&shop).await, before + 1);
    for host in ["a.example", "b.example:8080", "c.example"] {
        shop.get("/store/v1/products").header("host", host).send().await.expect_status(200);
    }
    for path in ["/store/v1/products?utm_source=x", "/store/v1/products?limit=1000", "/store/v1/products?category=none", "/store/v1/products/none"] {
        assert!(shop.get(path).send().await.status >= 400, "{path}");
    }
    shop.get("/store/v1/products").header("x-channel", "nobody").send().await.expect_problem(404, "channel_not_found");
    assert_eq!(kept(&shop).await, before + 1);
}

#[tokio::test]
async fn an_answer_comes_compressed_if_the_client_wants() {
    let shop = open().await;
    for number in 0..20 {
        create(&shop, &single(&format!("cup-{number}"), 100)).await;
    }
    let plain = shop.read("/store/v1/products").await;
    for coding in ["gzip", "br"] {
        let reply = shop.get("/store/v1/products").header("accept-encoding", coding).send().await;
        assert_eq!((reply.header("content-encoding"), reply.header("etag")), (coding, plain.header("etag")));
    }
}
