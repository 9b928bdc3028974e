//! The catalogue: what is sold, in which channels, and for how much.

mod channel;
mod domain;
mod edit;
mod http;
mod jobs;
mod known;
mod offer;
mod outdated;
mod store;

pub use channel::{Channel, channel_of, find_channel, list_channels};
pub use known::{Channels, KnownChannels};
pub use offer::{Offer, list_offers};

use std::collections::HashMap;

use catalog_api::{ChannelId, VariantId};
use inventory_api::StockBandChanged;
use service::{Context, Service};
use sqlx::PgConnection;
use uuid::Uuid;

/// The kind of job that brings news of stock into the catalogue.
pub const PROJECT_STOCK_BAND: &str = "catalog.project_stock_band";

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The service as the binary mounts it.
#[must_use]
pub fn service(context: &Context) -> Service {
    Service::new("catalog", &MIGRATOR)
        .store_api(http::store::routes(context))
        .admin_api(http::admin::routes(context))
        .outdates(outdated::by_product)
        .outdates(outdated::by_category)
        .outdates(outdated::by_channel)
        .on::<StockBandChanged>(PROJECT_STOCK_BAND, |tx, event| Box::pin(jobs::project_stock_band(tx, event)))
}

/// The bands that the catalogue shows of these variants, by channel, with how often each changed. For those who compare them with what the stock says.
///
/// # Errors
/// The database failed.
pub async fn list_bands(conn: &mut PgConnection, variants: &[Uuid]) -> Result<HashMap<(ChannelId, VariantId), (String, i64)>, sqlx::Error> {
    let bands = store::stock::list_bands(conn, variants).await?;
    Ok(bands.into_iter().map(|(channel, variant, band, sequence)| ((channel, variant), (band, sequence))).collect())
}
