//! The pages: each reads from the API what it shows, and says so in a view of its own.

pub(crate) mod cart;
pub(crate) mod checkout;
pub(crate) mod crawlers;
pub(crate) mod home;
pub(crate) mod listing;
pub(crate) mod order;
pub(crate) mod product;

use catalog_api::ProductQuery;
use client::CallError;

use crate::messages::Tongue;
use crate::shop::Shop;
use crate::view::TileView;
use crate::visit::Visit;

/// The first products as the merchant arranged them.
pub(crate) async fn featured(shop: &Shop, visit: &Visit, tongue: &Tongue, limit: u32) -> Result<Vec<TileView>, CallError> {
    let query = ProductQuery { limit: Some(limit), ..ProductQuery::default() };
    let products = shop.call(visit, &catalog_api::endpoints::LIST_PRODUCTS).query(&query).send().await?.body;
    Ok(products.items.iter().map(|product| TileView::of(product, tongue)).collect())
}
