//! Stock locations.

use catalog_api::ChannelId;
use inventory_api::{LocationAnswer, LocationId};
use kernel::Timestamp;
use sqlx::PgConnection;

use super::uuids;

/// Every location in the order of use. A shop with more than 1,000 would want pages.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_locations(conn: &mut PgConnection) -> Result<Vec<LocationAnswer>, sqlx::Error> {
    sqlx::query_as!(
        LocationAnswer,
        r#"select location.id as "id: LocationId", location.code, location.name,
                  array(select channel_id from inventory.location_channel where location_id = location.id order by channel_id)
                  as "channel_ids!: Vec<ChannelId>"
           from inventory.location order by location.position limit 1000"#
    )
    .fetch_all(conn)
    .await
}

/// A location to be written.
#[derive(Debug)]
pub(crate) struct NewLocation<'a> {
    /// Which.
    pub(crate) id: LocationId,
    /// Its short name.
    pub(crate) code: &'a str,
    /// Its name.
    pub(crate) name: &'a str,
    /// The channels it serves, each once.
    pub(crate) channels: &'a [ChannelId],
}

/// Writes a location with its channels.
///
/// # Errors
/// The database failed, or the code is taken (constraint `location_code_unique`).
pub(crate) async fn insert_location(conn: &mut PgConnection, location: &NewLocation<'_>, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with location as (
             insert into inventory.location (id, code, name, created_at) values ($1, $2, $3, $4)
         )
         insert into inventory.location_channel (location_id, channel_id) select $1, channel_id from unnest($5::uuid[]) as channel_id",
        location.id.uuid(),
        location.code,
        location.name,
        now,
        &uuids(location.channels)
    )
    .execute(conn)
    .await?;
    Ok(())
}
