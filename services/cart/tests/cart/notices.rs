//! What a cart tells its shopper before buying.

use cart_api::{CartAnswer, Notice};
use catalog::Channels;
use kernel::{Currency, Money};

use crate::stand::{Basket, open, product, publish, reprice, stock, variant};

fn euros(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

#[tokio::test]
async fn a_changed_price_counts_at_once_and_is_told_until_the_line_is_confirmed() {
    let shop = open().await;
    let pitcher = product(&shop, "pitcher", 1_000, 10).await;
    let basket = Basket::make(&shop).await;
    basket.put(pitcher.variants[0].id, 2).await;
    reprice(&shop, &pitcher, 1_250).await;

    let cart = basket.read().await;
    assert_eq!(cart.lines[0].notices, [Notice::PriceChanged { was: euros(1_000), now: euros(1_250) }]);
    assert_eq!((cart.lines[0].unit_price, cart.totals.subtotal), (euros(1_250), euros(2_500)));
    assert_eq!(basket.read().await.lines[0].notices.len(), 1, "looking does not confirm");
    let confirmed: CartAnswer = basket.set(0, 2).await.expect(200);
    assert!(confirmed.lines[0].notices.is_empty());

    reprice(&shop, &pitcher, 900).await;
    assert_eq!(basket.read().await.lines[0].notices, [Notice::PriceChanged { was: euros(1_250), now: euros(900) }]);
    assert!(basket.put(pitcher.variants[0].id, 1).await.lines[0].notices.is_empty(), "adding confirms too");
}

#[tokio::test]
async fn too_little_stock_is_told_with_how_much_there_is() {
    let shop = open().await;
    let pitcher = variant(&shop, "pitcher", 1_000, 5).await;
    let basket = Basket::make(&shop).await;
    basket.put(pitcher, 4).await;
    stock(&shop, pitcher, -3).await;
    assert_eq!(basket.read().await.lines[0].notices, [Notice::InsufficientStock { available: 2 }]);
    let fewer: CartAnswer = basket.set(0, 2).await.expect(200);
    assert!(fewer.lines[0].notices.is_empty());
}

#[tokio::test]
async fn what_is_no_longer_sold_stays_readable_counts_nothing_and_can_only_be_taken_out() {
    let shop = open().await;
    let pitcher = product(&shop, "pitcher", 1_000, 5).await;
    let basket = Basket::make(&shop).await;
    basket.put(pitcher.variants[0].id, 2).await;
    publish(&shop, &pitcher, false).await;

    let cart = basket.read().await;
    let line = &cart.lines[0];
    assert_eq!(line.notices, [Notice::Unavailable]);
    assert_eq!((line.title.as_str(), line.unit_price, line.total), ("The pitcher", euros(1_000), euros(0)));
    assert_eq!(line.image.as_ref().unwrap().url, "/media/pitcher.svg");
    assert_eq!((cart.totals.item_count, cart.totals.total, cart.totals.delivery), (0, euros(0), euros(0)));
    basket.set(0, 1).await.expect_problem(422, "variant_unavailable");

    publish(&shop, &pitcher, true).await;
    assert!(basket.read().await.lines[0].notices.is_empty(), "sold again, at the price that was confirmed");
    publish(&shop, &pitcher, false).await;
    assert!(basket.take_out(0).await.expect::<CartAnswer>(200).lines.is_empty());
}

#[tokio::test]
async fn the_face_prices_as_the_route_does() {
    let shop = open().await;
    let pitcher = product(&shop, "pitcher", 1_000, 5).await;
    let basket = Basket::make(&shop).await;
    basket.put(pitcher.variants[0].id, 2).await;
    reprice(&shop, &pitcher, 1_100).await;
    let channels = Channels::new(shop.context()).known().await.unwrap();
    let mut tx = shop.begin().await;
    let locked = cart::lock(&mut tx, &channels, basket.id, &basket.token.hash()).await.unwrap().unwrap();
    assert_eq!((locked.lines[0].noted_unit_price, locked.lines[0].quantity.get()), (euros(1_000), 2));
    let priced = cart::price(tx.conn(), &locked).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(priced, basket.read().await);
}
