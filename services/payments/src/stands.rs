//! How the payment of orders stands, for those who compare it with what others know.

use std::collections::HashMap;

use kernel::Timestamp;
use payments_api::{AttemptId, AttemptState};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::stands as store;

/// How an attempt stands.
#[derive(Debug, Clone)]
pub struct AttemptStand {
    /// Which.
    pub id: AttemptId,
    /// Where it stands.
    pub state: AttemptState,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// Its currency's code.
    pub currency: String,
    /// Whether a void is requested, unknown or succeeded.
    pub is_let_go: bool,
    /// Succeeded captures, in minor units.
    pub captured_minor: i64,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Everything that payments know of an order.
#[derive(Debug, Clone, Default)]
pub struct PaymentStand {
    /// The tries to pay it, the oldest first.
    pub attempts: Vec<AttemptStand>,
    /// What the ledger says was sold, if it says so.
    pub sale_minor: Option<i64>,
    /// Whether the ledger has taken the sale back.
    pub is_reversed: bool,
    /// What the ledger says is still owed.
    pub receivable_minor: i64,
}

/// How the payment of these orders stands; orders that payments never heard of are absent.
///
/// # Errors
/// The database failed.
pub async fn list_payment_stands(conn: &mut PgConnection, orders: &[Uuid]) -> Result<HashMap<Uuid, PaymentStand>, sqlx::Error> {
    let mut stands: HashMap<Uuid, PaymentStand> = HashMap::new();
    for (order, attempt) in store::list_attempts(conn, orders).await? {
        stands.entry(order).or_default().attempts.push(attempt);
    }
    for row in store::sum_ledger(conn, orders).await? {
        let stand = stands.entry(row.order_id).or_default();
        stand.sale_minor = row.sale_minor;
        stand.is_reversed = row.is_reversed;
        stand.receivable_minor = row.receivable_minor;
    }
    Ok(stands)
}

/// Up to `most` attempts behind `after`, with the orders they pay.
///
/// # Errors
/// The database failed.
pub async fn list_attempts_after(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<(AttemptId, Uuid)>, sqlx::Error> {
    store::list_attempts_after(conn, after, most).await
}

/// Up to `most` transactions of the ledger behind `after`, with their orders.
///
/// # Errors
/// The database failed.
pub async fn list_ledger_after(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<(Uuid, Uuid)>, sqlx::Error> {
    store::list_ledger_after(conn, after, most).await
}
