//! Orders: immutable snapshots of what was bought, their state, their timeline, and what staff do to them.

mod actions;
mod answer;
mod domain;
mod http;
mod jobs;
mod payment;
mod stands;
mod store;

pub use stands::{OrderStand, list_order_stands, list_order_stands_after, list_orders_of_holds};

use std::collections::BTreeMap;

use catalog::Channel;
use catalog_api::{ChannelKind, MediaReference, ProductId, VariantId};
use db::Tx;
use db::check::Check;
use inventory_api::HoldId;
use kernel::{Money, MoneyError, Problem, Quantity, TokenHash};
use orders_api::{Address, OrderAnswer, OrderCanceled, OrderId, OrderPlaced, OrderState, OrderTotals};
use payments::Payments;
use payments::ledger::{self, LedgerError, Sale};
use payments_api::{CaptureFailed, PaymentCaptured, PaymentStatus, PaymentVoided};
use service::{Context, Failure, Service};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::OrderEvent;
use crate::store::{Beginning, Entry, NewSale, Written};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The service as the binary mounts it. `payments` calls the providers when staff capture or cancel.
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "the binary hands over its clone")]
pub fn service(context: &Context, payments: Payments) -> Service {
    Service::new("orders", &MIGRATOR)
        .checks(checks())
        .store_api(http::store_routes(context))
        .admin_api(http::admin_routes(context, &payments))
        .on::<PaymentCaptured>("orders.note_capture", |tx, event| Box::pin(jobs::note_capture(tx, event)))
        .on::<CaptureFailed>("orders.note_capture_failure", |tx, event| Box::pin(jobs::note_capture_failure(tx, event)))
        .on::<PaymentVoided>("orders.note_void", |tx, event| Box::pin(jobs::note_void(tx, event)))
}

/// An order to be written.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Its id.
    pub id: OrderId,
    /// Where it is sold; its code, kind and number prefix are kept.
    pub channel: Channel,
    /// The cart it is made of. A cart has one order that is not canceled.
    pub cart_id: Uuid,
    /// The hash of the secret that opens it: the cart's.
    pub token_hash: TokenHash,
    /// Where the shopper can be reached.
    pub email: String,
    /// Where it goes.
    pub shipping_address: Address,
    /// Where the bill goes.
    pub billing_address: Address,
    /// What is bought, at least one line.
    pub lines: Vec<NewOrderLine>,
    /// How it is delivered.
    pub delivery_name: String,
    /// What it comes to; the lines must add up to it.
    pub totals: OrderTotals,
    /// How one pays, as the provider's code.
    pub payment_provider: String,
    /// The stock held for it.
    pub hold_id: HoldId,
}

/// A line of a [`NewOrder`].
#[derive(Debug, Clone)]
pub struct NewOrderLine {
    /// The product.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// The product's place in addresses.
    pub product_slug: String,
    /// The stock keeping unit.
    pub sku: String,
    /// The product's name.
    pub title: String,
    /// Option name to value.
    pub options: BTreeMap<String, String>,
    /// A picture.
    pub image: Option<MediaReference>,
    /// How many.
    pub quantity: Quantity,
    /// What one costs.
    pub unit_price: Money,
    /// What the line comes to: unit price times quantity.
    pub total: Money,
}

/// Why an order was not written or moved.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// Its cart has an order that is not canceled.
    #[error("cart has an order already")]
    CartHasOrder,
    /// Lines and totals do not add up, or there is nothing in it.
    #[error("lines and totals do not add up")]
    Totals,
    /// The amounts cannot be added at all.
    #[error("amounts cannot be added")]
    Money(#[from] MoneyError),
    /// The sale was not booked.
    #[error("sale not booked")]
    Ledger(#[from] LedgerError),
    /// The database failed.
    #[error("database failed")]
    Database(#[from] sqlx::Error),
    /// The event could not be published.
    #[error("event not published")]
    Db(#[from] db::DbError),
}

impl From<OrderError> for Failure {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::CartHasOrder => Problem::new(409, "cart_completed", "The cart has become an order").into(),
            OrderError::Database(error) => error.into(),
            OrderError::Db(error) => error.into(),
            OrderError::Ledger(error) => error.into(),
            error @ (OrderError::Totals | OrderError::Money(_)) => Self::Internal(error.into()),
        }
    }
}

/// Writes an order that waits for its payment. The tax columns are 0 until the shop reckons taxes.
///
/// # Errors
/// See [`OrderError`].
pub async fn insert_pending(tx: &mut Tx, order: NewOrder) -> Result<(), OrderError> {
    insert(tx, &order, OrderState::Pending, PaymentStatus::Pending, &[Entry::Created]).await.map(drop)
}

/// Writes an order that is a sale at once, because its money and its stock are held already: what [`insert_pending`] and [`place`] do, in one
/// step. The order as its shopper sees it; `payment_status` is what `payments` says of it.
///
/// # Errors
/// See [`OrderError`].
pub async fn insert_placed(tx: &mut Tx, order: NewOrder, payment_status: PaymentStatus) -> Result<OrderAnswer, OrderError> {
    let written = insert(tx, &order, OrderState::Placed, payment_status, &[Entry::Created, Entry::Placed]).await?;
    let number = written.number.clone().ok_or(sqlx::Error::RowNotFound)?;
    let OrderTotals { subtotal, delivery, total, .. } = order.totals;
    announce_sale(tx, order.id, NewSale { number, channel_kind: order.channel.kind, subtotal, delivery, total }).await?;
    Ok(answer::placed(order, written, payment_status, tx.now()))
}

async fn insert(tx: &mut Tx, order: &NewOrder, state: OrderState, payment: PaymentStatus, entries: &[Entry<'_>]) -> Result<Written, OrderError> {
    let lines: Vec<_> = order.lines.iter().map(|line| (i64::from(line.quantity), line.unit_price, line.total)).collect();
    if lines.is_empty() || !domain::adds_up(&order.totals, &lines)? {
        return Err(OrderError::Totals);
    }
    let (now, actor) = (tx.now(), tx.actor().as_str().to_owned());
    store::insert_order(tx.conn(), order, Beginning { state, payment, entries, actor: &actor }, now).await.map_err(cart_has_order)
}

fn cart_has_order(error: sqlx::Error) -> OrderError {
    if db::constraint_of(&error) == Some("order_one_per_cart") { OrderError::CartHasOrder } else { error.into() }
}

/// Makes a pending order a sale: it gets its number, is booked in the ledger and told to everyone. `hold_id` names the committed stock, which
/// may be another hold than the one it began with. False if it is not pending.
///
/// # Errors
/// See [`OrderError`].
pub async fn place(tx: &mut Tx, id: OrderId, hold_id: HoldId) -> Result<bool, OrderError> {
    let now = tx.now();
    let Some(sale) = store::place(tx.conn(), id, hold_id, now).await? else { return Ok(false) };
    insert_entry(tx, id, Entry::Placed).await?;
    announce_sale(tx, id, sale).await?;
    Ok(true)
}

/// Books a sale and tells it to everyone.
async fn announce_sale(tx: &mut Tx, id: OrderId, sale: NewSale) -> Result<(), OrderError> {
    let NewSale { number, channel_kind, subtotal, delivery, total } = sale;
    ledger::record_sale(tx, &Sale { order_id: id.uuid(), channel_kind, subtotal, delivery }).await?;
    tx.publish(&OrderPlaced { order_id: id, number, channel_kind, total }).await?;
    count(tx, "placed", channel_kind);
    Ok(())
}

/// Cancels an order whose payment came to nothing; `reason` is a stable code. Its hold and its payment are the caller's to settle. False if
/// it is not pending.
///
/// # Errors
/// See [`OrderError`].
pub async fn cancel_pending(tx: &mut Tx, id: OrderId, reason: &str) -> Result<bool, OrderError> {
    let now = tx.now();
    let Some(kind) = store::cancel(tx.conn(), id, OrderEvent::Abort, reason, now).await? else { return Ok(false) };
    insert_entry(tx, id, Entry::Canceled(reason)).await?;
    tx.publish(&OrderCanceled { order_id: id, channel_kind: kind, reason: reason.to_owned() }).await?;
    count(tx, "aborted", kind);
    Ok(true)
}

/// An order as its shopper sees it.
///
/// # Errors
/// The database failed.
pub async fn find_order(conn: &mut PgConnection, id: OrderId) -> Result<Option<OrderAnswer>, sqlx::Error> {
    match store::find_order(conn, id).await? {
        Some(row) => answer::order(conn, row).await.map(Some),
        None => Ok(None),
    }
}

/// The invariants of this schema, each looked at from outside the code that keeps it.
#[must_use]
pub fn checks() -> Vec<Check> {
    store::checks::checks().into_iter().chain([payment::check()]).collect()
}

async fn insert_entry(tx: &mut Tx, id: OrderId, entry: Entry<'_>) -> Result<(), OrderError> {
    let (now, actor) = (tx.now(), tx.actor().as_str().to_owned());
    store::insert_entry(tx.conn(), id, entry, &actor, now).await?;
    Ok(())
}

/// Counts how an order ended, once that is committed.
fn count(tx: &mut Tx, outcome: &'static str, kind: ChannelKind) {
    tx.after_commit(move || metrics::counter!("orders_total", "outcome" => outcome, "channel_kind" => kind.as_str()).increment(1));
}
