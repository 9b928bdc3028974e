//! What other services ask of the catalogue inside their transactions.

use catalog::{find_channel, list_channels, list_offers};
use catalog_api::{ChannelKind, VariantId};
use kernel::{Currency, Money, Timestamp};
use serde_json::json;

use crate::{create, matrix, open, single};

#[tokio::test]
async fn an_offer_has_the_base_price_and_the_picture_of_its_own_value() {
    let shop = open().await;
    let product = create(&shop, &matrix("hills")).await;
    let mut tx = shop.begin().await;
    let channel = list_channels(tx.conn()).await.unwrap().swap_remove(0);
    let ids: Vec<VariantId> = product.variants.iter().map(|variant| variant.id).chain([VariantId::new(Timestamp::UNIX_EPOCH)]).collect();
    let offers = list_offers(tx.conn(), &channel, &ids).await.unwrap();
    assert_eq!(offers.len(), 3);
    let offer = |index: usize| offers.iter().find(|offer| offer.variant_id == ids[index]).unwrap();
    let oak = offer(2);
    assert_eq!((oak.unit_price, oak.sku.as_str(), oak.product_slug.as_str()), (Money::new(5_900, Currency::EUR), "HILLS-OAK-S", "hills"));
    assert_eq!((oak.title.as_str(), oak.product_id, oak.options["Size"].as_str()), ("Low Tide Hills", product.id, "S"));
    assert_eq!(oak.image.as_ref().unwrap().url, "/media/hills-oak.svg");
    let image = offer(0).image.as_ref().unwrap();
    assert_eq!((image.url.as_str(), image.sources.len()), ("/media/hills.svg", 2));
}

#[tokio::test]
async fn what_is_hidden_sold_elsewhere_or_unpriced_is_no_offer() {
    let shop = open().await;
    let mut hidden = single("hidden", 1);
    hidden["published"] = json!(false);
    let mut elsewhere = single("elsewhere", 1);
    elsewhere["channels"] = json!(["smoke"]);
    let mut dollars = single("dollars", 1);
    dollars["variants"][0]["prices"][0]["price"]["currency"] = json!("USD");
    let mut ids = Vec::new();
    for draft in [hidden, elsewhere, dollars] {
        ids.push(create(&shop, &draft).await.variants[0].id);
    }
    let mut tx = shop.begin().await;
    let channels = list_channels(tx.conn()).await.unwrap();
    assert_eq!(channels.iter().map(|channel| channel.kind).collect::<Vec<_>>(), [ChannelKind::Live, ChannelKind::Test]);
    assert_eq!(list_offers(tx.conn(), &channels[0], &ids).await.unwrap(), []);
    let smoke = list_offers(tx.conn(), &channels[1], &ids).await.unwrap();
    assert_eq!(smoke.iter().map(|offer| offer.sku.as_str()).collect::<Vec<_>>(), ["ELSEWHERE"]);
}

#[tokio::test]
async fn channels_are_found_by_id() {
    let shop = open().await;
    let mut tx = shop.begin().await;
    for channel in list_channels(tx.conn()).await.unwrap() {
        assert_eq!(find_channel(tx.conn(), channel.id).await.unwrap(), Some(channel));
    }
    assert_eq!(find_channel(tx.conn(), catalog_api::ChannelId::new(Timestamp::UNIX_EPOCH)).await.unwrap(), None);
}
