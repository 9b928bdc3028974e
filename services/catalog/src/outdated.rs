//! What changes of the catalogue make stale, and by which tags answers are found that show it.

use catalog_api::{CategoryChanged, ChannelChanged, ChannelId, ProductChanged, ProductId};

/// The lists of products: which they hold, and in which order.
pub(crate) const LISTS: &str = "products";
/// The tree of categories.
pub(crate) const CATEGORIES: &str = "categories";
/// Which channels there are, and by which hosts they are reached.
pub(crate) const CHANNELS: &str = "channels";

/// How much there is of anything, in answers whose members or counts it decides.
pub(crate) const STOCK: &str = "stock";

/// What shows a product.
pub(crate) fn product(id: ProductId) -> String {
    format!("product:{id}")
}

/// What shows a channel's settings.
pub(crate) fn channel(id: ChannelId) -> String {
    format!("channel:{id}")
}

/// How much there is of a product decides neither what most lists hold nor their order; those that it does decide bear a tag for it.
pub(crate) fn by_product(event: &ProductChanged) -> Vec<String> {
    let also = if event.stock_only { STOCK } else { LISTS };
    vec![product(event.product_id), also.to_owned()]
}

pub(crate) fn by_category(_: &CategoryChanged) -> Vec<String> {
    vec![CATEGORIES.to_owned()]
}

pub(crate) fn by_channel(event: &ChannelChanged) -> Vec<String> {
    vec![channel(event.channel_id), CHANNELS.to_owned()]
}
