//! What staff read and change.

use axum::extract::State;
use catalog_api::{
    AdminProduct, AdminProductQuery, CategoryAnswer, CategoryDraft, ChannelAnswer, ChannelId, ChannelPatch, List, ProductDraft, ProductId, ProductPatch,
    VariantId, VariantPatch,
};
use kernel::{Page, PageQuery, Problem};
use platform::http::{Path, Query};
use service::{Answer, Command, Context, Failure, Permission, Staff};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::ProductRecord;
use crate::edit;
use crate::store::categories;
use crate::store::channels::{self, Wanted};
use crate::store::products::{self, StaffSearch};

/// How long a search may be.
const MOST_SEARCH_CHARS: usize = 100;
/// The most variants whose products are asked for at once.
const MOST_VARIANTS: usize = 100;

/// The routes.
pub(crate) fn routes(context: &Context) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_channels))
        .routes(routes!(update_channel))
        .routes(routes!(list_categories, create_category))
        .routes(routes!(list_products, create_product))
        .routes(routes!(get_product, update_product))
        .routes(routes!(update_variant))
        .with_state(context.clone())
}

/// Every channel, the oldest first.
#[utoipa::path(
    get,
    path = "/admin/v1/channels",
    tag = "catalog",
    responses((status = 200, body = List<ChannelAnswer>), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn list_channels(State(context): State<Context>, staff: Staff) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let stored = channels::list(&mut *context.db().read_latest().await?, Wanted::All).await?;
    Answer::ok(&List { items: stored.into_iter().map(channels::StoredChannel::into_answer).collect() })
}

/// Changes a channel's settings; what is absent stays.
#[utoipa::path(
    patch,
    path = "/admin/v1/channels/{id}",
    tag = "catalog",
    params(
        ("id" = ChannelId, Path),
        ("If-Match" = String, Header, description = "The channel's version."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless."),
    ),
    request_body = ChannelPatch,
    responses(
        (status = 200, body = ChannelAnswer, headers(("ETag" = String))),
        (status = 400, description = "`malformed_json` or `invalid_header`", body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, description = "`channel_not_found`", body = Problem),
        (status = 409, description = "`host_taken`: another channel has one of the hosts.", body = Problem),
        (status = 412, description = "`stale_version`", body = Problem),
        (status = 422, description = "`invalid_body`", body = Problem),
        (status = 428, description = "`version_required`", body = Problem),
    )
)]
async fn update_channel(State(context): State<Context>, staff: Staff, Path(id): Path<ChannelId>, command: Command<ChannelPatch>) -> Result<Answer, Failure> {
    staff.require(Permission::EditCatalog)?;
    let version = command.call.require_match()?;
    let patch = command.body;
    context
        .mutate(&command.call, command.key, move |tx| {
            Box::pin(async move {
                let channel = edit::update_channel(tx, id, version, patch).await?;
                Ok(Answer::ok(&channel)?.version(channel.version))
            })
        })
        .await
}

/// Every category, in order.
#[utoipa::path(
    get,
    path = "/admin/v1/categories",
    tag = "catalog",
    responses((status = 200, body = List<CategoryAnswer>), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn list_categories(State(context): State<Context>, staff: Staff) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    Answer::ok(&List { items: categories::list(&mut *context.db().read_latest().await?).await? })
}

/// Makes a category.
#[utoipa::path(
    post,
    path = "/admin/v1/categories",
    tag = "catalog",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless.")),
    request_body = CategoryDraft,
    responses(
        (status = 201, body = CategoryAnswer),
        (status = 400, description = "`malformed_json`", body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, description = "`slug_taken` or `too_many_categories`", body = Problem),
        (status = 422, description = "`invalid_body`", body = Problem),
    )
)]
async fn create_category(State(context): State<Context>, staff: Staff, command: Command<CategoryDraft>) -> Result<Answer, Failure> {
    staff.require(Permission::EditCatalog)?;
    let draft = command.body;
    context.mutate(&command.call, command.key, move |tx| Box::pin(async move { Answer::created(&edit::create_category(tx, &draft).await?) })).await
}

/// All products, published or not, the newest first.
#[utoipa::path(
    get,
    path = "/admin/v1/products",
    tag = "catalog",
    params(AdminProductQuery),
    responses(
        (status = 200, body = Page<AdminProduct>),
        (status = 400, description = "`invalid_query`", body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    )
)]
async fn list_products(State(context): State<Context>, staff: Staff, Query(query): Query<AdminProductQuery>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let paging = PageQuery { limit: query.limit, after: query.after };
    let limit = paging.limit()?;
    let after = paging.position::<i64>()?;
    let typed = query.q.unwrap_or_default();
    if typed.chars().count() > MOST_SEARCH_CHARS {
        return Err(Problem::invalid_query("q", "must not be longer than 100 characters").into());
    }
    let search = StaffSearch::of(&typed);
    let variants = query.variant_ids.as_deref().map(variants).transpose()?;
    let mut conn = context.db().read_latest().await?;
    if let Some(variants) = variants {
        let ids = products::list_ids_of_variants(&mut conn, &variants).await?;
        let items = products::list(&mut conn, &ids).await?.into_iter().map(ProductRecord::into_admin).collect();
        return Answer::ok(&Page::<AdminProduct> { items, next: None });
    }
    let found = products::list_ids(&mut conn, search.as_ref(), query.published, after, i64::from(limit) + 1).await?;
    let page = Page::cut(found, limit, |(_, position)| *position);
    let ids: Vec<ProductId> = page.items.into_iter().map(|(id, _)| id).collect();
    let items: Vec<AdminProduct> = products::list(&mut conn, &ids).await?.into_iter().map(ProductRecord::into_admin).collect();
    Answer::ok(&Page { items, next: page.next })
}

fn variants(text: &str) -> Result<Vec<VariantId>, Problem> {
    let ids = text.split(',').map(|id| id.trim().parse()).collect::<Result<Vec<VariantId>, _>>();
    ids.ok().filter(|ids| ids.len() <= MOST_VARIANTS).ok_or_else(|| Problem::invalid_query("variant_ids", "must be up to 100 variant ids, parted by commas"))
}

/// Makes a product with its options, variants, prices and pictures.
#[utoipa::path(
    post,
    path = "/admin/v1/products",
    tag = "catalog",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless.")),
    request_body = ProductDraft,
    responses(
        (status = 201, body = AdminProduct, headers(("ETag" = String))),
        (status = 400, description = "`malformed_json`", body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, description = "`slug_taken` or `sku_taken`, with the place in `errors`.", body = Problem),
        (status = 422, description = "`invalid_body`", body = Problem),
    )
)]
async fn create_product(State(context): State<Context>, staff: Staff, command: Command<ProductDraft>) -> Result<Answer, Failure> {
    staff.require(Permission::EditCatalog)?;
    let draft = command.body;
    context
        .mutate(&command.call, command.key, move |tx| {
            Box::pin(async move {
                let product = edit::create_product(tx, &draft).await?.into_admin();
                Ok(Answer::created(&product)?.version(product.version))
            })
        })
        .await
}

/// One product, published or not.
#[utoipa::path(
    get,
    path = "/admin/v1/products/{id}",
    tag = "catalog",
    params(("id" = ProductId, Path)),
    responses(
        (status = 200, body = AdminProduct, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, description = "`product_not_found`", body = Problem),
    )
)]
async fn get_product(State(context): State<Context>, staff: Staff, Path(id): Path<ProductId>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let record = products::find(&mut *context.db().read_latest().await?, id).await?;
    answer(record.ok_or_else(|| Problem::not_found("product"))?)
}

/// Changes a product; what is absent stays.
#[utoipa::path(
    patch,
    path = "/admin/v1/products/{id}",
    tag = "catalog",
    params(
        ("id" = ProductId, Path),
        ("If-Match" = String, Header, description = "The product's version."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless."),
    ),
    request_body = ProductPatch,
    responses(
        (status = 200, body = AdminProduct, headers(("ETag" = String))),
        (status = 400, description = "`malformed_json` or `invalid_header`", body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, description = "`product_not_found`", body = Problem),
        (status = 412, description = "`stale_version`", body = Problem),
        (status = 422, description = "`invalid_body`", body = Problem),
        (status = 428, description = "`version_required`", body = Problem),
    )
)]
async fn update_product(State(context): State<Context>, staff: Staff, Path(id): Path<ProductId>, command: Command<ProductPatch>) -> Result<Answer, Failure> {
    staff.require(Permission::EditCatalog)?;
    let version = command.call.require_match()?;
    let patch = command.body;
    context.mutate(&command.call, command.key, move |tx| Box::pin(async move { answer(edit::update_product(tx, id, version, &patch).await?) })).await
}

/// Changes a variant's SKU or prices; a currency not named keeps its price.
#[utoipa::path(
    patch,
    path = "/admin/v1/products/{id}/variants/{variant_id}",
    tag = "catalog",
    params(
        ("id" = ProductId, Path),
        ("variant_id" = VariantId, Path),
        ("If-Match" = String, Header, description = "The product's version."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless."),
    ),
    request_body = VariantPatch,
    responses(
        (status = 200, body = AdminProduct, headers(("ETag" = String))),
        (status = 400, description = "`malformed_json` or `invalid_header`", body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, description = "`product_not_found` or `variant_not_found`", body = Problem),
        (status = 409, description = "`sku_taken`", body = Problem),
        (status = 412, description = "`stale_version`", body = Problem),
        (status = 422, description = "`invalid_body`", body = Problem),
        (status = 428, description = "`version_required`", body = Problem),
    )
)]
async fn update_variant(
    State(context): State<Context>,
    staff: Staff,
    Path((id, variant)): Path<(ProductId, VariantId)>,
    command: Command<VariantPatch>,
) -> Result<Answer, Failure> {
    staff.require(Permission::EditCatalog)?;
    let version = command.call.require_match()?;
    let patch = command.body;
    context.mutate(&command.call, command.key, move |tx| Box::pin(async move { answer(edit::update_variant(tx, id, variant, version, &patch).await?) })).await
}

fn answer(record: ProductRecord) -> Result<Answer, Failure> {
    let product = record.into_admin();
    Ok(Answer::ok(&product)?.version(product.version))
}
