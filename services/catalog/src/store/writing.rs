//! Making and changing products.

use catalog_api::{CategoryId, ChannelId, MediaReference, PriceDraft, ProductDraft, ProductId, ProductOption, ProductPatch, VariantDraft, VariantId};
use kernel::{Money, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

/// Writes the product's own row.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert_product(
    conn: &mut PgConnection,
    id: ProductId,
    draft: &ProductDraft,
    category: Option<CategoryId>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into catalog.product (id, slug, title, summary, description, facts, category_id, published, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        id.uuid(),
        draft.slug,
        draft.title,
        draft.summary,
        draft.description,
        &draft.facts,
        category.map(CategoryId::uuid),
        draft.published,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sells a product in these channels, and answers the channels in which its slug was free.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert_channels(conn: &mut PgConnection, id: ProductId, slug: &str, channels: &[ChannelId]) -> Result<Vec<ChannelId>, sqlx::Error> {
    let uuids: Vec<Uuid> = channels.iter().map(|channel| channel.uuid()).collect();
    sqlx::query_scalar!(
        r#"insert into catalog.product_channel (channel_id, slug, product_id)
           select channel.id, $2, $1 from unnest($3::uuid[]) as channel (id) order by channel.id
           on conflict (channel_id, slug) do nothing
           returning channel_id as "channel_id: ChannelId""#,
        id.uuid(),
        slug,
        &uuids
    )
    .fetch_all(conn)
    .await
}

/// Sells a product in these channels and no others. False when its slug is another product's in one of them.
///
/// # Errors
/// The database failed.
pub(crate) async fn replace_channels(conn: &mut PgConnection, id: ProductId, channels: &[ChannelId]) -> Result<bool, sqlx::Error> {
    let uuids: Vec<Uuid> = channels.iter().map(|channel| channel.uuid()).collect();
    sqlx::query!("delete from catalog.product_channel where product_id = $1 and channel_id <> all($2)", id.uuid(), &uuids).execute(&mut *conn).await?;
    sqlx::query!(
        "insert into catalog.product_channel (channel_id, slug, product_id)
         select channel.id, p.slug, p.id from catalog.product p, unnest($2::uuid[]) as channel (id)
         where p.id = $1 and not exists (select from catalog.product_channel pc where pc.product_id = p.id and pc.channel_id = channel.id)
         order by channel.id
         on conflict (channel_id, slug) do nothing",
        id.uuid(),
        &uuids
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query_scalar!(
        r#"select count(*) = cardinality($2::uuid[]) as "sold!" from catalog.product_channel where product_id = $1 and channel_id = any($2)"#,
        id.uuid(),
        &uuids
    )
    .fetch_one(conn)
    .await
}

/// Remembers the slug a product had, and that the one it has leads nowhere else.
///
/// # Errors
/// The database failed.
pub(crate) async fn leave_slug(conn: &mut PgConnection, id: ProductId, former: &str, slug: &str, now: Timestamp) -> Result<(), sqlx::Error> {
    take_slug(conn, slug).await?;
    sqlx::query!(
        "insert into catalog.former_slug (slug, product_id, left_at) values ($1, $2, $3)
         on conflict (slug) do update set product_id = excluded.product_id, left_at = excluded.left_at",
        former,
        id.uuid(),
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A slug that a product takes leads to no product any more that had it before.
///
/// # Errors
/// The database failed.
pub(crate) async fn take_slug(conn: &mut PgConnection, slug: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from catalog.former_slug where slug = $1", slug).execute(conn).await?;
    Ok(())
}

/// Writes the options of a product with their values, in order.
///
/// # Errors
/// The database failed.
#[expect(clippy::as_conversions, reason = "tells sqlx that elements may be null")]
pub(crate) async fn insert_options(conn: &mut PgConnection, id: ProductId, options: &[ProductOption]) -> Result<(), sqlx::Error> {
    let names: Vec<String> = options.iter().map(|option| option.name.clone()).collect();
    sqlx::query!(
        "insert into catalog.product_option (product_id, position, name)
         select $1, option.position, option.name from unnest($2::text[]) with ordinality as option (name, position)",
        id.uuid(),
        &names
    )
    .execute(&mut *conn)
    .await?;
    let all = || {
        (1_i32..)
            .zip(options)
            .flat_map(|(option_position, option)| (1_i32..).zip(&option.values).map(move |(position, value)| (option_position, position, value)))
    };
    let option_positions: Vec<i32> = all().map(|(option_position, ..)| option_position).collect();
    let positions: Vec<i32> = all().map(|(_, position, _)| position).collect();
    let values: Vec<String> = all().map(|(.., value)| value.value.clone()).collect();
    let swatches: Vec<Option<String>> = all().map(|(.., value)| value.swatch.clone()).collect();
    sqlx::query!(
        "insert into catalog.option_value (product_id, option_position, position, value, swatch)
         select $1, * from unnest($2::integer[], $3::integer[], $4::text[], $5::text[])",
        id.uuid(),
        &option_positions,
        &positions,
        &values,
        &swatches as &[Option<String>]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes the variants of a product, in order, and answers the ids of those whose SKU was free.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert_variants(
    conn: &mut PgConnection,
    product: ProductId,
    ids: &[VariantId],
    drafts: &[VariantDraft],
) -> Result<Vec<VariantId>, sqlx::Error> {
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let skus: Vec<String> = drafts.iter().map(|draft| draft.sku.clone()).collect();
    let options: Vec<serde_json::Value> = drafts.iter().map(|draft| serde_json::json!(draft.options)).collect();
    sqlx::query_scalar!(
        r#"insert into catalog.variant (id, product_id, sku, options, position)
           select variant.id, $1, variant.sku, variant.options, variant.position
           from unnest($2::uuid[], $3::text[], $4::jsonb[]) with ordinality as variant (id, sku, options, position)
           order by lower(variant.sku)
           on conflict (lower(sku)) do nothing
           returning id as "id: VariantId""#,
        product.uuid(),
        &uuids,
        &skus,
        &options
    )
    .fetch_all(conn)
    .await
}

/// Sets prices; a price that is there already is replaced, its compare-at price with it.
///
/// # Errors
/// The database failed.
#[expect(clippy::as_conversions, reason = "tells sqlx that elements may be null")]
pub(crate) async fn upsert_prices(conn: &mut PgConnection, prices: &[(VariantId, PriceDraft)]) -> Result<(), sqlx::Error> {
    let variants: Vec<Uuid> = prices.iter().map(|(variant, _)| variant.uuid()).collect();
    let currencies: Vec<String> = prices.iter().map(|(_, price)| price.price.currency().to_string()).collect();
    let amounts: Vec<i64> = prices.iter().map(|(_, price)| price.price.amount_minor()).collect();
    let compare_at: Vec<Option<i64>> = prices.iter().map(|(_, price)| price.compare_at.map(Money::amount_minor)).collect();
    sqlx::query!(
        "insert into catalog.price (variant_id, currency, price_minor, compare_at_minor)
         select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
         on conflict (variant_id, currency) do update set price_minor = excluded.price_minor, compare_at_minor = excluded.compare_at_minor",
        &variants,
        &currencies,
        &amounts,
        &compare_at as &[Option<i64>]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sums up the prices of a product for lists.
///
/// # Errors
/// The database failed.
pub(crate) async fn refresh_product_price(conn: &mut PgConnection, id: ProductId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into catalog.product_price (product_id, currency, lowest_minor, highest_minor, compare_at_minor)
         select $1, pr.currency, min(pr.price_minor), max(pr.price_minor), (array_agg(pr.compare_at_minor order by pr.price_minor, v.position))[1]
         from catalog.variant v join catalog.price pr on pr.variant_id = v.id
         where v.product_id = $1 and v.deleted_at is null
         group by pr.currency
         on conflict (product_id, currency) do update
         set lowest_minor = excluded.lowest_minor, highest_minor = excluded.highest_minor, compare_at_minor = excluded.compare_at_minor",
        id.uuid()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes the pictures of a product, in order.
///
/// # Errors
/// The database failed.
#[expect(clippy::as_conversions, reason = "tells sqlx that elements may be null")]
pub(crate) async fn insert_media(conn: &mut PgConnection, id: ProductId, media: &[MediaReference]) -> Result<(), sqlx::Error> {
    let urls: Vec<String> = media.iter().map(|picture| picture.url.clone()).collect();
    let alts: Vec<String> = media.iter().map(|picture| picture.alt.clone()).collect();
    let widths: Vec<i32> = media.iter().map(|picture| picture.width).collect();
    let heights: Vec<i32> = media.iter().map(|picture| picture.height).collect();
    let option_values: Vec<Option<String>> = media.iter().map(|picture| picture.option_value.clone()).collect();
    let sources: Vec<serde_json::Value> = media.iter().map(|picture| serde_json::json!(picture.sources)).collect();
    sqlx::query!(
        "insert into catalog.media (product_id, position, url, alt, width, height, option_value, sources)
         select $1, picture.position, picture.url, picture.alt, picture.width, picture.height, picture.option_value, picture.sources
         from unnest($2::text[], $3::text[], $4::integer[], $5::integer[], $6::text[], $7::jsonb[])
              with ordinality as picture (url, alt, width, height, option_value, sources, position)",
        id.uuid(),
        &urls,
        &alts,
        &widths,
        &heights,
        &option_values as &[Option<String>],
        &sources
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts these pictures, in order, in the place of those a product has.
///
/// # Errors
/// The database failed.
pub(crate) async fn replace_media(conn: &mut PgConnection, id: ProductId, media: &[MediaReference]) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from catalog.media where product_id = $1", id.uuid()).execute(&mut *conn).await?;
    insert_media(conn, id, media).await
}

/// Changes a product that is still at `version`, and counts the change. False if it is not.
///
/// # Errors
/// Its slug is another product's in a channel (constraint `product_channel_slug_unique`); the database failed.
pub(crate) async fn update_product(
    conn: &mut PgConnection,
    id: ProductId,
    version: i64,
    patch: &ProductPatch,
    category: Option<CategoryId>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let updated = sqlx::query!(
        "update catalog.product
         set title = coalesce($3, title), summary = coalesce($4, summary), description = coalesce($5, description),
             category_id = case when $9 then null else coalesce($6, category_id) end, published = coalesce($7, published),
             slug = coalesce($10, slug), facts = coalesce($11, facts), version = version + 1, updated_at = $8
         where id = $1 and version = $2 and deleted_at is null",
        id.uuid(),
        version,
        patch.title,
        patch.summary,
        patch.description,
        category.map(CategoryId::uuid),
        patch.published,
        now,
        patch.category.as_deref() == Some(""),
        patch.slug,
        patch.facts.as_deref()
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// The version of a product, if there is one.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_version(conn: &mut PgConnection, id: ProductId) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!("select version from catalog.product where id = $1 and deleted_at is null", id.uuid()).fetch_optional(conn).await
}

/// Gives a variant of a product another SKU, or leaves it as it is. False if the product has no such variant.
///
/// # Errors
/// The SKU is taken (constraint `variant_sku_unique`); the database failed.
pub(crate) async fn update_variant(conn: &mut PgConnection, product: ProductId, variant: VariantId, sku: Option<&str>) -> Result<bool, sqlx::Error> {
    let updated = sqlx::query!(
        "update catalog.variant set sku = coalesce($3, sku) where id = $1 and product_id = $2 and deleted_at is null",
        variant.uuid(),
        product.uuid(),
        sku
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}
