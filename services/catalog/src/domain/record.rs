use std::collections::BTreeMap;

use catalog_api::{
    AdminProduct, AdminVariant, CategoryAnswer, MediaReference, PriceDraft, ProductAnswer, ProductId, ProductOption, StockBand, VariantAnswer, VariantId,
};
use kernel::Currency;

/// A whole product as it is stored: every price, every channel. What shoppers and staff see is cut from it.
#[derive(Debug, Clone)]
pub(crate) struct ProductRecord {
    /// The product's id.
    pub(crate) id: ProductId,
    /// Its place in addresses.
    pub(crate) slug: String,
    /// Its name.
    pub(crate) title: String,
    /// One sentence about it.
    pub(crate) summary: String,
    /// The whole story.
    pub(crate) description: String,
    /// Facts, one each.
    pub(crate) facts: Vec<String>,
    /// Whether shoppers see it.
    pub(crate) published: bool,
    /// Counts its changes.
    pub(crate) version: i64,
    /// The category it stands in.
    pub(crate) category: Option<CategoryAnswer>,
    /// The codes of the channels it is sold in.
    pub(crate) channels: Vec<String>,
    /// Its pictures, the main one first.
    pub(crate) media: Vec<MediaReference>,
    /// What one chooses by, in order.
    pub(crate) options: Vec<ProductOption>,
    /// Its variants, in order.
    pub(crate) variants: Vec<VariantRecord>,
}

/// A variant as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct VariantRecord {
    /// The variant's id.
    pub(crate) id: VariantId,
    /// The stock keeping unit.
    pub(crate) sku: String,
    /// Option name to value.
    pub(crate) options: BTreeMap<String, String>,
    /// Its prices, one per currency.
    pub(crate) prices: Vec<PriceDraft>,
    /// How much there is, by channel code.
    pub(crate) stock: BTreeMap<String, StockBand>,
}

impl ProductRecord {
    /// What shoppers of a channel see: nothing of a product that is not published, not sold there, or has no variant with a price in the
    /// channel's currency.
    #[must_use]
    pub(crate) fn into_answer(self, channel: &str, currency: Currency) -> Option<ProductAnswer> {
        if !self.published || !self.channels.iter().any(|code| code == channel) {
            return None;
        }
        let variants: Vec<VariantAnswer> = self.variants.into_iter().filter_map(|variant| variant.into_answer(channel, currency)).collect();
        if variants.is_empty() {
            return None;
        }
        Some(ProductAnswer {
            id: self.id,
            slug: self.slug,
            title: self.title,
            summary: self.summary,
            description: self.description,
            facts: self.facts,
            category: self.category,
            media: self.media,
            options: self.options,
            variants,
            version: self.version,
        })
    }

    /// What staff see: everything.
    #[must_use]
    pub(crate) fn into_admin(self) -> AdminProduct {
        AdminProduct {
            id: self.id,
            slug: self.slug,
            title: self.title,
            summary: self.summary,
            description: self.description,
            facts: self.facts,
            published: self.published,
            channels: self.channels,
            category: self.category,
            media: self.media,
            options: self.options,
            variants: self.variants.into_iter().map(VariantRecord::into_admin).collect(),
            version: self.version,
        }
    }
}

impl VariantRecord {
    fn into_answer(self, channel: &str, currency: Currency) -> Option<VariantAnswer> {
        let price = self.prices.iter().find(|price| price.price.currency() == currency)?;
        let stock = self.stock.get(channel).copied().unwrap_or(StockBand::Out);
        Some(VariantAnswer { id: self.id, sku: self.sku, options: self.options, price: price.price, compare_at: price.compare_at, stock })
    }

    fn into_admin(self) -> AdminVariant {
        AdminVariant { id: self.id, sku: self.sku, options: self.options, prices: self.prices, stock: self.stock }
    }
}
