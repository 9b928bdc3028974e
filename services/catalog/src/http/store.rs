//! What shoppers read.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use catalog_api::{CategoryAnswer, ChannelAnswer, FacetQuery, List, ProductAnswer, ProductFacets, ProductPage, ProductQuery};
use kernel::{Cursor, PageQuery, Problem};
use platform::http::{Path, Query};
use service::{Call, Context, Failure};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use stores::Render;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shelf::Shelf;
use crate::domain::{Filter, ListPosition, Place, closed, filter_of, is_slug};
use crate::outdated::{self, CATEGORIES, CHANNELS, LISTS, STOCK};
use crate::store::channels::StoredChannel;
use crate::store::listing::{self, Listed, Wish};
use crate::store::{categories, facets, products};

type Connection = PoolConnection<Postgres>;

/// The routes.
pub(crate) fn routes(context: &Context) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(get_channel))
        .routes(routes!(list_categories))
        .routes(routes!(list_products))
        .routes(routes!(get_product_facets))
        .routes(routes!(get_product))
        .with_state(Shelf::new(context))
}

/// The channel this request belongs to.
#[utoipa::path(
    get,
    path = "/store/v1/channel",
    tag = "catalog",
    params(("X-Channel" = Option<String>, Header, description = "A channel's code; without it, the host decides."), ("If-None-Match" = Option<String>, Header)),
    responses(
        (status = 200, body = ChannelAnswer, headers(("ETag" = String))),
        (status = 304, description = "You have it already."),
        (status = 404, description = "`channel_not_found`", body = Problem),
    )
)]
async fn get_channel(State(shelf): State<Shelf>, call: Call) -> Result<Response, Failure> {
    let channel = shelf.channel_of(&call).await?;
    let shown = Arc::clone(&channel);
    let read = async move |_| {
        let tags = vec![outdated::channel(shown.channel.id), CHANNELS.to_owned()];
        Ok(Render::json(&StoredChannel::clone(&shown).into_answer(), tags)?)
    };
    Ok(shelf.answer(&call, &channel, "/store/v1/channel", "", read).await)
}

/// Every category, in order.
#[utoipa::path(
    get,
    path = "/store/v1/categories",
    tag = "catalog",
    params(("X-Channel" = Option<String>, Header, description = "A channel's code; without it, the host decides."), ("If-None-Match" = Option<String>, Header)),
    responses(
        (status = 200, body = List<CategoryAnswer>, headers(("ETag" = String))),
        (status = 304, description = "You have it already."),
        (status = 404, description = "`channel_not_found`", body = Problem),
    )
)]
async fn list_categories(State(shelf): State<Shelf>, call: Call) -> Result<Response, Failure> {
    let channel = shelf.channel_of(&call).await?;
    let tags = vec![CATEGORIES.to_owned(), outdated::channel(channel.channel.id)];
    let read = async move |mut conn: Connection| {
        let items = categories::list(&mut conn).await?;
        Ok(Render::json(&List { items }, tags)?)
    };
    Ok(shelf.answer(&call, &channel, "/store/v1/categories", "", read).await)
}

/// Published products that are sold in the channel and priced in its currency.
#[utoipa::path(
    get,
    path = "/store/v1/products",
    tag = "catalog",
    params(
        ProductQuery,
        ("X-Channel" = Option<String>, Header, description = "A channel's code; without it, the host decides."),
        ("If-None-Match" = Option<String>, Header),
    ),
    responses(
        (status = 200, body = ProductPage, headers(("ETag" = String))),
        (status = 304, description = "You have it already."),
        (status = 400, description = "`invalid_query`", body = Problem),
        (status = 404, description = "`channel_not_found` or `category_not_found`", body = Problem),
    )
)]
async fn list_products(State(shelf): State<Shelf>, call: Call, Query(query): Query<ProductQuery>) -> Result<Response, Failure> {
    let asked = filter_of(&query);
    let filter = read_filter(&asked)?;
    let sort = query.sort.unwrap_or_default();
    let limit = PageQuery { limit: query.limit, after: None }.limit()?;
    let place = read_place(&query)?;
    let channel = shelf.channel_of(&call).await?;
    // Said or not, an order and a limit are the same answer; filters have one spelling each.
    let FacetQuery { category, in_stock, reduced, price_min, price_max, options } = asked.clone();
    let closed = ProductQuery { category, in_stock, reduced, price_min, price_max, options, sort: Some(sort), limit: Some(limit), ..query };
    let closed = serde_urlencoded::to_string(closed).map_err(|error| Failure::Internal(error.into()))?;
    let shown = Arc::clone(&channel);
    let read = async move |mut conn: Connection| {
        let categories = find_categories(&mut conn, &asked).await?;
        let wish = |place| Wish { channel: &shown.channel, categories: categories.clone(), filter: &filter, sort, place, limit: i64::from(limit) + 1 };
        let mut listed = listing::list(&mut conn, wish(place.clone())).await?;
        let mut place = place;
        if matches!(place, Place::Before(_)) && listed.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
            // There is less than a page before it: that is the first page, and it is answered whole.
            place = Place::Start;
            listed = listing::list(&mut conn, wish(Place::Start)).await?;
        }
        let page = cut(listed, limit, &place);
        let lists = [LISTS.to_owned(), CATEGORIES.to_owned(), outdated::channel(shown.channel.id)];
        let stock = filter.is_of_stock().then(|| STOCK.to_owned());
        let tags = lists.into_iter().chain(stock).chain(page.items.iter().map(|product| outdated::product(product.id))).collect();
        Ok(Render::json(&page, tags)?)
    };
    Ok(shelf.answer(&call, &channel, "/store/v1/products", &closed, read).await)
}

/// How many published products there are, and what they can be narrowed by.
#[utoipa::path(
    get,
    path = "/store/v1/product-facets",
    tag = "catalog",
    params(
        FacetQuery,
        ("X-Channel" = Option<String>, Header, description = "A channel's code; without it, the host decides."),
        ("If-None-Match" = Option<String>, Header),
    ),
    responses(
        (status = 200, body = ProductFacets, headers(("ETag" = String))),
        (status = 304, description = "You have it already."),
        (status = 400, description = "`invalid_query`", body = Problem),
        (status = 404, description = "`channel_not_found` or `category_not_found`", body = Problem),
    )
)]
async fn get_product_facets(State(shelf): State<Shelf>, call: Call, Query(query): Query<FacetQuery>) -> Result<Response, Failure> {
    let asked = closed(query);
    let filter = read_filter(&asked)?;
    let channel = shelf.channel_of(&call).await?;
    let key = serde_urlencoded::to_string(&asked).map_err(|error| Failure::Internal(error.into()))?;
    let shown = Arc::clone(&channel);
    let read = async move |mut conn: Connection| {
        let categories = find_categories(&mut conn, &asked).await?;
        let facets = facets::count(&mut conn, &shown.channel, categories.as_deref(), &filter).await?;
        let tags = vec![LISTS.to_owned(), STOCK.to_owned(), CATEGORIES.to_owned(), outdated::channel(shown.channel.id)];
        Ok(Render::json(&facets, tags)?)
    };
    Ok(shelf.answer(&call, &channel, "/store/v1/product-facets", &key, read).await)
}

fn read_filter(query: &FacetQuery) -> Result<Filter, Problem> {
    Filter::of(query).map_err(|(name, detail)| Problem::invalid_query(name, detail))
}

/// Where the page lies that is asked for.
fn read_place(query: &ProductQuery) -> Result<Place, Problem> {
    let (name, cursor) = match (&query.after, &query.before) {
        (None, None) => return Ok(Place::Start),
        (Some(cursor), None) => ("after", cursor),
        (None, Some(cursor)) => ("before", cursor),
        (Some(_), Some(_)) => return Err(Problem::invalid_query("before", "must not be given together with after")),
    };
    let position = Cursor::decode::<ListPosition>(cursor).filter(|position| position.fits(query.sort.unwrap_or_default()));
    let position = position.ok_or_else(|| Problem::invalid_query(name, "must come from another page in the same order"))?;
    Ok(if name == "after" { Place::After(position) } else { Place::Before(position) })
}

/// Makes a page of up to `limit + 1` rows: the one too many, on the side away from where the page begins, tells that there is more.
fn cut(mut listed: Vec<Listed>, limit: u32, place: &Place) -> ProductPage {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = listed.len() > limit;
    let is_backwards = matches!(place, Place::Before(_));
    if is_more && is_backwards {
        listed.remove(0);
    }
    listed.truncate(limit);
    let cursor = |listed: Option<&Listed>| listed.map(|listed| Cursor::encode(&listed.position));
    ProductPage {
        next: cursor(listed.last()).filter(|_| is_more || is_backwards),
        previous: cursor(listed.first()).filter(|_| if is_backwards { is_more } else { matches!(place, Place::After(_)) }),
        items: listed.into_iter().map(|Listed { summary, .. }| summary).collect(),
    }
}

async fn find_categories(conn: &mut sqlx::PgConnection, query: &FacetQuery) -> Result<Option<Vec<uuid::Uuid>>, Failure> {
    match &query.category {
        Some(slug) => find_subtree(conn, slug).await.map(Some),
        None => Ok(None),
    }
}

async fn find_subtree(conn: &mut sqlx::PgConnection, slug: &str) -> Result<Vec<uuid::Uuid>, Failure> {
    let subtree = if is_slug(slug) { categories::list_subtree(conn, slug).await? } else { Vec::new() };
    if subtree.is_empty() { Err(Problem::not_found("category").into()) } else { Ok(subtree) }
}

/// One published product, with its options, variants, prices, pictures and stock. By a slug it had before it is found, too, until another
/// product takes that; its `slug` then says where it is now.
#[utoipa::path(
    get,
    path = "/store/v1/products/{slug}",
    tag = "catalog",
    params(
        ("slug" = String, Path),
        ("X-Channel" = Option<String>, Header, description = "A channel's code; without it, the host decides."),
        ("If-None-Match" = Option<String>, Header),
    ),
    responses(
        (status = 200, body = ProductAnswer, headers(("ETag" = String))),
        (status = 304, description = "You have it already."),
        (status = 404, description = "`channel_not_found` or `product_not_found`", body = Problem),
    )
)]
async fn get_product(State(shelf): State<Shelf>, call: Call, Path(slug): Path<String>) -> Result<Response, Failure> {
    let channel = shelf.channel_of(&call).await?;
    if !is_slug(&slug) {
        return Err(Problem::not_found("product").into());
    }
    let path = format!("/store/v1/products/{slug}");
    let shown = Arc::clone(&channel);
    let read = async move |mut conn: Connection| {
        let (id, has_moved) = match products::find_id(&mut conn, shown.channel.id, &slug).await? {
            Some(id) => (Some(id), false),
            None => (products::find_id_by_former_slug(&mut conn, &slug).await?, true),
        };
        let record = match id {
            Some(id) => products::find(&mut conn, id).await?,
            None => None,
        };
        let answer = record.and_then(|record| record.into_answer(&shown.channel.code, shown.channel.currency));
        let answer = answer.ok_or_else(|| Problem::not_found("product"))?;
        let mut tags = vec![outdated::product(answer.id), CATEGORIES.to_owned(), outdated::channel(shown.channel.id)];
        if has_moved {
            // Any product may take the slug, and tells only what lists show.
            tags.push(LISTS.to_owned());
        }
        Ok(Render::json(&answer, tags)?)
    };
    Ok(shelf.answer(&call, &channel, &path, "", read).await)
}
