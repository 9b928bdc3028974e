//! Writing: orders, their lines, their timeline, and the moves of the state machine.

use catalog_api::ChannelKind;
use inventory_api::HoldId;
use kernel::{Currency, Money, Timestamp};
use orders_api::{OrderId, OrderLineId, OrderState, TimelineEntryId};
use payments_api::PaymentStatus;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::NewOrder;
use crate::domain::{self, OrderEvent};

/// Writes an order with its lines and the beginning of its timeline, in one statement; one that is placed gets its number.
///
/// # Errors
/// The database failed, or the cart has an order already (constraint `order_one_per_cart`).
pub(crate) async fn insert_order(conn: &mut PgConnection, order: &NewOrder, as_what: Beginning<'_>, now: Timestamp) -> Result<Written, sqlx::Error> {
    let Beginning { state, payment, entries, actor } = as_what;
    let lines = &order.lines;
    let line_ids: Vec<OrderLineId> = lines.iter().map(|_| OrderLineId::new(now)).collect();
    let ids: Vec<_> = line_ids.iter().map(|id| id.uuid()).collect();
    let products: Vec<_> = lines.iter().map(|line| line.product_id.uuid()).collect();
    let variants: Vec<_> = lines.iter().map(|line| line.variant_id.uuid()).collect();
    let slugs: Vec<_> = lines.iter().map(|line| line.product_slug.clone()).collect();
    let skus: Vec<_> = lines.iter().map(|line| line.sku.clone()).collect();
    let titles: Vec<_> = lines.iter().map(|line| line.title.clone()).collect();
    let options: Vec<_> = lines.iter().map(|line| Json(line.options.clone())).collect();
    let images: Vec<_> = lines.iter().map(|line| line.image.clone().map(Json)).collect();
    let quantities: Vec<_> = lines.iter().map(|line| line.quantity.get()).collect();
    let unit_prices: Vec<_> = lines.iter().map(|line| line.unit_price.amount_minor()).collect();
    let totals: Vec<_> = lines.iter().map(|line| line.total.amount_minor()).collect();
    let entry_ids: Vec<_> = entries.iter().map(|_| TimelineEntryId::new(now).uuid()).collect();
    let kinds: Vec<_> = entries.iter().map(|entry| entry.kind().to_owned()).collect();
    let number = sqlx::query_scalar!(
        r#"with line as (
               insert into orders.order_line (id, order_id, position, product_id, variant_id, product_slug, sku, title, options, image, quantity,
                                              unit_price_minor, total_minor)
               select line.id, $1, line.position, line.product_id, line.variant_id, line.product_slug, line.sku, line.title, line.options, line.image,
                      line.quantity, line.unit_price_minor, line.total_minor
               from unnest($22::uuid[], $23::uuid[], $24::uuid[], $25::text[], $26::text[], $27::text[], $28::jsonb[], $29::jsonb[], $30::integer[],
                           $31::bigint[], $32::bigint[]) with ordinality
                    as line (id, product_id, variant_id, product_slug, sku, title, options, image, quantity, unit_price_minor, total_minor, position)
           ), entry as (
               insert into orders.timeline_entry (id, order_id, kind, actor, occurred_at)
               select entry.id, $1, entry.kind, $35, $21 from unnest($33::uuid[], $34::text[]) with ordinality as entry (id, kind, position)
               order by entry.position
           )
           insert into orders.order (id, state, channel_id, channel_code, channel_kind, number_prefix, cart_id, token_hash, hold_id, email, name,
                                     shipping_address, billing_address, delivery_name, payment_provider, currency, item_count, subtotal_minor,
                                     delivery_minor, total_minor, created_at, payment_status, number, placed_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $36,
                   case when $2 = 'placed' then $6 || nextval('orders.order_number') end, case when $2 = 'placed' then $21::timestamptz end)
           returning number"#,
        order.id.uuid(),
        state.as_str(),
        order.channel.id.uuid(),
        order.channel.code,
        order.channel.kind.as_str(),
        order.channel.order_number_prefix,
        order.cart_id,
        order.token_hash.as_bytes(),
        order.hold_id.uuid(),
        order.email,
        order.shipping_address.name,
        Json(&order.shipping_address) as _,
        Json(&order.billing_address) as _,
        order.delivery_name,
        order.payment_provider,
        order.totals.total.currency().code(),
        order.totals.item_count,
        order.totals.subtotal.amount_minor(),
        order.totals.delivery.amount_minor(),
        order.totals.total.amount_minor(),
        now,
        &ids,
        &products,
        &variants,
        &slugs,
        &skus,
        &titles,
        &options as _,
        &images as _,
        &quantities,
        &unit_prices,
        &totals,
        &entry_ids,
        &kinds,
        actor,
        payment.as_str()
    )
    .fetch_one(conn)
    .await?;
    Ok(Written { number, line_ids })
}

/// How an order begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginning<'a> {
    /// Its first state: `pending`, or `placed`.
    pub(crate) state: OrderState,
    /// How it stands in money.
    pub(crate) payment: PaymentStatus,
    /// What has happened to it.
    pub(crate) entries: &'a [Entry<'a>],
    /// Who did that.
    pub(crate) actor: &'a str,
}

/// An order that has just been written.
#[derive(Debug)]
pub(crate) struct Written {
    /// Its number, if it is a sale.
    pub(crate) number: Option<String>,
    /// Its lines, in order.
    pub(crate) line_ids: Vec<OrderLineId>,
}

/// What happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry<'a> {
    /// It was made.
    Created,
    /// It became a sale.
    Placed,
    /// It is not, or no longer, a sale; the reason.
    Canceled(&'a str),
    /// Staff asked for money; how much, or everything.
    CaptureRequested(Option<Money>),
    /// Money was taken.
    CaptureSucceeded(Money),
    /// The provider refused to give this money out; the code of its reason.
    CaptureFailed(Money, &'a str),
    /// Held money was let go.
    PaymentVoided,
    /// Staff said something.
    Comment(&'a str),
}

impl Entry<'_> {
    const fn kind(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Placed => "placed",
            Self::Canceled(_) => "canceled",
            Self::CaptureRequested(_) => "capture_requested",
            Self::CaptureSucceeded(_) => "capture_succeeded",
            Self::CaptureFailed(..) => "capture_failed",
            Self::PaymentVoided => "payment_voided",
            Self::Comment(_) => "comment",
        }
    }

    fn detail(self) -> Option<String> {
        match self {
            Self::Created | Self::Placed | Self::PaymentVoided => None,
            Self::Canceled(text) | Self::Comment(text) => Some(text.to_owned()),
            Self::CaptureRequested(amount) => amount.map(|amount| amount.to_string()),
            Self::CaptureSucceeded(amount) => Some(amount.to_string()),
            Self::CaptureFailed(amount, code) => Some(format!("{amount} {code}")),
        }
    }
}

/// Adds an entry to an order's timeline. False if there is no such order.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert_entry(conn: &mut PgConnection, order: OrderId, entry: Entry<'_>, actor: &str, now: Timestamp) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into orders.timeline_entry (id, order_id, kind, detail, actor, occurred_at)
         select $2, id, $3, $4, $5, $6 from orders.order where id = $1",
        order.uuid(),
        TimelineEntryId::new(now).uuid(),
        entry.kind(),
        entry.detail(),
        actor,
        now
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// A sale that has just been made.
#[derive(Debug)]
pub(crate) struct NewSale {
    /// Its number.
    pub(crate) number: String,
    /// Whether it is real.
    pub(crate) channel_kind: ChannelKind,
    /// The lines.
    pub(crate) subtotal: Money,
    /// The delivery.
    pub(crate) delivery: Money,
    /// All together.
    pub(crate) total: Money,
}

/// Makes a pending order a sale, whose money is held: it gets the next number. Nothing if it is not pending. A number is never given twice; one is left out
/// when the transaction does not commit.
///
/// # Errors
/// The database failed.
pub(crate) async fn place(conn: &mut PgConnection, order: OrderId, hold: HoldId, now: Timestamp) -> Result<Option<NewSale>, sqlx::Error> {
    let (from, to) = domain::moves(OrderEvent::Place);
    let row = sqlx::query!(
        r#"update orders.order
           set state = move.target, version = version + 1, number = number_prefix || nextval('orders.order_number'), placed_at = $4, hold_id = $5,
               payment_status = 'authorized'
           from unnest($2::text[], $3::text[]) as move (source, target)
           where id = $1 and state = move.source
           returning number as "number!", channel_kind, currency as "currency: Currency", subtotal_minor, delivery_minor, total_minor"#,
        order.uuid(),
        &from,
        &to,
        now,
        hold.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| NewSale {
        number: row.number,
        channel_kind: domain::channel_kind(&row.channel_kind),
        subtotal: Money::new(row.subtotal_minor, row.currency),
        delivery: Money::new(row.delivery_minor, row.currency),
        total: Money::new(row.total_minor, row.currency),
    }))
}

/// Cancels an order by one of the two events that do. The kind of its channel, or nothing if it does not stand where the event can happen.
///
/// # Errors
/// The database failed.
pub(crate) async fn cancel(
    conn: &mut PgConnection,
    order: OrderId,
    event: OrderEvent,
    reason: &str,
    now: Timestamp,
) -> Result<Option<ChannelKind>, sqlx::Error> {
    let (from, to) = domain::moves(event);
    let kind = sqlx::query_scalar!(
        "update orders.order set state = move.target, version = version + 1, cancel_reason = $4, canceled_at = $5
         from unnest($2::text[], $3::text[]) as move (source, target)
         where id = $1 and state = move.source
         returning channel_kind",
        order.uuid(),
        &from,
        &to,
        reason,
        now
    )
    .fetch_optional(conn)
    .await?;
    Ok(kind.map(|kind| domain::channel_kind(&kind)))
}

/// Notes how an order stands in money, if that is something else than noted. Its version stays: nobody edited it.
///
/// # Errors
/// The database failed.
pub(crate) async fn update_payment(conn: &mut PgConnection, order: OrderId, status: PaymentStatus, capture_failed: bool) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update orders.order set payment_status = $2, capture_failed = $3
         where id = $1 and (payment_status, capture_failed) is distinct from ($2, $3)",
        order.uuid(),
        status.as_str(),
        capture_failed
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Counts a change by staff that the row itself does not show.
///
/// # Errors
/// The database failed.
pub(crate) async fn bump_version(conn: &mut PgConnection, order: OrderId) -> Result<(), sqlx::Error> {
    sqlx::query!("update orders.order set version = version + 1 where id = $1", order.uuid()).execute(conn).await?;
    Ok(())
}
