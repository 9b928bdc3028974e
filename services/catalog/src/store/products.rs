//! Whole products.

use std::collections::{BTreeMap, HashMap};

use catalog_api::{CategoryAnswer, CategoryId, ChannelId, MediaReference, PriceDraft, ProductId, ProductOption, StockBand, VariantId};
use kernel::{Currency, Money};
use serde::Deserialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::{ProductRecord, VariantRecord};

/// A variant as the query below puts it together.
#[derive(Debug, Deserialize)]
struct VariantRow {
    id: Uuid,
    sku: String,
    options: BTreeMap<String, String>,
    prices: Vec<PriceRow>,
    stock: BTreeMap<String, StockBand>,
}

#[derive(Debug, Deserialize)]
struct PriceRow {
    currency: Currency,
    price_minor: i64,
    compare_at_minor: Option<i64>,
}

impl From<VariantRow> for VariantRecord {
    fn from(row: VariantRow) -> Self {
        Self {
            id: VariantId::from_uuid(row.id),
            sku: row.sku,
            options: row.options,
            prices: row.prices.iter().map(PriceRow::price).collect(),
            stock: row.stock,
        }
    }
}

impl PriceRow {
    fn price(&self) -> PriceDraft {
        let money = |amount_minor| Money::new(amount_minor, self.currency);
        PriceDraft { price: money(self.price_minor), compare_at: self.compare_at_minor.map(money) }
    }
}

/// The id of the product with this slug in a channel, published or not.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_id(conn: &mut PgConnection, channel: ChannelId, slug: &str) -> Result<Option<ProductId>, sqlx::Error> {
    sqlx::query_scalar!(r#"select product_id as "id: ProductId" from catalog.product_channel where channel_id = $1 and slug = $2"#, channel.uuid(), slug)
        .fetch_optional(conn)
        .await
}

/// The id of the product that had this slug last.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_id_by_former_slug(conn: &mut PgConnection, slug: &str) -> Result<Option<ProductId>, sqlx::Error> {
    sqlx::query_scalar!(r#"select product_id as "id: ProductId" from catalog.former_slug where slug = $1"#, slug).fetch_optional(conn).await
}

/// One product, published or not.
///
/// # Errors
/// The database failed.
pub(crate) async fn find(conn: &mut PgConnection, id: ProductId) -> Result<Option<ProductRecord>, sqlx::Error> {
    Ok(list(conn, &[id]).await?.pop())
}

/// Whole products in the order of `ids`. One statement, so that each product is of one moment.
///
/// # Errors
/// The database failed.
pub(crate) async fn list(conn: &mut PgConnection, ids: &[ProductId]) -> Result<Vec<ProductRecord>, sqlx::Error> {
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"select p.id as "id: ProductId", p.slug, p.title, p.summary, p.description, p.facts, p.published, p.version,
                  c.id as "category_id?: CategoryId", c.slug as "category_slug?", c.name as "category_name?",
                  c.description as "category_description?", c.parent_id as "category_parent_id?: CategoryId",
                  c.image as "category_image?: Json<MediaReference>",
                  array(select ch.code from catalog.product_channel pc join catalog.channel ch on ch.id = pc.channel_id
                        where pc.product_id = p.id order by ch.created_at, ch.id) as "channels!",
                  coalesce((select jsonb_agg(jsonb_build_object('url', m.url, 'alt', m.alt, 'width', m.width, 'height', m.height,
                                                                'option_value', m.option_value, 'sources', m.sources) order by m.position)
                            from catalog.media m where m.product_id = p.id), '[]') as "media!: Json<Vec<MediaReference>>",
                  coalesce((select jsonb_agg(jsonb_build_object('name', o.name, 'values', (
                                select jsonb_agg(jsonb_build_object('value', ov.value, 'swatch', ov.swatch) order by ov.position)
                                from catalog.option_value ov where ov.product_id = o.product_id and ov.option_position = o.position
                            )) order by o.position)
                            from catalog.product_option o where o.product_id = p.id), '[]') as "options!: Json<Vec<ProductOption>>",
                  coalesce((select jsonb_agg(jsonb_build_object('id', v.id, 'sku', v.sku, 'options', v.options,
                                'prices', coalesce((select jsonb_agg(jsonb_build_object('currency', pr.currency, 'price_minor', pr.price_minor,
                                                                                        'compare_at_minor', pr.compare_at_minor) order by pr.currency)
                                                    from catalog.price pr where pr.variant_id = v.id), '[]'),
                                'stock', coalesce((select jsonb_object_agg(ch.code, coalesce(b.band, 'out'))
                                                   from catalog.product_channel pc join catalog.channel ch on ch.id = pc.channel_id
                                                   left join catalog.stock_band b on b.channel_id = pc.channel_id and b.variant_id = v.id
                                                   where pc.product_id = p.id), '{}')
                            ) order by v.position)
                            from catalog.variant v where v.product_id = p.id and v.deleted_at is null), '[]') as "variants!: Json<Vec<VariantRow>>"
           from catalog.product p left join catalog.category c on c.id = p.category_id
           where p.id = any ($1) and p.deleted_at is null"#,
        &uuids
    )
    .fetch_all(conn)
    .await?;
    let mut records: HashMap<ProductId, ProductRecord> = HashMap::with_capacity(rows.len());
    for row in rows {
        let category = match (row.category_id, row.category_slug, row.category_name, row.category_description) {
            (Some(id), Some(slug), Some(name), Some(description)) => {
                let image = row.category_image.map(|image| image.0);
                Some(CategoryAnswer { id, slug, name, description, parent_id: row.category_parent_id, image })
            }
            _ => None,
        };
        let record = ProductRecord {
            id: row.id,
            slug: row.slug,
            title: row.title,
            summary: row.summary,
            description: row.description,
            facts: row.facts,
            published: row.published,
            version: row.version,
            category,
            channels: row.channels,
            media: row.media.0,
            options: row.options.0,
            variants: row.variants.0.into_iter().map(VariantRecord::from).collect(),
        };
        records.insert(row.id, record);
    }
    Ok(ids.iter().filter_map(|id| records.remove(id)).collect())
}

/// The ids of products for staff, the newest first, each with its position: those behind `after`, `limit` at most.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_ids(
    conn: &mut PgConnection,
    search: Option<&StaffSearch>,
    published: Option<bool>,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<(ProductId, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select p.id as "id: ProductId", p.position from catalog.product p
           where p.deleted_at is null and ($1::boolean is null or p.published = $1) and ($2::bigint is null or p.position < $2)
             and ($3::text is null or p.id in (
                 select by_title.id from catalog.product by_title where to_tsvector('simple', by_title.title) @@ to_tsquery('simple', $4)
                 union all
                 select by_sku.product_id from catalog.variant by_sku where lower(by_sku.sku) like $3 and by_sku.deleted_at is null))
           order by p.position desc limit $5"#,
        published,
        after,
        search.map(|search| &search.sku_pattern),
        search.map(|search| &search.words),
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.position)).collect())
}

/// The ids of the products of `variants`, the newest first; deleted ones are in none.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_ids_of_variants(conn: &mut PgConnection, variants: &[VariantId]) -> Result<Vec<ProductId>, sqlx::Error> {
    let uuids: Vec<Uuid> = variants.iter().map(|id| id.uuid()).collect();
    sqlx::query_scalar!(
        r#"select p.id as "id: ProductId" from catalog.product p
           where p.deleted_at is null and p.id in (select v.product_id from catalog.variant v where v.id = any($1) and v.deleted_at is null)
           order by p.position desc"#,
        &uuids
    )
    .fetch_all(conn)
    .await
}

/// What staff search for, in the forms PostgreSQL wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StaffSearch {
    /// A `like` pattern of the start of a SKU, in small letters.
    pub(crate) sku_pattern: String,
    /// A `tsquery`: every word, or its start.
    pub(crate) words: String,
}

impl StaffSearch {
    /// Reads what was typed; nothing when that is blank.
    pub(crate) fn of(typed: &str) -> Option<Self> {
        let printable: String = typed.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let text = printable.trim().to_lowercase();
        if text.is_empty() {
            return None;
        }
        let sku_pattern = format!("{}%", text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_"));
        // Quoted, a word means itself, whatever signs are in it; `:*` also finds what begins with it.
        let words: Vec<String> = text
            .split(|letter: char| letter.is_whitespace() || matches!(letter, '\'' | '\\'))
            .filter(|word| word.chars().any(char::is_alphanumeric))
            .map(|word| format!("'{word}':*"))
            .collect();
        Some(Self { sku_pattern, words: words.join(" & ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_staff_type_means_itself() {
        let search = StaffSearch::of("  50%_Off' | wool\u{0}x ");
        assert_eq!(search, Some(StaffSearch { sku_pattern: r"50\%\_off' | wool x%".to_owned(), words: "'50%_off':* & 'wool':* & 'x':*".to_owned() }));
        assert_eq!(StaffSearch::of(" \u{0} "), None);
    }
}
