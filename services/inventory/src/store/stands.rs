//! How holds and bands stand.

use catalog_api::VariantId;
use inventory_api::HoldId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::uuids;
use crate::stands::BandStand;

/// A line of a hold, with the hold's state.
#[derive(Debug)]
pub(crate) struct HoldLineRow {
    pub(crate) hold_id: HoldId,
    pub(crate) state: String,
    pub(crate) variant_id: VariantId,
    pub(crate) quantity: i64,
}

/// The lines of these holds.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_lines_of_holds(conn: &mut PgConnection, ids: &[HoldId]) -> Result<Vec<HoldLineRow>, sqlx::Error> {
    sqlx::query_as!(
        HoldLineRow,
        r#"select hold.id as "hold_id: HoldId", hold.state, line.variant_id as "variant_id: VariantId", line.quantity
           from inventory.hold join inventory.hold_line as line on line.hold_id = hold.id where hold.id = any($1)"#,
        &uuids(ids)
    )
    .fetch_all(conn)
    .await
}

/// The holds behind an id, with their states.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_holds_after(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<(HoldId, String)>, sqlx::Error> {
    let rows = sqlx::query!(r#"select id as "id: HoldId", state from inventory.hold where id > $1 order by id limit $2"#, after, most).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.state)).collect())
}

/// The variants behind an id of which a band is known.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_banded_variants(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("select distinct variant_id from inventory.level where variant_id > $1 order by variant_id limit $2", after, most).fetch_all(conn).await
}

/// What was last told of these variants.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_bands_of(conn: &mut PgConnection, variants: &[Uuid]) -> Result<Vec<BandStand>, sqlx::Error> {
    sqlx::query_as!(
        BandStand,
        r#"select channel_id as "channel_id: _", variant_id as "variant_id: _", band, sequence from inventory.band
           where channel_id in (select distinct channel_id from inventory.location_channel) and variant_id = any($1)"#,
        variants
    )
    .fetch_all(conn)
    .await
}
