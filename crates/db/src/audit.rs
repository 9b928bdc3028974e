//! What was done to a record. Entries are written by [`Tx::audit`](crate::Tx::audit).

use kernel::Timestamp;
use kernel::audit::{AuditEntryAnswer, AuditEntryId};
use sqlx::PgConnection;

/// The entries about a record, the latest first: those behind `after`, `most` at most.
///
/// # Errors
/// The database failed.
pub async fn list(conn: &mut PgConnection, subject: &str, after: Option<(Timestamp, AuditEntryId)>, most: i64) -> Result<Vec<AuditEntryAnswer>, sqlx::Error> {
    let (moment, id) = after.map(|(moment, id)| (moment, id.uuid())).unzip();
    sqlx::query_as!(
        AuditEntryAnswer,
        r#"select id as "id: AuditEntryId", actor, action, subject, detail, occurred_at from ops.audit_entry
           where subject = $1 and (occurred_at, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
           order by occurred_at desc, id desc limit $4"#,
        subject,
        moment,
        id,
        most
    )
    .fetch_all(conn)
    .await
}
