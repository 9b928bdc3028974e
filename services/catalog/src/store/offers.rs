//! Offers: the base price of variants in a channel.

use std::collections::BTreeMap;

use catalog_api::{ChannelId, MediaReference, ProductId, VariantId};
use kernel::{Currency, Money};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Offer;

/// The offers of these variants, by id; see [`crate::list_offers`].
///
/// # Errors
/// The database failed.
pub(crate) async fn list(conn: &mut PgConnection, channel: ChannelId, currency: Currency, variants: &[VariantId]) -> Result<Vec<Offer>, sqlx::Error> {
    let ids: Vec<Uuid> = variants.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"select v.id as "variant_id: VariantId", p.id as "product_id: ProductId", pc.slug, v.sku, p.title,
                  v.options as "options: Json<BTreeMap<String, String>>", pr.price_minor,
                  (select jsonb_build_object('url', m.url, 'alt', m.alt, 'width', m.width, 'height', m.height, 'option_value', m.option_value,
                                             'sources', m.sources)
                   from catalog.media m
                   where m.product_id = p.id
                   order by coalesce(m.option_value in (select chosen.value from jsonb_each_text(v.options) as chosen), false) desc, m.position
                   limit 1) as "image: Json<MediaReference>"
           from catalog.variant v
           join catalog.product p on p.id = v.product_id
           join catalog.product_channel pc on pc.product_id = p.id and pc.channel_id = $1
           join catalog.price pr on pr.variant_id = v.id and pr.currency = $2
           where v.id = any ($3) and v.deleted_at is null and p.published and p.deleted_at is null
           order by v.id"#,
        channel.uuid(),
        currency.code(),
        &ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Offer {
            variant_id: row.variant_id,
            product_id: row.product_id,
            product_slug: row.slug,
            sku: row.sku,
            title: row.title,
            options: row.options.0,
            image: row.image.map(|image| image.0),
            unit_price: Money::new(row.price_minor, currency),
        })
        .collect())
}
