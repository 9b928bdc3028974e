//! The projection of stock bands.

use catalog_api::{ChannelId, ProductId, StockBand, VariantId};
use sqlx::PgConnection;
use uuid::Uuid;

/// Notes the band of a variant in a channel, unless newer news is there. True if it was noted.
///
/// # Errors
/// The database failed.
pub(crate) async fn upsert_band(conn: &mut PgConnection, channel: ChannelId, variant: VariantId, band: StockBand, sequence: i64) -> Result<bool, sqlx::Error> {
    let noted = sqlx::query!(
        "insert into catalog.stock_band as known (channel_id, variant_id, band, sequence) values ($1, $2, $3, $4)
         on conflict (channel_id, variant_id) do update set band = excluded.band, sequence = excluded.sequence
         where known.sequence < excluded.sequence",
        channel.uuid(),
        variant.uuid(),
        band.as_str(),
        sequence
    )
    .execute(conn)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// The product of a variant, with its slug.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_product_of(conn: &mut PgConnection, variant: VariantId) -> Result<Option<(ProductId, String)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select p.id as "id: ProductId", p.slug from catalog.variant v join catalog.product p on p.id = v.product_id where v.id = $1"#,
        variant.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.id, row.slug)))
}

/// What is known of the bands of these variants: channel, variant, band and how often it changed.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_bands(conn: &mut PgConnection, variants: &[Uuid]) -> Result<Vec<(ChannelId, VariantId, String, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select channel_id as "channel_id: ChannelId", variant_id as "variant_id: VariantId", band, sequence
           from catalog.stock_band where variant_id = any($1)"#,
        variants
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel_id, row.variant_id, row.band, row.sequence)).collect())
}
