//! Lists of products: a category, or everything.

use axum::extract::State;
use axum::response::Response;
use catalog_api::endpoints::LIST_PRODUCTS;
use catalog_api::{CategoryAnswer, ProductQuery, ProductSort};
use http::StatusCode;
use platform::http::Path;
use serde::Serialize;

use crate::about::{self, About};
use crate::error::PageError;
use crate::fields::{Fields, QueryFields};
use crate::shell::{LinkView, Loaded, Shell};
use crate::shop::{Keep, Shop};
use crate::view::TileView;
use crate::visit::Visit;

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
    pub(crate) sorts: Vec<SortView>,
    pub(crate) tiles: Vec<TileView>,
    /// How many there are, where the page shows them all.
    pub(crate) count: Option<usize>,
    pub(crate) first: Option<String>,
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
    list(&shop, &visit, loaded, None, &query.0).await
}

pub(crate) async fn show_category(State(shop): State<Shop>, visit: Visit, Path(slug): Path<String>, query: QueryFields) -> Result<Response, PageError> {
    let loaded = Shell::load(&shop, &visit).await?;
    let category = loaded.categories.iter().find(|category| category.slug == slug).cloned().ok_or(PageError::NotFound)?;
    list(&shop, &visit, loaded, Some(&category), &query.0).await
}

async fn list(shop: &Shop, visit: &Visit, loaded: Loaded, category: Option<&CategoryAnswer>, asked: &Fields) -> Result<Response, PageError> {
    let sort = SORTS.into_iter().find(|(_, code, _)| asked.get("sort") == Some(*code)).map_or(ProductSort::Featured, |(sort, ..)| sort);
    let after = asked.get("after").filter(|after| !after.is_empty());
    let query =
        ProductQuery { category: category.map(|category| category.slug.clone()), sort: Some(sort), limit: Some(PAGE), after: after.map(ToOwned::to_owned) };
    let products = shop.call(visit, &LIST_PRODUCTS).query(&query).send().await?.body;

    let path = category.map_or_else(|| "/products".to_owned(), |category| format!("/categories/{}", category.slug));
    let tongue = &loaded.tongue;
    let is_whole = after.is_none() && products.next.is_none();
    let view = ListingView {
        title: category.map_or_else(|| tongue.text("all-pieces"), |category| category.name.clone()),
        text: category.map(|category| category.description.clone()).unwrap_or_default(),
        above: category.map(|category| above(&loaded.categories, category)).unwrap_or_default(),
        below: category.map(|category| below(&loaded.categories, category)).unwrap_or_default(),
        sorts: SORTS.into_iter().map(|(known, code, name)| SortView { code, name: tongue.text(name), is_current: known == sort }).collect(),
        tiles: products.items.iter().map(|product| TileView::of(product, tongue)).collect(),
        count: is_whole.then_some(products.items.len()),
        first: after.map(|_| address(&path, sort, None)),
        next: products.next.map(|next| address(&path, sort, Some(&next))),
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
    // The parts of a list are pages of their own; another order of it is not.
    let shell = loaded.shell.at(&path).canonical(shop, &address(&path, ProductSort::Featured, after.filter(|_| sort == ProductSort::Featured)), about);
    shop.page(StatusCode::OK, "listing.html", &shell, &view, Keep::Revalidate)
}

/// Whether this is the code of an order that is not the usual one.
pub(crate) fn is_special_sort(code: &str) -> bool {
    SORTS.into_iter().skip(1).any(|(_, known, _)| known == code)
}

/// The address of a part of the list. The default order is left out, so that a list has one address.
fn address(path: &str, sort: ProductSort, after: Option<&str>) -> String {
    let sort = SORTS.into_iter().find(|(known, ..)| *known == sort && *known != ProductSort::Featured).map(|(_, code, _)| ("sort", code));
    let pairs: Vec<(&str, &str)> = sort.into_iter().chain(after.map(|after| ("after", after))).collect();
    match serde_urlencoded::to_string(pairs) {
        Ok(query) if !query.is_empty() => format!("{path}?{query}"),
        _ => path.to_owned(),
    }
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
