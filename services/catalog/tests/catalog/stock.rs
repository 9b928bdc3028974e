//! The projection of stock bands.

use catalog_api::{AdminProduct, ChannelId, ProductAnswer, ProductSummary, StockBand, VariantId};
use inventory_api::StockBandChanged;
use kernel::{Page, Timestamp};
use testkit::Shop;

use crate::{create, events, matrix, open};

async fn tell(shop: &Shop, channel_id: ChannelId, variant_id: VariantId, band: StockBand, sequence: i64) {
    let mut tx = shop.begin().await;
    tx.publish(&StockBandChanged { channel_id, variant_id, band, sequence }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shop.work_off().await, 1);
}

async fn channel(shop: &Shop, code: &str) -> ChannelId {
    shop.get("/store/v1/channel").header("x-channel", code).send().await.expect::<catalog_api::ChannelAnswer>(200).id
}

async fn bands(shop: &Shop, code: &str) -> Vec<StockBand> {
    let product: ProductAnswer = shop.get("/store/v1/products/hills").header("x-channel", code).send().await.expect(200);
    product.variants.iter().map(|variant| variant.stock).collect()
}

async fn listed_band(shop: &Shop) -> StockBand {
    shop.read("/store/v1/products").await.expect::<Page<ProductSummary>>(200).items[0].stock
}

#[tokio::test]
async fn news_of_stock_shows_in_its_channel_only() {
    use StockBand::{In, Low, Out};
    let shop = open().await;
    let product = create(&shop, &matrix("hills")).await;
    let default = channel(&shop, "default").await;
    assert_eq!((bands(&shop, "default").await, listed_band(&shop).await), (vec![Out, Out, Out], Out));

    tell(&shop, default, product.variants[1].id, Low, 1).await;
    assert_eq!((bands(&shop, "default").await, listed_band(&shop).await), (vec![Out, Low, Out], Low));
    tell(&shop, default, product.variants[2].id, In, 1).await;
    assert_eq!((bands(&shop, "default").await, listed_band(&shop).await), (vec![Out, Low, In], In));
    assert_eq!(bands(&shop, "smoke").await, [Out, Out, Out]);

    let staff: AdminProduct = shop.staff("GET", &format!("/admin/v1/products/{}", product.id)).send().await.expect(200);
    assert_eq!(staff.variants[2].stock.iter().map(|(code, band)| (code.as_str(), *band)).collect::<Vec<_>>(), [("default", In), ("smoke", Out)]);
    assert_eq!(staff.version, product.version, "stock is no edit of the product");
}

#[tokio::test]
async fn older_news_changes_nothing_and_is_not_passed_on() {
    use StockBand::{In, Low, Out};
    let shop = open().await;
    let product = create(&shop, &matrix("hills")).await;
    let default = channel(&shop, "default").await;
    let variant = product.variants[0].id;
    let before = events(&shop, "catalog.ProductChanged").await;

    tell(&shop, default, variant, Low, 7).await;
    assert_eq!(events(&shop, "catalog.ProductChanged").await, before + 1);
    tell(&shop, default, variant, In, 6).await;
    tell(&shop, default, variant, In, 7).await;
    assert_eq!((bands(&shop, "default").await[0], events(&shop, "catalog.ProductChanged").await), (Low, before + 1));
    tell(&shop, default, variant, Out, 8).await;
    assert_eq!((bands(&shop, "default").await[0], events(&shop, "catalog.ProductChanged").await), (Out, before + 2));
}

#[tokio::test]
async fn a_crossed_band_makes_the_answer_a_new_one() {
    let shop = open().await;
    let product = create(&shop, &matrix("hills")).await;
    let etag = shop.read("/store/v1/products/hills").await.header("etag").to_owned();
    let default = channel(&shop, "default").await;
    tell(&shop, default, product.variants[0].id, StockBand::In, 1).await;
    assert_eq!(shop.get("/store/v1/products/hills").header("if-none-match", &etag).send().await.status, 200);
}

#[tokio::test]
async fn news_of_a_variant_nobody_knows_is_kept_quietly() {
    let shop = open().await;
    let default = channel(&shop, "default").await;
    tell(&shop, default, VariantId::new(Timestamp::UNIX_EPOCH), StockBand::In, 1).await;
    assert_eq!(events(&shop, "catalog.ProductChanged").await, 0);
}
