//! The home page: one piece in full view, the categories, what is featured and what is new.

use axum::extract::State;
use axum::response::Response;
use catalog_api::endpoints::{GET_PRODUCT, LIST_PRODUCTS};
use catalog_api::{ProductQuery, ProductSort, ProductSummary};
use client::CallError;
use http::StatusCode;
use kernel::Locale;
use serde::Serialize;

use crate::error::PageError;
use crate::shell::{LinkView, Shell};
use crate::shop::{Keep, Shop};
use crate::view::{PictureView, TileView};
use crate::visit::Visit;

/// How many products a shelf holds.
const SHELF: u32 = 8;
const NEWEST: u32 = 4;

#[derive(Debug, Serialize)]
pub(crate) struct HomeView {
    pub(crate) hero: Option<HeroView>,
    pub(crate) categories: Vec<CategoryTileView>,
    pub(crate) featured: Vec<TileView>,
    pub(crate) newest: Vec<TileView>,
}

/// The first of the featured pieces, at full size.
#[derive(Debug, Serialize)]
pub(crate) struct HeroView {
    pub(crate) headline: String,
    pub(crate) tile: TileView,
    pub(crate) picture: Option<PictureView>,
}

/// A category behind the picture of its first piece.
#[derive(Debug, Serialize)]
pub(crate) struct CategoryTileView {
    pub(crate) link: LinkView,
    pub(crate) picture: Option<PictureView>,
}

pub(crate) async fn show(State(shop): State<Shop>, visit: Visit) -> Result<Response, PageError> {
    let list = |query: ProductQuery| shop.call(&visit, &LIST_PRODUCTS).query(&query).send();
    let featured = list(ProductQuery { limit: Some(SHELF + 1), ..ProductQuery::default() });
    let newest = list(ProductQuery { limit: Some(NEWEST), sort: Some(ProductSort::Newest), ..ProductQuery::default() });
    let (loaded, featured, newest) = tokio::join!(Shell::load(&shop, &visit), featured, newest);
    let (loaded, featured, newest) = (loaded?, featured?.body.items, newest?.body.items);

    let (hero, categories) =
        tokio::join!(hero(&shop, &visit, featured.first(), &loaded.channel.locale), category_tiles(&shop, &visit, &loaded.shell.categories));
    let tiles = |products: &[ProductSummary]| products.iter().map(|product| TileView::of(product, &loaded.channel.locale)).collect();
    let shelf = featured.get(1..).unwrap_or_default();
    let view = HomeView { hero: hero?, categories, featured: tiles(shelf), newest: tiles(&newest) };
    let shell = loaded.shell.canonical(&shop, "/");
    shop.page(StatusCode::OK, "home.html", &shell, &view, Keep::Revalidate)
}

async fn hero(shop: &Shop, visit: &Visit, product: Option<&ProductSummary>, locale: &Locale) -> Result<Option<HeroView>, CallError> {
    let Some(product) = product else { return Ok(None) };
    let tile = TileView::of(product, locale);
    // The second picture of a product is the one that shows it in its place; the first cuts it out.
    let details = shop.call(visit, &GET_PRODUCT).param("slug", &product.slug).send().await?.body;
    let is_general = |media: &&catalog_api::MediaReference| media.option_value.is_none();
    let scene = details.media.iter().skip(1).find(is_general).map(PictureView::of);
    let headline = if product.summary.is_empty() { product.title.clone() } else { product.summary.clone() };
    Ok(Some(HeroView { headline, picture: scene.or_else(|| tile.picture.clone()), tile }))
}

/// Asks for the first piece of each category; a category whose piece does not come has no picture.
async fn category_tiles(shop: &Shop, visit: &Visit, categories: &[LinkView]) -> Vec<CategoryTileView> {
    let tile = async |link: &LinkView| {
        let slug = link.href.rsplit('/').next().map(ToOwned::to_owned);
        let query = ProductQuery { category: slug, limit: Some(1), ..ProductQuery::default() };
        let first = shop.call(visit, &LIST_PRODUCTS).query(&query).send().await;
        let picture = first.ok().and_then(|answer| answer.body.items.first()?.image.as_ref().map(PictureView::of));
        CategoryTileView { link: link.clone(), picture }
    };
    futures_util::future::join_all(categories.iter().map(tile)).await
}
