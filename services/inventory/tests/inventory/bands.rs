use catalog_api::{ChannelId, StockBand, VariantId};
use inventory::HoldUntil;
use inventory_api::StockBandChanged;
use testkit::Shop;

use crate::stand::{books_balance, channel, expire, hold, line, location, main_location, open, other_channel, put, release, stocked, until, variant};

/// What was told of a variant, in the order of its sequence.
async fn told(shop: &Shop, channel: ChannelId, variant: VariantId) -> Vec<(StockBand, i64)> {
    let payloads: Vec<serde_json::Value> =
        sqlx::query_scalar("select payload from ops.event where name = 'inventory.StockBandChanged'").fetch_all(shop.context().db().writer()).await.unwrap();
    let events = payloads.into_iter().map(|payload| serde_json::from_value::<StockBandChanged>(payload).unwrap());
    let mut told: Vec<_> =
        events.filter(|event| event.channel_id == channel && event.variant_id == variant).map(|event| (event.band, event.sequence)).collect();
    told.sort_by_key(|(_, sequence)| *sequence);
    told
}

#[tokio::test]
async fn every_cause_that_crosses_a_band_tells_it_once_and_in_order() {
    let shop = open().await;
    let mug = stocked(&shop, 10).await;
    hold(&shop, &[line(mug, 4)], until(&shop, 3_600)).await.unwrap();
    assert_eq!(told(&shop, channel(), mug).await, [(StockBand::In, 1)], "six are still enough");
    let five = hold(&shop, &[line(mug, 5)], until(&shop, 3_600)).await.unwrap();
    hold(&shop, &[line(mug, 1)], until(&shop, 60)).await.unwrap();
    shop.wait(61);
    expire(&shop).await;
    assert!(release(shop.context().db(), five).await);
    put(&shop, main_location(), mug, -6).await;
    let bands = [StockBand::In, StockBand::Low, StockBand::Out, StockBand::Low, StockBand::In, StockBand::Out];
    let expected: Vec<_> = bands.into_iter().zip(1..).collect();
    assert_eq!(told(&shop, channel(), mug).await, expected);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_new_level_without_stock_tells_nothing() {
    let shop = open().await;
    let mug = stocked(&shop, 1).await;
    put(&shop, main_location(), mug, -1).await;
    assert_eq!(told(&shop, channel(), mug).await, [(StockBand::Low, 1), (StockBand::Out, 2)]);
    let body = serde_json::json!({ "location_id": main_location(), "variant_id": variant(&shop), "on_hand": 0, "reason": "received" });
    assert_eq!(shop.staff("POST", "/admin/v1/stock-levels").json(&body).send().await.status, 200);
    assert_eq!(told(&shop, channel(), body["variant_id"].as_str().unwrap().parse().unwrap()).await, []);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_band_is_of_the_channel_over_all_its_locations() {
    let shop = open().await;
    let other = other_channel(&shop).await;
    let shared = location(&shop, "shared", &[channel(), other]).await;
    let mug = variant(&shop);
    put(&shop, main_location(), mug, 4).await;
    put(&shop, shared, mug, 4).await;
    assert_eq!(told(&shop, channel(), mug).await, [(StockBand::Low, 1), (StockBand::In, 2)]);
    assert_eq!(told(&shop, other, mug).await, [(StockBand::Low, 1)]);
    // Taken from the channel's own location first, then from the shared one, where the other channel feels it.
    hold(&shop, &[line(mug, 8)], HoldUntil::Committed).await.unwrap();
    assert_eq!(told(&shop, channel(), mug).await.last(), Some(&(StockBand::Out, 3)));
    assert_eq!(told(&shop, other, mug).await.last(), Some(&(StockBand::Out, 2)));
    books_balance(&shop).await;
}
