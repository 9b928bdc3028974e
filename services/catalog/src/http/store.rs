//! What shoppers read.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use catalog_api::{CategoryAnswer, ChannelAnswer, List, ProductAnswer, ProductQuery, ProductSummary};
use kernel::{Page, PageQuery, Problem};
use platform::http::{Path, Query};
use service::{Call, Context, Failure};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use stores::Render;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shelf::Shelf;
use crate::domain::{ListPosition, is_slug};
use crate::outdated::{self, CATEGORIES, CHANNELS, LISTS};
use crate::store::channels::StoredChannel;
use crate::store::listing::{self, Listed, Wish};
use crate::store::{categories, products};

type Connection = PoolConnection<Postgres>;

/// The routes.
pub(crate) fn routes(context: &Context) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(get_channel))
        .routes(routes!(list_categories))
        .routes(routes!(list_products))
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
        (status = 200, body = Page<ProductSummary>, headers(("ETag" = String))),
        (status = 304, description = "You have it already."),
        (status = 400, description = "`invalid_query`", body = Problem),
        (status = 404, description = "`channel_not_found` or `category_not_found`", body = Problem),
    )
)]
async fn list_products(State(shelf): State<Shelf>, call: Call, Query(query): Query<ProductQuery>) -> Result<Response, Failure> {
    let sort = query.sort.unwrap_or_default();
    let paging = PageQuery { limit: query.limit, after: query.after.clone() };
    let limit = paging.limit()?;
    let after = paging.position::<ListPosition>()?;
    if after.as_ref().is_some_and(|after| !after.fits(sort)) {
        return Err(Problem::invalid_query("after", "must be the `next` of an earlier page in the same order").into());
    }
    let channel = shelf.channel_of(&call).await?;
    // Said or not, an order and a limit are the same answer.
    let closed =
        serde_urlencoded::to_string(ProductQuery { sort: Some(sort), limit: Some(limit), ..query.clone() }).map_err(|error| Failure::Internal(error.into()))?;
    let shown = Arc::clone(&channel);
    let read = async move |mut conn: Connection| {
        let categories = match &query.category {
            Some(slug) => Some(find_subtree(&mut conn, slug).await?),
            None => None,
        };
        let listed = listing::list(&mut conn, Wish { channel: &shown.channel, categories, sort, after, limit: i64::from(limit) + 1 }).await?;
        let page = Page::cut(listed, limit, |last| last.position.clone()).map(|Listed { summary, .. }| summary);
        let lists = [LISTS.to_owned(), CATEGORIES.to_owned(), outdated::channel(shown.channel.id)];
        let tags = lists.into_iter().chain(page.items.iter().map(|product| outdated::product(product.id))).collect();
        Ok(Render::json(&page, tags)?)
    };
    Ok(shelf.answer(&call, &channel, "/store/v1/products", &closed, read).await)
}

async fn find_subtree(conn: &mut sqlx::PgConnection, slug: &str) -> Result<Vec<uuid::Uuid>, Failure> {
    let subtree = if is_slug(slug) { categories::list_subtree(conn, slug).await? } else { Vec::new() };
    if subtree.is_empty() { Err(Problem::not_found("category").into()) } else { Ok(subtree) }
}

/// One published product, with its options, variants, prices, pictures and stock.
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
        let record = match products::find_id(&mut conn, shown.channel.id, &slug).await? {
            Some(id) => products::find(&mut conn, id).await?,
            None => None,
        };
        let answer = record.and_then(|record| record.into_answer(&shown.channel.code, shown.channel.currency));
        let answer = answer.ok_or_else(|| Problem::not_found("product"))?;
        let tags = vec![outdated::product(answer.id), CATEGORIES.to_owned(), outdated::channel(shown.channel.id)];
        Ok(Render::json(&answer, tags)?)
    };
    Ok(shelf.answer(&call, &channel, &path, "", read).await)
}
