//! Kept views.

use identity_api::{SavedViewAnswer, SavedViewId, StaffId, ViewedList};
use kernel::Timestamp;
use sqlx::PgConnection;

/// The views a member keeps of a list, in the order they were made.
///
/// # Errors
/// The database failed.
pub(crate) async fn list(conn: &mut PgConnection, owner: StaffId, list: ViewedList) -> Result<Vec<SavedViewAnswer>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: SavedViewId", name, query from identity.saved_view where staff_id = $1 and list = $2 order by created_at, id limit 100"#,
        owner.uuid(),
        list.as_str()
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| SavedViewAnswer { id: row.id, list, name: row.name, query: row.query }).collect())
}

/// How many views a member keeps of a list. The member's row is locked until the transaction ends, so that nobody counts at the same time.
///
/// # Errors
/// The database failed.
pub(crate) async fn count_locked(conn: &mut PgConnection, owner: StaffId, list: ViewedList) -> Result<i64, sqlx::Error> {
    sqlx::query!("select id from identity.staff where id = $1 for no key update", owner.uuid()).fetch_optional(&mut *conn).await?;
    sqlx::query_scalar!(r#"select count(*) as "count!" from identity.saved_view where staff_id = $1 and list = $2"#, owner.uuid(), list.as_str())
        .fetch_one(conn)
        .await
}

/// Writes a view.
///
/// # Errors
/// The member keeps one of this name (constraint `saved_view_name_unique`); the database failed.
pub(crate) async fn insert(conn: &mut PgConnection, owner: StaffId, view: &SavedViewAnswer, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into identity.saved_view (id, staff_id, list, name, query, created_at) values ($1, $2, $3, $4, $5, $6)",
        view.id.uuid(),
        owner.uuid(),
        view.list.as_str(),
        view.name,
        view.query,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a view of a member's; false if the member keeps no such one.
///
/// # Errors
/// The database failed.
pub(crate) async fn delete(conn: &mut PgConnection, owner: StaffId, id: SavedViewId) -> Result<bool, sqlx::Error> {
    let deleted = sqlx::query!("delete from identity.saved_view where id = $1 and staff_id = $2", id.uuid(), owner.uuid()).execute(conn).await?;
    Ok(deleted.rows_affected() == 1)
}
