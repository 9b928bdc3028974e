//! Voids.

use kernel::Timestamp;
use payments_api::{AttemptId, VoidAnswer, VoidId, VoidState};
use sqlx::PgConnection;
use uuid::Uuid;

use super::decode;

/// A void and the attempt it lets go.
#[derive(Debug, Clone)]
pub(crate) struct Void {
    /// Which.
    pub(crate) id: VoidId,
    /// Of what.
    pub(crate) attempt_id: AttemptId,
    /// Where it stands.
    pub(crate) state: VoidState,
    /// Why it failed.
    pub(crate) failure_code: Option<String>,
    /// When it was asked for.
    pub(crate) created_at: Timestamp,
}

impl Void {
    /// As staff see it.
    pub(crate) fn answer(self) -> VoidAnswer {
        VoidAnswer { id: self.id, state: self.state, failure_code: self.failure_code, created_at: self.created_at }
    }
}

struct VoidRow {
    id: VoidId,
    attempt_id: AttemptId,
    state: String,
    failure_code: Option<String>,
    created_at: Timestamp,
}

impl VoidRow {
    fn void(self) -> Result<Void, sqlx::Error> {
        Ok(Void {
            id: self.id,
            attempt_id: self.attempt_id,
            state: decode("void state", &self.state, |word| VoidState::ALL.into_iter().find(|state| state.as_str() == word))?,
            failure_code: self.failure_code,
            created_at: self.created_at,
        })
    }
}

/// Writes a void, `requested`; false when the attempt has one that has not failed.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    id: VoidId,
    attempt: AttemptId,
    reason: &str,
    requested_by: &str,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into payments.void (id, attempt_id, state, reason, requested_by, created_at) values ($1, $2, 'requested', $3, $4, $5)
         on conflict (attempt_id) where state <> 'failed' do nothing",
        id.uuid(),
        attempt.uuid(),
        reason,
        requested_by,
        now
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// One void.
///
/// # Errors
/// The database failed.
pub(crate) async fn find(conn: &mut PgConnection, id: VoidId) -> Result<Option<Void>, sqlx::Error> {
    let row = sqlx::query_as!(
        VoidRow,
        r#"select id as "id: VoidId", attempt_id as "attempt_id: AttemptId", state, failure_code, created_at from payments.void where id = $1"#,
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    row.map(VoidRow::void).transpose()
}

/// The newest void of each of these attempts.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_newest_of_attempts(conn: &mut PgConnection, attempts: &[Uuid]) -> Result<Vec<Void>, sqlx::Error> {
    let rows = sqlx::query_as!(
        VoidRow,
        r#"select distinct on (attempt_id) id as "id: VoidId", attempt_id as "attempt_id: AttemptId", state, failure_code, created_at
           from payments.void where attempt_id = any($1) order by attempt_id, id desc"#,
        attempts
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(VoidRow::void).collect()
}

/// Moves a void on, if it still stands there; false if not.
///
/// # Errors
/// The database failed.
pub(crate) async fn update_state(
    conn: &mut PgConnection,
    id: VoidId,
    from: VoidState,
    to: VoidState,
    failure_code: Option<&str>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query!(
        "update payments.void
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

/// Claims open voids for the reconciler, the longest unasked first.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_open(conn: &mut PgConnection, created_before: Timestamp, most: i64, now: Timestamp) -> Result<Vec<VoidId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"update payments.void set checked_at = $3
           where id in (select id from payments.void where state in ('requested', 'unknown') and created_at < $1
                        order by checked_at nulls first, id limit $2 for update skip locked)
           returning id as "id: VoidId""#,
        created_before,
        most,
        now
    )
    .fetch_all(conn)
    .await
}
