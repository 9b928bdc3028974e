//! Telling the others when a variant's stock in a channel crosses from one band to another.

use std::collections::HashMap;

use catalog_api::{ChannelId, StockBand, VariantId};
use db::{DbError, Tx};
use inventory_api::{LocationId, StockBandChanged};

use crate::store;

/// Publishes every band that was crossed by changes of `variants` at `locations`, in the transaction of the change.
///
/// The band rows are locked before the channel's levels are summed up: of two transactions that change one variant at two locations,
/// the second sums up what the first has committed, so the last one to commit always tells the truth.
///
/// # Errors
/// The database failed.
pub(crate) async fn announce(tx: &mut Tx, variants: &[VariantId], locations: &[LocationId]) -> Result<(), DbError> {
    let known = store::lock_bands(tx.conn(), variants, locations).await?;
    let channels: Vec<ChannelId> = known.iter().map(|known| known.channel_id).collect();
    let available: HashMap<(ChannelId, VariantId), i64> = store::sum_available(tx.conn(), &channels, variants).await?;
    let crossed: Vec<StockBandChanged> = known
        .into_iter()
        .filter_map(|known| {
            let band = StockBand::of(available.get(&(known.channel_id, known.variant_id)).copied().unwrap_or(0));
            let is_crossed = band.as_str() != known.band;
            is_crossed.then(|| StockBandChanged { channel_id: known.channel_id, variant_id: known.variant_id, band, sequence: known.sequence + 1 })
        })
        .collect();
    if crossed.is_empty() {
        return Ok(());
    }
    store::update_bands(tx.conn(), &crossed).await?;
    for event in &crossed {
        tx.publish(event).await?;
    }
    Ok(())
}
