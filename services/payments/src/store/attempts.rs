//! Attempts.

use catalog_api::ChannelKind;
use kernel::{Currency, Money, Timestamp};
use payments_api::{AttemptId, AttemptState, NextAction};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{decode, money};
use crate::attempts::Attempt;
use crate::domain;

struct AttemptRow {
    id: AttemptId,
    order_id: Uuid,
    channel_kind: String,
    provider: String,
    instrument: Option<String>,
    amount_minor: i64,
    currency: Currency,
    state: String,
    provider_reference: Option<String>,
    failure_code: Option<String>,
    next_action: Option<serde_json::Value>,
    return_url: Option<String>,
    captured_minor: i64,
    capturing_minor: i64,
    is_let_go: bool,
    version: i64,
    created_at: Timestamp,
}

impl AttemptRow {
    fn attempt(self) -> Result<Attempt, sqlx::Error> {
        let next_action = self.next_action.map(serde_json::from_value::<NextAction>).transpose();
        Ok(Attempt {
            id: self.id,
            order_id: self.order_id,
            provider: self.provider,
            instrument: self.instrument,
            state: decode("attempt state", &self.state, |word| AttemptState::ALL.into_iter().find(|state| state.as_str() == word))?,
            amount: money(self.amount_minor, self.currency),
            channel_kind: decode("channel kind", &self.channel_kind, domain::channel_kind)?,
            provider_reference: self.provider_reference,
            failure_code: self.failure_code,
            next_action: next_action.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            return_url: self.return_url,
            captured: money(self.captured_minor, self.currency),
            capturing: money(self.capturing_minor, self.currency),
            is_let_go: self.is_let_go,
            version: self.version,
            created_at: self.created_at,
        })
    }
}

/// A statement that answers attempts: what stands before their columns, what stands behind them, and its arguments.
macro_rules! attempts {
    ($before:tt, $behind:tt, $($argument:expr),*) => {
        sqlx::query_as!(
            AttemptRow,
            $before
                + r#" id as "id: AttemptId", order_id, channel_kind, provider, instrument, amount_minor, currency as "currency: Currency", state,
                      provider_reference, failure_code, next_action, return_url, captured_minor, capturing_minor, is_let_go, version, created_at "#
                + $behind,
            $($argument),*
        )
    };
}

/// An attempt to be written.
pub(crate) struct NewRow<'a> {
    /// The order.
    pub(crate) order_id: Uuid,
    /// Whether its sale is real.
    pub(crate) channel_kind: ChannelKind,
    /// Who processes it.
    pub(crate) provider: &'a str,
    /// What is charged, as the provider names it.
    pub(crate) instrument: Option<&'a str>,
    /// How much.
    pub(crate) amount: Money,
    /// Where a second step leads back to.
    pub(crate) return_url: Option<&'a str>,
}

/// Writes an attempt, `created`.
///
/// # Errors
/// The database failed, or the order has a live attempt (`attempt_one_live_per_order`).
pub(crate) async fn insert(conn: &mut PgConnection, id: AttemptId, new: &NewRow<'_>, now: Timestamp) -> Result<Attempt, sqlx::Error> {
    let statement = attempts!(
        "insert into payments.attempt (id, order_id, channel_kind, provider, instrument, amount_minor, currency, state, return_url, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, 'created', $8, $9, $9)
         returning",
        "",
        id.uuid(),
        new.order_id,
        new.channel_kind.as_str(),
        new.provider,
        new.instrument,
        new.amount.amount_minor(),
        new.amount.currency().code(),
        new.return_url,
        now
    );
    statement.fetch_one(conn).await?.attempt()
}

/// These attempts, in the order of their ids, which is the order they were made in.
///
/// # Errors
/// The database failed.
pub(crate) async fn list(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Attempt>, sqlx::Error> {
    let rows = attempts!("select", "from payments.attempt where id = any($1) order by id", ids).fetch_all(conn).await?;
    rows.into_iter().map(AttemptRow::attempt).collect()
}

/// One attempt.
///
/// # Errors
/// The database failed.
pub(crate) async fn find(conn: &mut PgConnection, id: AttemptId) -> Result<Option<Attempt>, sqlx::Error> {
    let row = attempts!("select", "from payments.attempt where id = $1", id.uuid()).fetch_optional(conn).await?;
    row.map(AttemptRow::attempt).transpose()
}

/// One attempt, its row locked until the transaction ends.
///
/// # Errors
/// The database failed.
pub(crate) async fn lock(conn: &mut PgConnection, id: AttemptId) -> Result<Option<Attempt>, sqlx::Error> {
    let row = attempts!("select", "from payments.attempt where id = $1 for update", id.uuid()).fetch_optional(conn).await?;
    row.map(AttemptRow::attempt).transpose()
}

/// The attempt that holds an order's money, its row locked until the transaction ends. There is one at most.
///
/// # Errors
/// The database failed.
pub(crate) async fn lock_authorized(conn: &mut PgConnection, order_id: Uuid) -> Result<Option<Attempt>, sqlx::Error> {
    let statement = attempts!("select", "from payments.attempt where order_id = $1 and state = 'authorized' for update", order_id);
    statement.fetch_optional(conn).await?.map(AttemptRow::attempt).transpose()
}

/// The attempts of these orders, in the order they were made in.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_of_orders(conn: &mut PgConnection, order_ids: &[Uuid]) -> Result<Vec<Attempt>, sqlx::Error> {
    let rows = attempts!("select", "from payments.attempt where order_id = any($1) order by id", order_ids).fetch_all(conn).await?;
    rows.into_iter().map(AttemptRow::attempt).collect()
}

/// What a move writes beside the state.
#[derive(Debug, Default)]
pub(crate) struct Move<'a> {
    /// The provider's name for the payment, once known.
    pub(crate) reference: Option<&'a str>,
    /// Why it failed.
    pub(crate) failure_code: Option<&'a str>,
    /// What the shopper has to do.
    pub(crate) next_action: Option<serde_json::Value>,
}

/// Moves an attempt on, if it still stands where it was read. The attempt after the move, or nothing.
///
/// # Errors
/// The database failed.
pub(crate) async fn update_state(
    conn: &mut PgConnection,
    attempt: &Attempt,
    to: AttemptState,
    with: &Move<'_>,
    now: Timestamp,
) -> Result<Option<Attempt>, sqlx::Error> {
    let statement = attempts!(
        "update payments.attempt
         set state = $4, provider_reference = coalesce($5, provider_reference), failure_code = $6, next_action = $7, version = version + 1, updated_at = $8
         where id = $1 and state = $2 and version = $3
         returning",
        "",
        attempt.id.uuid(),
        attempt.state.as_str(),
        attempt.version,
        to.as_str(),
        with.reference,
        with.failure_code,
        with.next_action,
        now
    );
    statement.fetch_optional(conn).await?.map(AttemptRow::attempt).transpose()
}

/// Sets money aside for a capture, if so much is held and free; false if not.
///
/// # Errors
/// The database failed.
pub(crate) async fn begin_capture(conn: &mut PgConnection, id: AttemptId, amount_minor: i64, now: Timestamp) -> Result<bool, sqlx::Error> {
    let set_aside = sqlx::query!(
        "update payments.attempt set capturing_minor = capturing_minor + $2, version = version + 1, updated_at = $3
         where id = $1 and state = 'authorized' and not is_let_go and $2::bigint > 0 and amount_minor - captured_minor - capturing_minor >= $2",
        id.uuid(),
        amount_minor,
        now
    )
    .execute(conn)
    .await?;
    Ok(set_aside.rows_affected() == 1)
}

/// Ends a capture: what was set aside is taken, or free again.
///
/// # Errors
/// The database failed.
pub(crate) async fn end_capture(conn: &mut PgConnection, id: AttemptId, amount_minor: i64, is_taken: bool, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update payments.attempt
         set capturing_minor = capturing_minor - $2, captured_minor = captured_minor + case when $3 then $2 else 0 end,
             version = version + 1, updated_at = $4
         where id = $1",
        id.uuid(),
        amount_minor,
        is_taken,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks an untouched authorization as let go; false when it is none.
///
/// # Errors
/// The database failed.
pub(crate) async fn begin_void(conn: &mut PgConnection, id: AttemptId, now: Timestamp) -> Result<bool, sqlx::Error> {
    let marked = sqlx::query!(
        "update payments.attempt set is_let_go = true, version = version + 1, updated_at = $2
         where id = $1 and state = 'authorized' and not is_let_go and captured_minor + capturing_minor = 0",
        id.uuid(),
        now
    )
    .execute(conn)
    .await?;
    Ok(marked.rows_affected() == 1)
}

/// Takes the mark back, when the provider refused to let the money go.
///
/// # Errors
/// The database failed.
pub(crate) async fn undo_void(conn: &mut PgConnection, id: AttemptId, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!("update payments.attempt set is_let_go = false, version = version + 1, updated_at = $2 where id = $1 and is_let_go", id.uuid(), now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Open attempts the reconciler should ask about, the longest unasked first: those the provider may never have heard of once
/// they are older than `created_before`, and all that wait.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_open(conn: &mut PgConnection, created_before: Timestamp, most: i64) -> Result<Vec<Attempt>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select id from payments.attempt
         where state in ('created', 'requires_action', 'processing') and (state <> 'created' or created_at < $1)
         order by checked_at nulls first, id limit $2",
        created_before,
        most
    )
    .fetch_all(&mut *conn)
    .await?;
    list(conn, &ids).await
}

/// Notes that the provider was asked.
///
/// # Errors
/// The database failed.
pub(crate) async fn update_checked(conn: &mut PgConnection, id: AttemptId, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!("update payments.attempt set checked_at = $2 where id = $1", id.uuid(), now).execute(conn).await?;
    Ok(())
}
