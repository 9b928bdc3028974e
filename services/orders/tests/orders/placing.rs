//! How an order is written, becomes a sale, or does not.

use inventory_api::HoldId;
use metrics_exporter_prometheus::PrometheusBuilder;
use orders::OrderError;
use orders_api::{OrderId, OrderState};
use payments_api::PaymentStatus;

use crate::stand::{Plan, books_balance, channel, euros, number, open, placed};

#[tokio::test]
async fn an_order_waits_without_a_number_until_it_is_placed() {
    let shop = open().await;
    let order = Plan::default().pending(&shop).await;
    let waiting = order.read().await;
    assert_eq!((waiting.order.state, waiting.order.number, waiting.order.placed_at), (OrderState::Pending, None, None));
    assert_eq!(waiting.order.payment_status, PaymentStatus::Pending);

    shop.wait(5);
    assert!(order.place().await);
    assert!(!order.place().await, "once");
    let sale = order.read().await;
    assert_eq!((sale.order.state, sale.order.number.as_deref(), sale.order.placed_at), (OrderState::Placed, Some("TW-1001"), Some(shop.clock().now())));
    assert!(sale.version > waiting.version);
    assert_eq!(order.story().await, ["created", "placed"]);
    assert_eq!(number(&shop, "select count(*) from ops.event where name = 'orders.OrderPlaced' and payload->>'number' = 'TW-1001'").await, 1);
    assert_eq!(number(&shop, "select count(*) from payments.ledger_transaction where kind = 'sale'").await, 1);
    assert!(!order.cancel_pending("too_late").await, "a sale is not pending");
}

#[tokio::test]
async fn everything_that_was_agreed_is_kept_as_it_was() {
    let shop = open().await;
    let order = placed(&shop).await;
    let sale = order.read().await.order;
    assert_eq!(
        sale.lines.iter().map(|line| (line.sku.as_str(), line.quantity.get(), line.total)).collect::<Vec<_>>(),
        [("PITCHER", 2, euros(2_000)), ("BOWL", 1, euros(500))]
    );
    assert_eq!((sale.lines[0].title.as_str(), sale.lines[0].options["Colour"].as_str()), ("The pitcher", "Blue"));
    assert_eq!(sale.lines[0].image.as_ref().unwrap().url, "/media/pitcher.svg");
    assert!(sale.lines[1].image.is_none());
    assert_eq!((sale.totals.item_count, sale.totals.subtotal, sale.totals.delivery, sale.totals.total), (3, euros(2_500), euros(490), euros(2_990)));
    assert_eq!((sale.shipping_address.name.as_str(), sale.billing_address.name.as_str()), ("Ada Lovelace", "Charles Babbage"));
    assert_eq!((sale.email.as_str(), sale.delivery_name.as_str(), sale.payment_provider.as_deref()), ("ada@example.com", "Standard delivery", Some("sandbox")));
    assert_eq!(number(&shop, "select sum(tax_minor)::bigint from orders.order").await, 0);
    books_balance(&shop).await;
}

#[tokio::test]
async fn an_order_whose_payment_came_to_nothing_is_canceled_with_the_reason() {
    let shop = open().await;
    let order = Plan::default().pending(&shop).await;
    assert!(order.cancel_pending("card_declined").await);
    assert!(!order.cancel_pending("again").await && !order.place().await);
    let canceled = order.read().await;
    assert_eq!((canceled.order.state, canceled.order.cancel_reason.as_deref(), canceled.order.number), (OrderState::Canceled, Some("card_declined"), None));
    assert_eq!(canceled.timeline.last().unwrap().detail.as_deref(), Some("card_declined"));
    assert_eq!(number(&shop, "select count(*) from ops.event where name = 'orders.OrderCanceled'").await, 1);
    assert_eq!(order.reserved().await, 2, "the hold is the checkout's to release");
}

#[tokio::test]
async fn numbers_count_on_across_channels_and_may_be_left_out_but_never_repeat() {
    let shop = open().await;
    let first = placed(&shop).await;
    let lost = Plan::default().pending(&shop).await;
    let mut tx = shop.begin().await;
    assert!(orders::place(&mut tx, lost.id, lost.hold).await.unwrap());
    tx.rollback().await.unwrap();
    let trial = Plan { channel: 2, ..Plan::default() }.placed(&shop).await;
    assert_eq!(first.read().await.order.number.as_deref(), Some("TW-1001"));
    assert_eq!(trial.read().await.order.number.as_deref(), Some("TEST-1003"));
    assert_eq!(lost.read().await.order.state, OrderState::Pending);
}

#[tokio::test]
async fn a_cart_has_one_order_that_is_not_canceled() {
    let shop = open().await;
    let order = Plan::default().pending(&shop).await;
    let again = async || {
        let mut tx = shop.begin().await;
        let channel = catalog::find_channel(tx.conn(), channel(1)).await.unwrap().unwrap();
        let mut second =
            Plan::default().new_order(OrderId::new(shop.clock().now()), channel, &order.token, HoldId::new(shop.clock().now()), [order.variant, order.variant]);
        second.cart_id = order.cart;
        orders::insert_pending(&mut tx, second).await
    };
    assert!(matches!(again().await, Err(OrderError::CartHasOrder)));
    assert!(order.cancel_pending("card_declined").await);
    assert!(again().await.is_ok(), "after a decline one may try again");
}

#[tokio::test]
async fn an_order_that_does_not_add_up_is_not_written() {
    let shop = open().await;
    let order = Plan::default().pending(&shop).await;
    let mut tx = shop.begin().await;
    let channel = catalog::find_channel(tx.conn(), channel(1)).await.unwrap().unwrap();
    let sound = Plan::default().new_order(OrderId::new(shop.clock().now()), channel, &order.token, order.hold, [order.variant, order.variant]);
    let mut cheap = sound.clone();
    cheap.totals.total = euros(1);
    let mut empty = sound.clone();
    empty.lines.clear();
    let mut miscounted = sound;
    miscounted.totals.item_count = 4;
    for unsound in [cheap, empty, miscounted] {
        assert!(matches!(orders::insert_pending(&mut tx, unsound).await, Err(OrderError::Totals)));
    }
    tx.commit().await.unwrap();
    assert_eq!(number(&shop, "select count(*) from orders.order").await, 1);
}

#[tokio::test]
async fn the_face_finds_an_order_as_its_shopper_sees_it() {
    let shop = open().await;
    let order = placed(&shop).await;
    let mut conn = shop.context().db().read_latest().await.unwrap();
    let found = orders::find_order(&mut conn, order.id).await.unwrap().unwrap();
    assert_eq!((found.payment_status, &found), (PaymentStatus::Authorized, &order.read().await.order));
    assert!(orders::find_order(&mut conn, OrderId::new(shop.clock().now())).await.unwrap().is_none());
}

#[tokio::test]
async fn orders_are_counted_by_how_they_ended_and_whether_they_were_real() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // Every task of this test runs on this thread.
    let _guard = metrics::set_default_local_recorder(&recorder);
    let shop = open().await;
    let order = placed(&shop).await;
    Plan { channel: 2, ..Plan::default() }.placed(&shop).await;
    assert!(Plan::default().pending(&shop).await.cancel_pending("card_declined").await);
    assert_eq!(order.cancel(order.read().await.version).await.status, 200);
    let figures = handle.render();
    for line in [
        r#"orders_total{outcome="placed",channel_kind="live"} 1"#,
        r#"orders_total{outcome="placed",channel_kind="test"} 1"#,
        r#"orders_total{outcome="aborted",channel_kind="live"} 1"#,
        r#"orders_total{outcome="canceled",channel_kind="live"} 1"#,
    ] {
        assert!(figures.contains(line), "{line} is not in {figures}");
    }
}
