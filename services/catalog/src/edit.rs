//! What staff do to the catalogue, each in the caller's transaction: the rows, the audit entry, and the news of it.

use catalog_api::{
    CategoryAnswer, CategoryChanged, CategoryDraft, ChannelAnswer, ChannelChanged, ChannelId, ChannelPatch, PriceDraft, ProductChanged, ProductDraft,
    ProductId, ProductPatch, VariantId, VariantPatch,
};
use db::Tx;
use kernel::Problem;
use serde_json::json;
use service::Failure;

use crate::domain::{Flaw, ProductRecord, check_media, check_prices, check_product};
use crate::store::channels::Wanted;
use crate::store::{categories, channels, products, writing};

/// Why an edit was refused; nothing is written then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    /// The content breaks a rule, in these places.
    #[error("content breaks {} rules", .0.len())]
    Flawed(Vec<Flaw>),
    /// Something that may be there once is there already.
    #[error("{} is taken", .0.name())]
    Taken(Unique, Vec<Flaw>),
    /// There is no such record.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// Somebody else changed the record; it is at this version now.
    #[error("record is at version {0} by now")]
    Stale(i64),
    /// There are as many categories as a shop can have.
    #[error("too many categories")]
    TooManyCategories,
    /// The database failed.
    #[error("database failed")]
    Database(sqlx::Error),
    /// The audit entry or the event could not be written.
    #[error("edit could not be written down")]
    Db(#[from] db::DbError),
}

/// What may be there once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unique {
    /// A slug, of a category in the shop or of a product in a channel.
    Slug,
    /// A SKU in the shop, large and small letters being equal.
    Sku,
    /// A host in the shop.
    Host,
}

impl Unique {
    const fn name(self) -> &'static str {
        match self {
            Self::Slug => "slug",
            Self::Sku => "SKU",
            Self::Host => "host",
        }
    }
}

fn flaw(pointer: impl Into<String>, code: &'static str, detail: &str) -> Flaw {
    Flaw { pointer: pointer.into(), code, detail: detail.to_owned() }
}

fn taken(unique: Unique, pointer: impl Into<String>) -> EditError {
    EditError::Taken(unique, vec![flaw(pointer, "taken", "is in use already")])
}

impl From<sqlx::Error> for EditError {
    /// The one place where the name of a constraint becomes a refusal.
    fn from(error: sqlx::Error) -> Self {
        match db::constraint_of(&error) {
            Some("category_slug_unique" | "product_channel_slug_unique") => taken(Unique::Slug, "/slug"),
            Some("category_parent_known") => Self::Flawed(vec![flaw("/parent_id", "unknown", "must be the id of a category")]),
            Some("channel_host_unique") => taken(Unique::Host, "/hosts"),
            Some("variant_sku_unique") => taken(Unique::Sku, "/sku"),
            _ => Self::Database(error),
        }
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        let told =
            |problem: Problem, flaws: Vec<Flaw>| flaws.into_iter().fold(problem, |problem, flaw| problem.field(flaw.pointer, flaw.code, flaw.detail)).into();
        match error {
            EditError::Flawed(flaws) => told(Problem::invalid_body(), flaws),
            EditError::Taken(Unique::Slug, flaws) => told(Problem::new(409, "slug_taken", "This slug is in use already"), flaws),
            EditError::Taken(Unique::Sku, flaws) => told(Problem::new(409, "sku_taken", "This SKU is in use already"), flaws),
            EditError::Taken(Unique::Host, flaws) => told(Problem::new(409, "host_taken", "Another channel has this host"), flaws),
            EditError::NotFound(thing) => Problem::not_found(thing).into(),
            EditError::Stale(version) => Problem::stale(version).into(),
            EditError::TooManyCategories => Problem::new(409, "too_many_categories", "There are as many categories as a shop can have").into(),
            EditError::Database(error) => error.into(),
            EditError::Db(error) => error.into(),
        }
    }
}

/// Makes a product with its options, variants, prices and pictures.
///
/// # Errors
/// See [`EditError`].
pub(crate) async fn create_product(tx: &mut Tx, draft: &ProductDraft) -> Result<ProductRecord, EditError> {
    let flaws = check_product(draft);
    if !flaws.is_empty() {
        return Err(EditError::Flawed(flaws));
    }
    let now = tx.now();
    let conn = tx.conn();
    let category = find_category(conn, draft.category.as_deref()).await?;
    let wanted = find_channels(conn, &draft.channels).await?;
    let id = ProductId::new(now);
    writing::insert_product(conn, id, draft, category, now).await?;
    let free = writing::insert_channels(conn, id, &draft.slug, &wanted).await?;
    if free.len() < wanted.len() {
        return Err(taken(Unique::Slug, "/slug"));
    }
    writing::take_slug(conn, &draft.slug).await?;
    writing::insert_options(conn, id, &draft.options).await?;
    insert_variants(tx, id, draft).await?;
    let conn = tx.conn();
    writing::refresh_product_price(conn, id).await?;
    writing::insert_media(conn, id, &draft.media).await?;
    let record = products::find(conn, id).await?.ok_or(EditError::NotFound("product"))?;
    let summary = json!({ "slug": draft.slug, "title": draft.title, "published": draft.published, "variants": draft.variants.len() });
    tell_product(tx, &record, "product.created", summary).await?;
    Ok(record)
}

async fn insert_variants(tx: &mut Tx, product: ProductId, draft: &ProductDraft) -> Result<(), EditError> {
    let now = tx.now();
    let ids: Vec<VariantId> = draft.variants.iter().map(|_| VariantId::new(now)).collect();
    let free = writing::insert_variants(tx.conn(), product, &ids, &draft.variants).await?;
    if free.len() < ids.len() {
        let free: std::collections::HashSet<VariantId> = free.into_iter().collect();
        let lost = ids.iter().enumerate().filter(|(_, id)| !free.contains(id));
        let flaws = lost.map(|(index, _)| flaw(format!("/variants/{index}/sku"), "taken", "is in use already")).collect();
        return Err(EditError::Taken(Unique::Sku, flaws));
    }
    let prices: Vec<(VariantId, PriceDraft)> =
        ids.iter().zip(&draft.variants).flat_map(|(id, variant)| variant.prices.iter().map(move |price| (*id, *price))).collect();
    Ok(writing::upsert_prices(tx.conn(), &prices).await?)
}

async fn find_category(conn: &mut sqlx::PgConnection, slug: Option<&str>) -> Result<Option<catalog_api::CategoryId>, EditError> {
    let Some(slug) = slug else { return Ok(None) };
    let found = categories::find_id(conn, slug).await?;
    found.map(Some).ok_or_else(|| EditError::Flawed(vec![flaw("/category", "unknown", "must be the slug of a category")]))
}

async fn find_channels(conn: &mut sqlx::PgConnection, codes: &[String]) -> Result<Vec<ChannelId>, EditError> {
    let found = channels::list_by_code(conn, codes).await?;
    let unknown = codes.iter().enumerate().filter(|(_, code)| !found.iter().any(|(_, known)| known == *code));
    let flaws: Vec<Flaw> = unknown.map(|(index, _)| flaw(format!("/channels/{index}"), "unknown", "must be the code of a channel")).collect();
    if flaws.is_empty() { Ok(found.into_iter().map(|(id, _)| id).collect()) } else { Err(EditError::Flawed(flaws)) }
}

/// Changes a product that is still at `version`.
///
/// # Errors
/// See [`EditError`].
pub(crate) async fn update_product(tx: &mut Tx, id: ProductId, version: i64, patch: &ProductPatch) -> Result<ProductRecord, EditError> {
    let now = tx.now();
    let conn = tx.conn();
    let category = find_category(conn, patch.category.as_deref().filter(|slug| !slug.is_empty())).await?;
    // Still so if its version is, which the update sees to.
    let before = products::find(conn, id).await?.ok_or(EditError::NotFound("product"))?;
    let flaws = patch.media.as_deref().map(|media| check_media(&before.options, media)).unwrap_or_default();
    if !flaws.is_empty() {
        return Err(EditError::Flawed(flaws));
    }
    let wanted = match &patch.channels {
        Some(codes) => Some(find_channels(conn, codes).await?),
        None => None,
    };
    count_change(tx, id, version, patch, category).await?;
    let conn = tx.conn();
    if let Some(slug) = patch.slug.as_deref().filter(|slug| *slug != before.slug) {
        writing::leave_slug(conn, id, &before.slug, slug, now).await?;
    }
    if let Some(channels) = wanted
        && !writing::replace_channels(conn, id, &channels).await?
    {
        return Err(taken(Unique::Slug, "/channels"));
    }
    if let Some(media) = &patch.media {
        writing::replace_media(conn, id, media).await?;
    }
    let record = products::find(conn, id).await?.ok_or(EditError::NotFound("product"))?;
    tell_product(tx, &record, "product.updated", json!(patch)).await?;
    Ok(record)
}

/// Changes the SKU or prices of a variant, of a product that is still at `version`.
///
/// # Errors
/// See [`EditError`].
pub(crate) async fn update_variant(tx: &mut Tx, id: ProductId, variant: VariantId, version: i64, patch: &VariantPatch) -> Result<ProductRecord, EditError> {
    let flaws = check_prices("/prices", &patch.prices);
    if !flaws.is_empty() {
        return Err(EditError::Flawed(flaws));
    }
    // The product's row is locked first, so that two edits of one product come one after the other.
    count_change(tx, id, version, &ProductPatch::default(), None).await?;
    let conn = tx.conn();
    if !writing::update_variant(conn, id, variant, patch.sku.as_deref()).await? {
        return Err(EditError::NotFound("variant"));
    }
    let prices: Vec<(VariantId, PriceDraft)> = patch.prices.iter().map(|price| (variant, *price)).collect();
    writing::upsert_prices(conn, &prices).await?;
    writing::refresh_product_price(conn, id).await?;
    let record = products::find(conn, id).await?.ok_or(EditError::NotFound("product"))?;
    tell_product(tx, &record, "variant.updated", json!({ "variant_id": variant, "patch": patch })).await?;
    Ok(record)
}

async fn count_change(tx: &mut Tx, id: ProductId, version: i64, patch: &ProductPatch, category: Option<catalog_api::CategoryId>) -> Result<(), EditError> {
    let now = tx.now();
    if writing::update_product(tx.conn(), id, version, patch, category, now).await? {
        return Ok(());
    }
    let current = writing::find_version(tx.conn(), id).await?;
    Err(current.map_or(EditError::NotFound("product"), EditError::Stale))
}

async fn tell_product(tx: &mut Tx, record: &ProductRecord, action: &str, detail: serde_json::Value) -> Result<(), EditError> {
    tx.audit(action, &record.id.to_string(), detail).await?;
    tx.publish(&ProductChanged { product_id: record.id, slug: record.slug.clone(), stock_only: false }).await?;
    Ok(())
}

/// Makes a category.
///
/// # Errors
/// See [`EditError`].
pub(crate) async fn create_category(tx: &mut Tx, draft: &CategoryDraft) -> Result<CategoryAnswer, EditError> {
    let now = tx.now();
    if categories::count(tx.conn()).await? >= categories::MOST {
        return Err(EditError::TooManyCategories);
    }
    let category = categories::insert(tx.conn(), draft, now).await?;
    tx.audit("category.created", &category.id.to_string(), json!(draft)).await?;
    tx.publish(&CategoryChanged { category_id: category.id, slug: category.slug.clone() }).await?;
    Ok(category)
}

/// Changes a channel that is still at `version`.
///
/// # Errors
/// See [`EditError`].
pub(crate) async fn update_channel(tx: &mut Tx, id: ChannelId, version: i64, mut patch: ChannelPatch) -> Result<ChannelAnswer, EditError> {
    let conn = tx.conn();
    let current = channels::list(conn, Wanted::Id(id)).await?.pop().ok_or(EditError::NotFound("channel"))?.channel;
    if patch.delivery_price.is_some_and(|price| price.currency() != current.currency) {
        return Err(EditError::Flawed(vec![flaw("/delivery_price/currency", "currency_mismatch", "must be the channel's currency")]));
    }
    if let Some(countries) = &mut patch.countries {
        countries.sort_unstable();
        countries.dedup();
    }
    if !channels::update(conn, id, version, &patch).await? {
        let current = channels::list(conn, Wanted::Id(id)).await?.pop().ok_or(EditError::NotFound("channel"))?.channel;
        return Err(EditError::Stale(current.version));
    }
    if let Some(hosts) = &patch.hosts {
        channels::replace_hosts(conn, id, hosts).await?;
    }
    let stored = channels::list(conn, Wanted::Id(id)).await?.pop().ok_or(EditError::NotFound("channel"))?;
    tx.audit("channel.updated", &id.to_string(), json!(patch)).await?;
    tx.publish(&ChannelChanged { channel_id: id, code: stored.channel.code.clone() }).await?;
    Ok(stored.into_answer())
}
