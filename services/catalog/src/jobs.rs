//! What the catalogue does when it hears of others.

use catalog_api::ProductChanged;
use db::Tx;
use inventory_api::StockBandChanged;
use service::Failure;

use crate::store::stock;

/// Notes how much there is of a variant, and tells that what shows its product is stale: only now would a page made anew show the band.
/// News older than what is known changes nothing.
///
/// # Errors
/// The database failed; the job is tried again.
pub(crate) async fn project_stock_band(tx: &mut Tx, event: StockBandChanged) -> Result<(), Failure> {
    let StockBandChanged { channel_id, variant_id, band, sequence } = event;
    if !stock::upsert_band(tx.conn(), channel_id, variant_id, band, sequence).await? {
        return Ok(());
    }
    if let Some((product_id, slug)) = stock::find_product_of(tx.conn(), variant_id).await? {
        tx.publish(&ProductChanged { product_id, slug, stock_only: true }).await?;
    }
    Ok(())
}
