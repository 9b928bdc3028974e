//! Captures.

use kernel::{Currency, Money, Timestamp};
use payments_api::{AttemptId, CaptureAnswer, CaptureId, CaptureState};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{decode, money};

/// A capture and the attempt it takes from.
#[derive(Debug, Clone)]
pub(crate) struct Capture {
    /// Which.
    pub(crate) id: CaptureId,
    /// From what.
    pub(crate) attempt_id: AttemptId,
    /// How much.
    pub(crate) amount: Money,
    /// Where it stands.
    pub(crate) state: CaptureState,
    /// Why it failed.
    pub(crate) failure_code: Option<String>,
    /// When it was asked for.
    pub(crate) created_at: Timestamp,
}

impl Capture {
    /// As staff see it.
    pub(crate) fn answer(self) -> CaptureAnswer {
        CaptureAnswer { id: self.id, state: self.state, amount: self.amount, failure_code: self.failure_code, created_at: self.created_at }
    }
}

struct CaptureRow {
    id: CaptureId,
    attempt_id: AttemptId,
    amount_minor: i64,
    currency: Currency,
    state: String,
    failure_code: Option<String>,
    created_at: Timestamp,
}

impl CaptureRow {
    fn capture(self) -> Result<Capture, sqlx::Error> {
        Ok(Capture {
            id: self.id,
            attempt_id: self.attempt_id,
            amount: money(self.amount_minor, self.currency),
            state: decode("capture state", &self.state, |word| CaptureState::ALL.into_iter().find(|state| state.as_str() == word))?,
            failure_code: self.failure_code,
            created_at: self.created_at,
        })
    }
}

/// Writes a capture, `requested`.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    id: CaptureId,
    attempt: AttemptId,
    amount: Money,
    requested_by: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into payments.capture (id, attempt_id, amount_minor, currency, state, requested_by, created_at) values ($1, $2, $3, $4, 'requested', $5, $6)",
        id.uuid(),
        attempt.uuid(),
        amount.amount_minor(),
        amount.currency().code(),
        requested_by,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// One capture.
///
/// # Errors
/// The database failed.
pub(crate) async fn find(conn: &mut PgConnection, id: CaptureId) -> Result<Option<Capture>, sqlx::Error> {
    let row = sqlx::query_as!(
        CaptureRow,
        r#"select id as "id: CaptureId", attempt_id as "attempt_id: AttemptId", amount_minor, currency as "currency: Currency", state, failure_code, created_at
           from payments.capture where id = $1"#,
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    row.map(CaptureRow::capture).transpose()
}

/// The captures of these attempts, oldest first.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_of_attempts(conn: &mut PgConnection, attempts: &[Uuid]) -> Result<Vec<Capture>, sqlx::Error> {
    let rows = sqlx::query_as!(
        CaptureRow,
        r#"select id as "id: CaptureId", attempt_id as "attempt_id: AttemptId", amount_minor, currency as "currency: Currency", state, failure_code, created_at
           from payments.capture where attempt_id = any($1) order by id"#,
        attempts
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(CaptureRow::capture).collect()
}

/// Moves a capture on, if it still stands there; false if not.
///
/// # Errors
/// The database failed.
pub(crate) async fn update_state(
    conn: &mut PgConnection,
    id: CaptureId,
    from: CaptureState,
    to: CaptureState,
    failure_code: Option<&str>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query!(
        "update payments.capture
         set state = $3, failure_code = $4, settled_at = case when $3 in ('succeeded', 'failed') then $5::timestamptz end
         where id = $1 and state = $2",
        id.uuid(),
        from.as_str(),
        to.as_str(),
        failure_code,
        now
    )
    .execute(conn)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Claims open captures for the reconciler, the longest unasked first.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_open(conn: &mut PgConnection, created_before: Timestamp, most: i64, now: Timestamp) -> Result<Vec<CaptureId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"update payments.capture set checked_at = $3
           where id in (select id from payments.capture where state in ('requested', 'unknown') and created_at < $1
                        order by checked_at nulls first, id limit $2 for update skip locked)
           returning id as "id: CaptureId""#,
        created_before,
        most,
        now
    )
    .fetch_all(conn)
    .await
}
