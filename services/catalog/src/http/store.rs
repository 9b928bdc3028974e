//! What shoppers read.

use axum::extract::State;
use axum::response::Response;
use catalog_api::{CategoryAnswer, ChannelAnswer, List, ProductAnswer, ProductQuery, ProductSummary};
use http::HeaderMap;
use kernel::{Page, PageQuery, Problem};
use platform::http::{Path, Query};
use service::{Call, Context, Failure};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::cached;
use crate::channel::stored_channel_of;
use crate::channel_of;
use crate::domain::{ListPosition, is_slug};
use crate::store::listing::{self, Listed, Wish};
use crate::store::{categories, products};

/// The routes.
pub(crate) fn routes(context: &Context) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(get_channel))
        .routes(routes!(list_categories))
        .routes(routes!(list_products))
        .routes(routes!(get_product))
        .with_state(context.clone())
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
async fn get_channel(State(context): State<Context>, headers: HeaderMap, call: Call) -> Result<Response, Failure> {
    let stored = stored_channel_of(&mut *context.db().read().await?, &call).await?;
    let keys = [format!("channel:{}", stored.channel.id)];
    cached::respond(&headers, &keys, &stored.into_answer())
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
async fn list_categories(State(context): State<Context>, headers: HeaderMap, call: Call) -> Result<Response, Failure> {
    let mut conn = context.db().read().await?;
    let channel = channel_of(&mut conn, &call).await?;
    let items = categories::list(&mut conn).await?;
    cached::respond(&headers, &["categories".to_owned(), format!("channel:{}", channel.id)], &List { items })
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
async fn list_products(State(context): State<Context>, headers: HeaderMap, call: Call, Query(query): Query<ProductQuery>) -> Result<Response, Failure> {
    let sort = query.sort.unwrap_or_default();
    let paging = PageQuery { limit: query.limit, after: query.after };
    let limit = paging.limit()?;
    let after = paging.position::<ListPosition>()?;
    if after.as_ref().is_some_and(|after| !after.fits(sort)) {
        return Err(Problem::invalid_query("after", "must be the `next` of an earlier page in the same order").into());
    }
    let mut conn = context.db().read().await?;
    let channel = channel_of(&mut conn, &call).await?;
    let categories = match &query.category {
        Some(slug) => Some(find_subtree(&mut conn, slug).await?),
        None => None,
    };
    let listed = listing::list(&mut conn, Wish { channel: &channel, categories, sort, after, limit: i64::from(limit) + 1 }).await?;
    let page = Page::cut(listed, limit, |last| last.position.clone()).map(|Listed { summary, .. }| summary);
    let keys: Vec<String> = ["products".to_owned(), format!("channel:{}", channel.id)]
        .into_iter()
        .chain(page.items.iter().map(|product| format!("product:{}", product.id)))
        .collect();
    cached::respond(&headers, &keys, &page)
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
async fn get_product(State(context): State<Context>, headers: HeaderMap, call: Call, Path(slug): Path<String>) -> Result<Response, Failure> {
    let mut conn = context.db().read().await?;
    let channel = channel_of(&mut conn, &call).await?;
    let id = if is_slug(&slug) { products::find_id(&mut conn, channel.id, &slug).await? } else { None };
    let record = match id {
        Some(id) => products::find(&mut conn, id).await?,
        None => None,
    };
    let answer = record.and_then(|record| record.into_answer(&channel.code, channel.currency));
    let answer = answer.ok_or_else(|| Problem::not_found("product"))?;
    cached::respond(&headers, &[format!("product:{}", answer.id), format!("channel:{}", channel.id)], &answer)
}
