//! Reading: one order, sales.

use std::collections::BTreeMap;

use catalog_api::{ChannelId, ChannelKind, MediaReference, ProductId, VariantId};
use inventory_api::HoldId;
use kernel::{Currency, Money, Quantity, Timestamp};
use orders_api::{Address, OrderId, OrderLineAnswer, OrderLineId, OrderState, OrderTotals, SalesOfHour, TimelineEntryAnswer, TimelineEntryId};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::domain;

/// How many entries of a timeline are shown, the newest.
const TIMELINE_SHOWN: i64 = 500;

/// An order's row.
#[derive(Debug)]
pub(crate) struct OrderRow {
    pub(crate) id: OrderId,
    pub(crate) number: Option<String>,
    pub(crate) state: OrderState,
    pub(crate) version: i64,
    pub(crate) channel_id: ChannelId,
    pub(crate) channel_kind: ChannelKind,
    pub(crate) token_hash: Vec<u8>,
    pub(crate) email: String,
    pub(crate) shipping_address: Address,
    pub(crate) billing_address: Address,
    pub(crate) delivery_name: String,
    pub(crate) payment_provider: String,
    pub(crate) totals: OrderTotals,
    pub(crate) cancel_reason: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) placed_at: Option<Timestamp>,
}

/// One order.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_order(conn: &mut PgConnection, id: OrderId) -> Result<Option<OrderRow>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select number, state, version, channel_id as "channel_id: ChannelId", channel_kind, token_hash, email,
                  shipping_address as "shipping_address: Json<Address>", billing_address as "billing_address: Json<Address>", delivery_name,
                  payment_provider, currency as "currency: Currency", item_count, subtotal_minor, delivery_minor, total_minor, cancel_reason, created_at,
                  placed_at
           from orders.order where id = $1"#,
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let money = |minor| Money::new(minor, row.currency);
        OrderRow {
            id,
            number: row.number,
            state: domain::state(&row.state),
            version: row.version,
            channel_id: row.channel_id,
            channel_kind: domain::channel_kind(&row.channel_kind),
            token_hash: row.token_hash,
            email: row.email,
            shipping_address: row.shipping_address.0,
            billing_address: row.billing_address.0,
            delivery_name: row.delivery_name,
            payment_provider: row.payment_provider,
            totals: OrderTotals {
                item_count: row.item_count,
                subtotal: money(row.subtotal_minor),
                delivery: money(row.delivery_minor),
                total: money(row.total_minor),
            },
            cancel_reason: row.cancel_reason,
            created_at: row.created_at,
            placed_at: row.placed_at,
        }
    }))
}

/// The lines of an order, in order; the cart bounds how many there are.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_lines(conn: &mut PgConnection, order: OrderId, currency: Currency) -> Result<Vec<OrderLineAnswer>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: OrderLineId", product_id as "product_id: ProductId", variant_id as "variant_id: VariantId", product_slug, sku, title,
                  options as "options: Json<BTreeMap<String, String>>", image as "image: Json<MediaReference>", quantity as "quantity: Quantity",
                  unit_price_minor, total_minor
           from orders.order_line where order_id = $1 order by position"#,
        order.uuid()
    )
    .fetch_all(conn)
    .await?;
    let lines = rows.into_iter().map(|row| OrderLineAnswer {
        id: row.id,
        product_id: row.product_id,
        variant_id: row.variant_id,
        product_slug: row.product_slug,
        sku: row.sku,
        title: row.title,
        options: row.options.0,
        image: row.image.map(|image| image.0),
        quantity: row.quantity,
        unit_price: Money::new(row.unit_price_minor, currency),
        total: Money::new(row.total_minor, currency),
    });
    Ok(lines.collect())
}

/// What happened to an order, oldest first; of a very long story the end.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_timeline(conn: &mut PgConnection, order: OrderId) -> Result<Vec<TimelineEntryAnswer>, sqlx::Error> {
    sqlx::query_as!(
        TimelineEntryAnswer,
        r#"select id as "id!: TimelineEntryId", kind as "kind!", detail, actor as "actor!", occurred_at as "occurred_at!"
           from (select * from orders.timeline_entry where order_id = $1 order by sequence desc limit $2) as newest
           order by sequence"#,
        order.uuid(),
        TIMELINE_SHOWN
    )
    .fetch_all(conn)
    .await
}

/// What a change by staff must know of an order whose row is locked.
#[derive(Debug)]
pub(crate) struct LockedOrder {
    pub(crate) state: OrderState,
    pub(crate) version: i64,
    pub(crate) hold_id: HoldId,
    pub(crate) currency: Currency,
}

/// An order with its row locked until the transaction ends.
///
/// # Errors
/// The database failed.
pub(crate) async fn lock_order(conn: &mut PgConnection, id: OrderId) -> Result<Option<LockedOrder>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select state, version, hold_id as "hold_id: HoldId", currency as "currency: Currency" from orders.order where id = $1 for update"#,
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| LockedOrder { state: domain::state(&row.state), version: row.version, hold_id: row.hold_id, currency: row.currency }))
}

/// What live channels sold between two moments, by the hour of the day and currency.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_sales(conn: &mut PgConnection, from: Timestamp, until: Timestamp) -> Result<Vec<SalesOfHour>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select extract(hour from placed_at at time zone 'UTC')::integer as "hour!", currency as "currency: Currency", count(*) as "order_count!",
             sum(total_minor)::bigint as "total_minor!"
         from orders.order
         where channel_kind = 'live' and placed_at is not null and placed_at >= $1 and placed_at < $2 and state in ('placed', 'closed')
         group by 1, 2 order by 1, 2"#,
        from,
        until
    )
    .fetch_all(conn)
    .await?;
    let sales = |hour, order_count, total| SalesOfHour { hour, order_count, total };
    Ok(rows.into_iter().map(|row| sales(row.hour, row.order_count, Money::new(row.total_minor, row.currency))).collect())
}
