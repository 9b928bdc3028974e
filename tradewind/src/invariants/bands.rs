//! What the catalogue shows of stock, against what the stock has told.

use db::check::{Batch, Finding, Place};
use db::jobs;
use sqlx::PgConnection;

pub(super) async fn bands(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let (variants, told) = inventory::list_bands_after(conn, place.after_id(), place.most()).await?;
    let shown = catalog::list_bands(conn, &variants).await?;
    let differing: Vec<_> = told
        .into_iter()
        .filter_map(|told| {
            // Nothing told yet means out, and so does nothing shown.
            let (band, sequence) = shown.get(&(told.channel_id, told.variant_id)).cloned().unwrap_or_else(|| ("out".to_owned(), 0));
            ((&band, sequence) != (&told.band, told.sequence)).then_some((told, band))
        })
        .collect();
    let names: Vec<String> = differing.iter().map(|(told, _)| told.variant_id.to_string()).collect();
    let under_way = jobs::list_open_about(conn, catalog::PROJECT_STOCK_BAND, "variant_id", &names).await?;
    let findings = differing.into_iter().filter(|(told, _)| !under_way.contains(&told.variant_id.to_string())).map(|(told, band)| {
        let (variant, channel, number) = (told.variant_id, told.channel_id, told.sequence);
        Finding::new(format!("variant {variant} in channel {channel}: the catalogue shows {band}, but its {number}. change was to {}", told.band))
    });
    Ok(Batch::of_ids(place, &variants, findings.collect()))
}
