//! How orders stand.

use std::collections::{BTreeMap, HashMap};

use catalog_api::VariantId;
use inventory_api::HoldId;
use orders_api::{OrderId, OrderState};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain;
use crate::stands::OrderStand;

/// The ids behind an id.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_ids_after(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("select id from orders.order where id > $1 order by id limit $2", after, most).fetch_all(conn).await
}

/// These orders by id, without their units.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_stands(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<OrderStand>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: OrderId", cart_id, hold_id as "hold_id: HoldId", state, placed_at is not null as "was_placed!", total_minor, currency
           from orders.order where id = any($1) order by id"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| OrderStand {
            id: row.id,
            cart_id: row.cart_id,
            hold_id: row.hold_id,
            state: domain::state(&row.state),
            was_placed: row.was_placed,
            total_minor: row.total_minor,
            currency: row.currency,
            units: BTreeMap::new(),
        })
        .collect())
}

/// The units of these orders, line by line.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_units(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(OrderId, VariantId, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select order_id as "order_id: OrderId", variant_id as "variant_id: VariantId", quantity from orders.order_line where order_id = any($1)"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.variant_id, i64::from(row.quantity))).collect())
}

/// The orders that take these holds.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_orders_of_holds(conn: &mut PgConnection, holds: &[HoldId]) -> Result<HashMap<HoldId, (OrderId, OrderState)>, sqlx::Error> {
    let holds: Vec<Uuid> = holds.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(r#"select hold_id as "hold_id: HoldId", id as "id: OrderId", state from orders.order where hold_id = any($1)"#, &holds)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.hold_id, (row.id, domain::state(&row.state)))).collect())
}
