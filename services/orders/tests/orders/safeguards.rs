//! What the database itself refuses, and what the check finds.

use sqlx::Executor;
use testkit::Shop;

use crate::stand::{books_balance, open, placed};

/// Runs a statement as the role every process of ours has.
async fn as_our_role(shop: &Shop, statement: &'static str) -> Result<(), String> {
    let mut conn = shop.context().db().writer().acquire().await.unwrap();
    conn.execute("set role tw_orders_rw").await.unwrap();
    let outcome = conn.execute(statement).await;
    conn.execute("reset role").await.unwrap();
    outcome.map(drop).map_err(|error| error.as_database_error().unwrap().code().unwrap().into_owned())
}

#[tokio::test]
async fn snapshots_and_timeline_cannot_be_changed() {
    let shop = open().await;
    placed(&shop).await;
    for statement in [
        "update orders.order_line set unit_price_minor = 1",
        "delete from orders.order_line",
        "update orders.timeline_entry set detail = 'other'",
        "delete from orders.timeline_entry",
        "truncate orders.timeline_entry",
        "update orders.order set total_minor = 1",
        "update orders.order set email = 'other@example.com'",
        "delete from orders.order",
    ] {
        assert_eq!(as_our_role(&shop, statement).await, Err("42501".to_owned()), "{statement}");
    }
    assert_eq!(as_our_role(&shop, "update orders.order set version = version + 1").await, Ok(()));
    assert_eq!(as_our_role(&shop, "select nextval('orders.order_number')").await, Ok(()));
}

#[tokio::test]
async fn a_state_without_what_belongs_to_it_cannot_be_written() {
    let shop = open().await;
    placed(&shop).await;
    for statement in [
        "update orders.order set state = 'pending'",
        "update orders.order set state = 'canceled'",
        "update orders.order set number = null",
        "update orders.order set placed_at = null",
        "update orders.order set state = 'lost'",
        "update orders.order set total_minor = total_minor + 1",
        "update orders.order_line set quantity = quantity + 1",
        "insert into orders.timeline_entry (id, order_id, kind, actor, occurred_at) select gen_random_uuid(), id, 'gossip', 'me', now() from orders.order",
    ] {
        let error = sqlx::query(statement).execute(shop.context().db().writer()).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().unwrap(), "23514", "{statement}");
    }
}

#[tokio::test]
async fn the_check_names_what_does_not_hold() {
    let shop = open().await;
    placed(&shop).await;
    books_balance(&shop).await;
    for (breakage, told) in [
        ("update orders.order set item_count = 4", "lines do not add up"),
        ("delete from orders.timeline_entry where kind = 'created'", "it was made"),
        ("delete from orders.timeline_entry where kind = 'placed'", "it was placed"),
        ("update orders.order set state = 'canceled', cancel_reason = 'x', canceled_at = now()", "it was canceled"),
    ] {
        let mut tx = shop.begin().await;
        sqlx::query(breakage).execute(tx.conn()).await.unwrap();
        let broken = db::check::list_findings(tx.conn(), &orders::checks(), shop.context().now()).await.unwrap();
        tx.rollback().await.unwrap();
        assert!(broken.len() == 1 && broken[0].contains(told), "{broken:?}");
    }
}
