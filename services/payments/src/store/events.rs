//! The inbox of what providers send.

use kernel::Timestamp;
use payments_api::AttemptId;
use sqlx::PgConnection;

/// Takes a piece of news in; false when it was taken in before.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    provider: &str,
    event_id: &str,
    attempt: AttemptId,
    outcome: &str,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into payments.provider_event (provider, provider_event_id, attempt_id, outcome, changed, received_at)
         values ($1, $2, $3, $4, false, $5) on conflict on constraint provider_event_once do nothing",
        provider,
        event_id,
        attempt.uuid(),
        outcome,
        now
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Notes that a piece of news moved its attempt.
///
/// # Errors
/// The database failed.
pub(crate) async fn update_changed(conn: &mut PgConnection, provider: &str, event_id: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("update payments.provider_event set changed = true where provider = $1 and provider_event_id = $2", provider, event_id).execute(conn).await?;
    Ok(())
}

/// Forgets old news, a thousand at a time. The number of rows.
///
/// # Errors
/// The database failed.
pub(crate) async fn sweep(conn: &mut PgConnection, before: Timestamp) -> Result<u64, sqlx::Error> {
    let rows = sqlx::query!(
        "delete from payments.provider_event where (provider, provider_event_id) in
             (select provider, provider_event_id from payments.provider_event where received_at < $1 limit 1000)",
        before
    )
    .execute(conn)
    .await?;
    Ok(rows.rows_affected())
}
