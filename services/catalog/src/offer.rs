//! What can be bought, as other services see it.

use std::collections::BTreeMap;

use catalog_api::{MediaReference, ProductId, VariantId};
use kernel::Money;
use sqlx::PgConnection;

use crate::Channel;
use crate::store::offers;

/// A variant that is for sale in a channel, with its base price there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The variant.
    pub variant_id: VariantId,
    /// Its product.
    pub product_id: ProductId,
    /// The product's place in addresses.
    pub product_slug: String,
    /// The stock keeping unit.
    pub sku: String,
    /// The product's name.
    pub title: String,
    /// Option name to value.
    pub options: BTreeMap<String, String>,
    /// The picture of one of the variant's option values if there is one, else the product's first.
    pub image: Option<MediaReference>,
    /// The base price, tax included, in the channel's currency.
    pub unit_price: Money,
}

/// The offers of these variants in a channel, by id: published, sold there, and priced in its currency. A variant that is not for sale is
/// absent. This is the one base-price function.
///
/// # Errors
/// The database failed.
pub async fn list_offers(conn: &mut PgConnection, channel: &Channel, variant_ids: &[VariantId]) -> Result<Vec<Offer>, sqlx::Error> {
    offers::list(conn, channel.id, channel.currency, variant_ids).await
}
