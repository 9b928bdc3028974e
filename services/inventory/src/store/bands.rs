//! Bands: what was last told of a variant in a channel.

use std::collections::HashMap;

use catalog_api::{ChannelId, VariantId};
use inventory_api::{LocationId, StockBandChanged};
use sqlx::PgConnection;

use super::uuids;

/// What was last told.
#[derive(Debug)]
pub(crate) struct KnownBand {
    /// Where it is sold.
    pub(crate) channel_id: ChannelId,
    /// Of what.
    pub(crate) variant_id: VariantId,
    /// The band, as tables name it.
    pub(crate) band: String,
    /// How many changes were told.
    pub(crate) sequence: i64,
}

/// Makes the bands of a variant in the channels of a location that has it for the first time; nothing has been told, which means out.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert_bands(conn: &mut PgConnection, location: LocationId, variant: VariantId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into inventory.band (channel_id, variant_id, band, sequence)
         select channel_id, $2, 'out', 0 from inventory.location_channel where location_id = $1 order by channel_id
         on conflict do nothing",
        location.uuid(),
        variant.uuid()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks the bands of the variants in every channel that the locations serve, by channel and variant.
///
/// # Errors
/// The database failed.
pub(crate) async fn lock_bands(conn: &mut PgConnection, variants: &[VariantId], locations: &[LocationId]) -> Result<Vec<KnownBand>, sqlx::Error> {
    sqlx::query_as!(
        KnownBand,
        r#"select channel_id as "channel_id: ChannelId", variant_id as "variant_id: VariantId", band, sequence
           from inventory.band
           where variant_id = any($1) and channel_id in (select channel_id from inventory.location_channel where location_id = any($2))
           order by channel_id, variant_id for no key update"#,
        &uuids(variants),
        &uuids(locations)
    )
    .fetch_all(conn)
    .await
}

/// What is available of the variants in each of the channels. Pairs without a level are absent.
///
/// # Errors
/// The database failed.
pub(crate) async fn sum_available(
    conn: &mut PgConnection,
    channels: &[ChannelId],
    variants: &[VariantId],
) -> Result<HashMap<(ChannelId, VariantId), i64>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select location_channel.channel_id as "channel_id: ChannelId", level.variant_id as "variant_id: VariantId",
                  sum(level.on_hand - level.reserved)::bigint as "available!"
           from inventory.level join inventory.location_channel on location_channel.location_id = level.location_id
           where level.variant_id = any($2) and location_channel.channel_id = any($1)
           group by location_channel.channel_id, level.variant_id"#,
        &uuids(channels),
        &uuids(variants)
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.channel_id, row.variant_id), row.available)).collect())
}

/// Notes what is told now.
///
/// # Errors
/// The database failed.
pub(crate) async fn update_bands(conn: &mut PgConnection, told: &[StockBandChanged]) -> Result<(), sqlx::Error> {
    let channels: Vec<ChannelId> = told.iter().map(|change| change.channel_id).collect();
    let variants: Vec<VariantId> = told.iter().map(|change| change.variant_id).collect();
    let bands: Vec<String> = told.iter().map(|change| change.band.as_str().to_owned()).collect();
    let sequences: Vec<i64> = told.iter().map(|change| change.sequence).collect();
    sqlx::query!(
        "update inventory.band set band = told.band, sequence = told.sequence
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[]) as told (channel_id, variant_id, band, sequence)
         where band.channel_id = told.channel_id and band.variant_id = told.variant_id",
        &uuids(&channels),
        &uuids(&variants),
        &bands,
        &sequences
    )
    .execute(conn)
    .await?;
    Ok(())
}
