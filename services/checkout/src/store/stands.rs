//! How completions stand, and what must always hold of them.

use cart_api::CartId;
use chrono::TimeDelta;
use db::check::{Batch, Check, Finding, Place};
use inventory_api::HoldId;
use orders_api::OrderId;
use payments_api::AttemptId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::CompletionState;

/// Longer than any shopper, provider or reconciler takes while all of them work.
const OPEN_AT_MOST: TimeDelta = TimeDelta::hours(1);

/// How a completion stands.
#[derive(Debug, Clone)]
pub struct CompletionStand {
    /// The order it makes.
    pub order_id: OrderId,
    /// The cart it takes.
    pub cart_id: CartId,
    /// The try to pay.
    pub attempt_id: AttemptId,
    /// The stock it reserved first.
    pub hold_id: HoldId,
    /// Where it stands.
    pub state: CompletionState,
}

struct Columns {
    order_id: OrderId,
    cart_id: CartId,
    attempt_id: AttemptId,
    hold_id: HoldId,
    state: String,
}

impl From<Columns> for CompletionStand {
    fn from(row: Columns) -> Self {
        let Columns { order_id, cart_id, attempt_id, hold_id, state } = row;
        Self { order_id, cart_id, attempt_id, hold_id, state: CompletionState::of(&state).unwrap_or(CompletionState::Started) }
    }
}

/// The invariants of this schema.
pub(crate) fn checks() -> Vec<Check> {
    vec![Check {
        name: "checkout.open",
        rule: "No purchase hangs between cart and order",
        remedy: "See whether a worker runs and the payment provider can be reached: the reconciler settles what is open. A dead `checkout.settle_attempt` job is to be replayed.",
        look: |conn, place| Box::pin(open(conn, place)),
    }]
}

async fn open(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select order_id as "order_id: OrderId", state, created_at from checkout.completion
           where state in ('started', 'waiting') and order_id > $1 order by order_id limit $2"#,
        place.after_id(),
        place.most()
    )
    .fetch_all(conn)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.order_id.uuid()).collect();
    let late = rows.into_iter().filter(|row| row.created_at < place.now() - OPEN_AT_MOST);
    let findings = late.map(|row| Finding::new(format!("completion of {} has been {} for more than an hour", row.order_id, row.state)));
    Ok(Batch::of_ids(place, &ids, findings.collect()))
}

/// Up to `most` completions whose orders are behind `after`.
///
/// # Errors
/// The database failed.
pub async fn list_completions_after(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<CompletionStand>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Columns,
        r#"select order_id as "order_id: _", cart_id as "cart_id: _", attempt_id as "attempt_id: _", hold_id as "hold_id: _", state
           from checkout.completion where order_id > $1 order by order_id limit $2"#,
        after,
        most
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The completions of these orders; those that are forgotten are absent.
///
/// # Errors
/// The database failed.
pub async fn list_completions(conn: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<CompletionStand>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Columns,
        r#"select order_id as "order_id: _", cart_id as "cart_id: _", attempt_id as "attempt_id: _", hold_id as "hold_id: _", state
           from checkout.completion where order_id = any($1)"#,
        orders
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The completions of these carts; those that are forgotten are absent.
///
/// # Errors
/// The database failed.
pub async fn list_completions_of_carts(conn: &mut PgConnection, carts: &[Uuid]) -> Result<Vec<CompletionStand>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Columns,
        r#"select order_id as "order_id: _", cart_id as "cart_id: _", attempt_id as "attempt_id: _", hold_id as "hold_id: _", state
           from checkout.completion where cart_id = any($1)"#,
        carts
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
