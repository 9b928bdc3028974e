//! Lists of products: a category, or everything; narrowed and ordered by the address.

pub(crate) mod filters;
mod question;

use axum::extract::State;
use axum::response::Response;
use catalog_api::endpoints::{GET_PRODUCT_FACETS, LIST_PRODUCTS};
use catalog_api::{CategoryAnswer, ProductSort};
use http::StatusCode;
use platform::http::Path;
use serde::Serialize;

use crate::about::{self, About};
use crate::error::PageError;
use crate::fields::QueryFields;
use crate::shell::{LinkView, Loaded, Shell};
use crate::shop::{Keep, Shop};
use crate::view::TileView;
use crate::visit::Visit;
use filters::FilterView;
use question::Place;
pub(crate) use question::Question;

/// How many products a page holds: whole rows of two, three and four.
const PAGE: u32 = 24;

/// The orders one can choose, and how addresses and messages call them.
const SORTS: [(ProductSort, &str, &str); 5] = [
    (ProductSort::Featured, "featured", "sort-featured"),
    (ProductSort::Newest, "newest", "sort-newest"),
    (ProductSort::PriceAscending, "price_ascending", "sort-price-ascending"),
    (ProductSort::PriceDescending, "price_descending", "sort-price-descending"),
    (ProductSort::Title, "title", "sort-title"),
];

#[derive(Debug, Serialize)]
pub(crate) struct ListingView {
    pub(crate) title: String,
    pub(crate) text: String,
    /// The page's address without its query.
    pub(crate) path: String,
    /// The categories above, the outermost first.
    pub(crate) above: Vec<LinkView>,
    /// The categories right below.
    pub(crate) below: Vec<LinkView>,
    /// How many there are, in words; empty if nobody counted that far.
    pub(crate) result: String,
    pub(crate) filter: Option<FilterView>,
    pub(crate) sorts: Vec<SortView>,
    /// The code of the order, if it is not the usual one.
    pub(crate) sort: Option<&'static str>,
    pub(crate) tiles: Vec<TileView>,
    /// The list's start, where the page is another part of it.
    pub(crate) first: Option<String>,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct SortView {
    pub(crate) code: &'static str,
    pub(crate) name: String,
    pub(crate) is_current: bool,
}

pub(crate) async fn show_all(State(shop): State<Shop>, visit: Visit, query: QueryFields) -> Result<Response, PageError> {
    let loaded = Shell::load(&shop, &visit).await?;
    list(&shop, &visit, loaded, None, &Question::of(&query.0)).await
}

pub(crate) async fn show_category(State(shop): State<Shop>, visit: Visit, Path(slug): Path<String>, query: QueryFields) -> Result<Response, PageError> {
    let loaded = Shell::load(&shop, &visit).await?;
    let category = loaded.categories.iter().find(|category| category.slug == slug).cloned().ok_or(PageError::NotFound)?;
    list(&shop, &visit, loaded, Some(&category), &Question::of(&query.0)).await
}

async fn list(shop: &Shop, visit: &Visit, loaded: Loaded, category: Option<&CategoryAnswer>, question: &Question) -> Result<Response, PageError> {
    let (slug, currency, tongue) = (category.map(|category| category.slug.clone()), loaded.channel.currency, &loaded.tongue);
    let (products, facets) = (question.product_query(slug.clone(), currency, PAGE), question.facet_query(slug, currency));
    let products = shop.call(visit, &LIST_PRODUCTS).query(&products).send();
    let facets = shop.call(visit, &GET_PRODUCT_FACETS).query(&facets).send();
    let (products, facets) = tokio::join!(products, facets);
    let (products, facets) = (products?.body, facets?.body);

    let path = category.map_or_else(|| "/products".to_owned(), |category| format!("/categories/{}", category.slug));
    let part = |place| Question { place, ..question.clone() }.address(&path);
    let view = ListingView {
        title: category.map_or_else(|| tongue.text("all-pieces"), |category| category.name.clone()),
        text: category.map(|category| category.description.clone()).unwrap_or_default(),
        above: category.map(|category| above(&loaded.categories, category)).unwrap_or_default(),
        below: category.map(|category| below(&loaded.categories, category)).unwrap_or_default(),
        result: if facets.is_partial { String::new() } else { tongue.with("pieces", [("count", facets.total.into())]) },
        filter: Some(FilterView::of(question, &facets, &path, currency, tongue)).filter(FilterView::is_of_use),
        sorts: SORTS.into_iter().map(|(known, code, name)| SortView { code, name: tongue.text(name), is_current: known == question.sort }).collect(),
        sort: question.special_sort(),
        tiles: products.items.iter().map(|product| TileView::of(product, tongue)).collect(),
        first: (question.place != Place::Start && (products.previous.is_some() || products.items.is_empty())).then(|| part(Place::Start)),
        previous: products.previous.map(|cursor| part(Place::Before(cursor))),
        next: products.next.map(|cursor| part(Place::After(cursor))),
        path: path.clone(),
    };
    let description = if view.text.is_empty() {
        tongue.with("list-at", [("title", view.title.as_str().into()), ("shop", loaded.shell.shop_name.as_str().into())])
    } else {
        view.text.clone()
    };
    let here = LinkView { name: view.title.clone(), href: path.clone(), is_current: true };
    let about = About::page(&description).picture(shop, view.tiles.iter().find_map(|tile| tile.picture.as_ref())).fact(&about::trail(
        shop,
        &tongue.text("home"),
        view.above.iter().chain([&here]),
    ));
    let shell = loaded.shell.at(&path).canonical(shop, &canonical(question, &path), about);
    let shell = if question.is_filtered() || matches!(question.place, Place::Before(_)) { shell.unlisted() } else { shell };
    shop.page(StatusCode::OK, "listing.html", &shell, &view, Keep::Revalidate)
}

/// The parts of a list are pages of their own; another order of it, or less of it, is not.
fn canonical(question: &Question, path: &str) -> String {
    let is_part = question.sort == ProductSort::Featured && !question.is_filtered() && matches!(question.place, Place::After(_));
    if is_part { question.address(path) } else { path.to_owned() }
}

fn above(categories: &[CategoryAnswer], category: &CategoryAnswer) -> Vec<LinkView> {
    let mut links = Vec::new();
    let mut parent = category.parent_id;
    // Bounded by the number of categories, should two ever stand above each other.
    for _ in categories {
        let Some(found) = categories.iter().find(|known| Some(known.id) == parent) else { break };
        links.insert(0, LinkView::of(found));
        parent = found.parent_id;
    }
    links
}

fn below(categories: &[CategoryAnswer], category: &CategoryAnswer) -> Vec<LinkView> {
    categories.iter().filter(|known| known.parent_id == Some(category.id)).map(LinkView::of).collect()
}
