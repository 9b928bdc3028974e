//! The home page: what the shop has to tell, its categories, what is featured and what is new.

use axum::extract::State;
use axum::response::Response;
use catalog_api::endpoints::{GET_PRODUCT, LIST_PRODUCTS};
use catalog_api::{CategoryAnswer, Feature, MediaReference, ProductQuery, ProductSort, ProductSummary};
use client::CallError;
use http::StatusCode;
use serde::Serialize;

use crate::about::About;
use crate::error::PageError;
use crate::messages::Tongue;
use crate::shell::{LinkView, Loaded, Shell};
use crate::shop::{Keep, Shop};
use crate::view::{PictureView, TileView};
use crate::visit::Visit;

/// How many products a shelf holds.
const SHELF: u32 = 8;
const NEWEST: u32 = 4;

#[derive(Debug, Serialize)]
pub(crate) struct HomeView {
    /// What stands at the top, in full view.
    pub(crate) hero: Option<FeatureView>,
    pub(crate) categories: Vec<CategoryTileView>,
    pub(crate) featured: Vec<TileView>,
    /// What is told between the shelves.
    pub(crate) stories: Vec<FeatureView>,
    pub(crate) newest: Vec<TileView>,
}

/// A picture, a few words, and where they lead.
#[derive(Debug, Serialize)]
pub(crate) struct FeatureView {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) link: Option<LinkView>,
    pub(crate) picture: Option<PictureView>,
    /// The picture for narrow screens, where it is another one.
    pub(crate) narrow: Option<PictureView>,
}

/// A category behind its picture.
#[derive(Debug, Serialize)]
pub(crate) struct CategoryTileView {
    pub(crate) link: LinkView,
    pub(crate) picture: Option<PictureView>,
}

pub(crate) async fn show(State(shop): State<Shop>, visit: Visit) -> Result<Response, PageError> {
    let list = |query: ProductQuery| shop.call(&visit, &LIST_PRODUCTS).query(&query).send();
    let featured = list(ProductQuery { limit: Some(SHELF), ..ProductQuery::default() });
    let newest = list(ProductQuery { limit: Some(NEWEST), sort: Some(ProductSort::Newest), ..ProductQuery::default() });
    let (loaded, featured, newest) = tokio::join!(Shell::load(&shop, &visit), featured, newest);
    let (loaded, featured, newest) = (loaded?, featured?.body.items, newest?.body.items);

    let mut told = loaded.channel.features.iter().map(FeatureView::of);
    let hero = match told.next() {
        Some(opening) => Some(opening),
        None => first_piece(&shop, &visit, featured.first(), &loaded.tongue).await?,
    };
    let tiles = |products: &[ProductSummary]| products.iter().map(|product| TileView::of(product, &loaded.tongue)).collect();
    let view = HomeView { hero, categories: category_tiles(&loaded), featured: tiles(&featured), stories: told.collect(), newest: tiles(&newest) };
    let description = view.hero.as_ref().map(|hero| hero.text.clone()).filter(|text| !text.is_empty());
    let about = About::page(&description.unwrap_or_else(|| loaded.shell.delivery.clone()));
    let about = about.picture(&shop, view.hero.as_ref().and_then(|hero| hero.picture.as_ref()));
    let shell = loaded.shell.canonical(&shop, "/", about);
    shop.page(StatusCode::OK, "home.html", &shell, &view, Keep::Revalidate)
}

/// What opens the page of a shop that has nothing to tell yet: the first of its pieces.
async fn first_piece(shop: &Shop, visit: &Visit, product: Option<&ProductSummary>, tongue: &Tongue) -> Result<Option<FeatureView>, CallError> {
    let Some(product) = product else { return Ok(None) };
    let TileView { href, title, picture, price, .. } = TileView::of(product, tongue);
    // The second picture of a product is the one that shows it in its place; the first cuts it out.
    let details = shop.call(visit, &GET_PRODUCT).param("slug", &product.slug).send().await?.body;
    let is_general = |media: &&MediaReference| media.option_value.is_none();
    let scene = details.media.iter().skip(1).find(is_general).map(PictureView::of);
    Ok(Some(FeatureView {
        text: tongue.with(if price.is_from { "from-price" } else { "at-price" }, [("title", title.as_str().into()), ("price", price.now.into())]),
        link: Some(LinkView { name: tongue.with("see", [("title", title.as_str().into())]), href, is_current: false }),
        picture: scene.or(picture),
        narrow: None,
        title: if product.summary.is_empty() { title } else { product.summary.clone() },
    }))
}

fn category_tiles(loaded: &Loaded) -> Vec<CategoryTileView> {
    let picture = |link: &LinkView| {
        let category: Option<&CategoryAnswer> = loaded.categories.iter().find(|category| LinkView::of(category).href == link.href);
        category.and_then(|category| category.image.as_ref()).map(PictureView::of)
    };
    loaded.shell.categories.iter().map(|link| CategoryTileView { link: link.clone(), picture: picture(link) }).collect()
}

impl FeatureView {
    fn of(feature: &Feature) -> Self {
        Self {
            title: feature.title.clone(),
            text: feature.text.clone(),
            link: feature.link.as_ref().map(|link| LinkView { name: link.label.clone(), href: link.path.clone(), is_current: false }),
            picture: Some(PictureView::of(&feature.image)),
            narrow: feature.narrow_image.as_ref().map(PictureView::of),
        }
    }
}
