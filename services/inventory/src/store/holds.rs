//! Holds and their lines.

use catalog_api::{ChannelId, VariantId};
use inventory_api::{HoldId, LocationId};
use kernel::Timestamp;
use sqlx::PgConnection;

use super::uuids;
use crate::domain::{Allocation, HoldEvent, HoldState};

/// A hold to be written with the moves that take its stock.
#[derive(Debug)]
pub(crate) struct NewHold {
    /// Which.
    pub(crate) id: HoldId,
    /// Whose stock.
    pub(crate) channel: ChannelId,
    /// Held, or committed at once.
    pub(crate) state: HoldState,
    /// When it may expire.
    pub(crate) expires_at: Option<Timestamp>,
}

/// Moves a hold, if it is in a state from which the event leads on.
///
/// # Errors
/// The database failed.
pub(crate) async fn move_hold(conn: &mut PgConnection, id: HoldId, event: HoldEvent, now: Timestamp) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query!(
        "update inventory.hold set state = $2, changed_at = $3, expires_at = case when $2 = 'committed' then null else expires_at end
         where id = $1 and state = any($4)",
        id.uuid(),
        event.to().as_str(),
        now,
        &event.from()
    )
    .execute(conn)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Whether a hold is in a state.
///
/// # Errors
/// The database failed.
pub(crate) async fn is_hold_in(conn: &mut PgConnection, id: HoldId, state: HoldState) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select exists (select from inventory.hold where id = $1 and state = $2) as "exists!""#, id.uuid(), state.as_str())
        .fetch_one(conn)
        .await
}

/// Takes away the end of a hold in a state. False if it is in another.
///
/// # Errors
/// The database failed.
pub(crate) async fn pin_hold(conn: &mut PgConnection, id: HoldId, state: HoldState) -> Result<bool, sqlx::Error> {
    let pinned = sqlx::query!("update inventory.hold set expires_at = null where id = $1 and state = $2", id.uuid(), state.as_str()).execute(conn).await?;
    Ok(pinned.rows_affected() == 1)
}

/// Expires up to `most` overdue holds, leaving those alone that another transaction is working on.
///
/// # Errors
/// The database failed.
pub(crate) async fn expire_overdue_holds(conn: &mut PgConnection, now: Timestamp, most: i64) -> Result<Vec<HoldId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"with overdue as (
               select id from inventory.hold where state = 'held' and state = any($3) and expires_at < $1
               order by expires_at, id limit $4 for update skip locked
           )
           update inventory.hold set state = $2, changed_at = $1 from overdue where hold.id = overdue.id
           returning hold.id as "id: HoldId""#,
        now,
        HoldEvent::Expire.to().as_str(),
        &HoldEvent::Expire.from(),
        most
    )
    .fetch_all(conn)
    .await
}

/// What a hold has taken from a level.
#[derive(Debug)]
pub(crate) struct HeldLine {
    /// Which hold.
    pub(crate) hold_id: HoldId,
    /// What it took.
    pub(crate) taken: Allocation,
}

/// The lines of holds, with their levels locked by variant and location.
///
/// # Errors
/// The database failed.
pub(crate) async fn lock_levels_of_holds(conn: &mut PgConnection, holds: &[HoldId]) -> Result<Vec<HeldLine>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select hold_line.hold_id as "hold_id: HoldId", hold_line.variant_id as "variant_id: VariantId",
                  hold_line.location_id as "location_id: LocationId", hold_line.quantity
           from inventory.hold_line
           join inventory.level on level.variant_id = hold_line.variant_id and level.location_id = hold_line.location_id
           where hold_line.hold_id = any($1)
           order by level.variant_id, level.location_id, hold_line.hold_id for no key update of level"#,
        &uuids(holds)
    )
    .fetch_all(conn)
    .await?;
    let line = |(hold_id, variant_id, location_id, quantity)| HeldLine { hold_id, taken: Allocation { variant_id, location_id, quantity } };
    Ok(rows.into_iter().map(|row| line((row.hold_id, row.variant_id, row.location_id, row.quantity))).collect())
}

/// Forgets up to `most` holds that ended before a moment.
///
/// # Errors
/// The database failed.
pub(crate) async fn delete_ended_holds(conn: &mut PgConnection, before: Timestamp, most: i64) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query!(
        "delete from inventory.hold where id in (
             select id from inventory.hold where state in ('released', 'expired') and changed_at < $1 order by changed_at limit $2 for update skip locked)",
        before,
        most
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}
