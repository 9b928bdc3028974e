//! The catalogue: what is sold, in which channels, and for how much.

mod channel;
mod domain;
mod edit;
mod http;
mod jobs;
mod offer;
mod store;

pub use channel::{Channel, channel_of, find_channel, list_channels};
pub use offer::{Offer, list_offers};

use inventory_api::StockBandChanged;
use service::{Context, Service};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The service as the binary mounts it.
#[must_use]
pub fn service(context: &Context) -> Service {
    Service::new("catalog", &MIGRATOR)
        .store_api(http::store::routes(context))
        .admin_api(http::admin::routes(context))
        .on::<StockBandChanged>("catalog.project_stock_band", |tx, event| Box::pin(jobs::project_stock_band(tx, event)))
}
