//! Orders as the API answers them.

use kernel::{Money, Page, PageQuery, Timestamp};
use orders_api::{AdminOrder, OrderAnswer, OrderId, OrderLineAnswer, OrderLineId, OrderState, OrderSummary};
use payments_api::{PaymentStatus, PaymentSummary};
use sqlx::PgConnection;

use crate::store::{self, OrderFilter, OrderRow, Written};
use crate::{NewOrder, NewOrderLine, domain};

/// An order as its shopper sees it.
///
/// # Errors
/// The database failed.
pub(crate) async fn order(conn: &mut PgConnection, row: OrderRow) -> Result<OrderAnswer, sqlx::Error> {
    let payment = payments::find_payment_summary(conn, row.id.uuid()).await?;
    order_paid(conn, row, payment.status).await
}

/// An order as staff see it.
///
/// # Errors
/// The database failed.
pub(crate) async fn admin_order(conn: &mut PgConnection, row: OrderRow) -> Result<AdminOrder, sqlx::Error> {
    let (channel_id, channel_kind, version) = (row.channel_id, row.channel_kind, row.version);
    let payment = in_currency(payments::find_payment_summary(conn, row.id.uuid()).await?, row.totals.total);
    let timeline = store::list_timeline(conn, row.id).await?;
    let order = order_paid(conn, row, payment.status).await?;
    Ok(AdminOrder { order, channel_id, channel_kind, version, payment, timeline })
}

/// Of an order without attempts, `payments` does not know the currency: nothing is nothing of the order's.
fn in_currency(payment: PaymentSummary, total: Money) -> PaymentSummary {
    let nothing = Money::zero(total.currency());
    if payment.attempts.is_empty() { PaymentSummary { authorized: nothing, captured: nothing, ..payment } } else { payment }
}

async fn order_paid(conn: &mut PgConnection, row: OrderRow, payment_status: PaymentStatus) -> Result<OrderAnswer, sqlx::Error> {
    let currency = row.totals.total.currency();
    Ok(OrderAnswer {
        lines: store::list_lines(conn, row.id, currency).await?,
        id: row.id,
        number: row.number,
        state: row.state,
        payment_status,
        payment_provider: Some(row.payment_provider),
        cancel_reason: row.cancel_reason,
        currency,
        totals: row.totals,
        delivery_name: row.delivery_name,
        email: row.email,
        shipping_address: row.shipping_address,
        billing_address: row.billing_address,
        created_at: row.created_at,
        placed_at: row.placed_at,
    })
}

/// An order that has just become a sale, from what was written.
pub(crate) fn placed(order: NewOrder, written: Written, payment_status: PaymentStatus, now: Timestamp) -> OrderAnswer {
    let line = |(id, line): (OrderLineId, NewOrderLine)| OrderLineAnswer {
        id,
        product_id: line.product_id,
        variant_id: line.variant_id,
        product_slug: line.product_slug,
        sku: line.sku,
        title: line.title,
        options: line.options,
        image: line.image,
        quantity: line.quantity,
        unit_price: line.unit_price,
        total: line.total,
    };
    OrderAnswer {
        id: order.id,
        number: written.number,
        state: OrderState::Placed,
        payment_status,
        payment_provider: Some(order.payment_provider),
        cancel_reason: None,
        currency: order.totals.total.currency(),
        lines: written.line_ids.into_iter().zip(order.lines).map(line).collect(),
        totals: order.totals,
        delivery_name: order.delivery_name,
        email: order.email,
        shipping_address: order.shipping_address,
        billing_address: order.billing_address,
        created_at: now,
        placed_at: Some(now),
    }
}

/// A page of orders.
///
/// # Errors
/// The database failed.
pub(crate) async fn list(conn: &mut PgConnection, filter: &OrderFilter, limit: u32) -> Result<Page<OrderSummary>, sqlx::Error> {
    let rows = store::list_orders(conn, filter, i64::from(limit) + 1).await?;
    let page = Page::cut(rows, limit, |row| position(row.created_at, row.id));
    Ok(page.map(|row| OrderSummary {
        id: row.id,
        number: row.number,
        state: domain::state(&row.state),
        payment_status: domain::payment_status(&row.payment_status),
        capture_failed: row.capture_failed,
        channel: row.channel_code,
        channel_kind: domain::channel_kind(&row.channel_kind),
        email: row.email,
        name: row.name,
        item_count: row.item_count,
        total: Money::new(row.total_minor, row.currency),
        created_at: row.created_at,
        placed_at: row.placed_at,
    }))
}

/// A place in the list: microseconds since 1970, and the id.
type Position = (i64, OrderId);
/// The end of the year 9999; what lies beyond is no moment of ours.
const LAST_MICROS: i64 = 253_402_300_799_999_999;

fn position(created_at: Timestamp, id: OrderId) -> Position {
    (created_at.timestamp_micros(), id)
}

/// Where a page begins.
///
/// # Errors
/// 400 `invalid_query` when the cursor is none of this list's.
pub(crate) fn after(query: &PageQuery) -> Result<Option<(Timestamp, OrderId)>, kernel::Problem> {
    let Some((micros, id)) = query.position::<Position>()? else { return Ok(None) };
    let moment = Some(micros).filter(|micros| (0..=LAST_MICROS).contains(micros)).and_then(Timestamp::from_timestamp_micros);
    let moment = moment.ok_or_else(|| kernel::Problem::invalid_query("after", "must be the `next` of an earlier page"))?;
    Ok(Some((moment, id)))
}
