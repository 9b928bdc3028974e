//! How the payment of orders stands.

use payments_api::{AttemptId, AttemptState};
use sqlx::PgConnection;
use uuid::Uuid;

use super::decode;
use crate::stands::AttemptStand;

/// What the ledger says of an order.
#[derive(Debug)]
pub(crate) struct LedgerRow {
    pub(crate) order_id: Uuid,
    pub(crate) sale_minor: Option<i64>,
    pub(crate) is_reversed: bool,
    pub(crate) receivable_minor: i64,
}

/// The attempts of these orders, the oldest first.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_attempts(conn: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<(Uuid, AttemptStand)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select order_id, id as "id: AttemptId", state, amount_minor, currency, is_let_go, captured_minor, updated_at
           from payments.attempt where order_id = any($1) order by order_id, id"#,
        orders
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let state = decode("attempt state", &row.state, |word| AttemptState::ALL.into_iter().find(|state| state.as_str() == word))?;
            let (amount_minor, captured_minor) = (row.amount_minor, row.captured_minor);
            Ok((
                row.order_id,
                AttemptStand { id: row.id, state, amount_minor, currency: row.currency, is_let_go: row.is_let_go, captured_minor, updated_at: row.updated_at },
            ))
        })
        .collect()
}

/// What the ledger says of these orders.
///
/// # Errors
/// The database failed.
pub(crate) async fn sum_ledger(conn: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<LedgerRow>, sqlx::Error> {
    sqlx::query_as!(
        LedgerRow,
        r#"select t.order_id, (sum(p.amount_minor) filter (where t.kind = 'sale'))::bigint as sale_minor, bool_or(t.kind = 'sale_reversal') as "is_reversed!",
                  sum(p.amount_minor)::bigint as "receivable_minor!"
           from payments.ledger_transaction as t join payments.ledger_posting as p on p.transaction_id = t.id and p.account = 'receivable'
           where t.order_id = any($1) group by t.order_id"#,
        orders
    )
    .fetch_all(conn)
    .await
}

/// Attempts behind an id, with their orders.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_attempts_after(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<(AttemptId, Uuid)>, sqlx::Error> {
    let rows =
        sqlx::query!(r#"select id as "id: AttemptId", order_id from payments.attempt where id > $1 order by id limit $2"#, after, most).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.order_id)).collect())
}

/// Transactions of the ledger behind an id, with their orders.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_ledger_after(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<(Uuid, Uuid)>, sqlx::Error> {
    let rows = sqlx::query!("select id, order_id from payments.ledger_transaction where id > $1 order by id limit $2", after, most).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.order_id)).collect())
}
