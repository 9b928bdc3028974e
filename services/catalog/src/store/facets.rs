//! What lists can be narrowed by, and how many products would be left.

use catalog_api::{OptionFacet, PriceRange, ProductFacets};
use kernel::Money;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Channel;
use crate::domain::Filter;

/// How many products are counted: what bounds the work.
const COUNTED: i64 = 2_000;

/// Counts the published products that fit, and for each value of each option those that are to be had with it.
///
/// A variant that misses nothing but the option that is counted still counts for its own value of that option: so a count says what would
/// be listed if this value were chosen instead.
///
/// # Errors
/// The database failed.
pub(crate) async fn count(conn: &mut PgConnection, channel: &Channel, categories: Option<&[Uuid]>, filter: &Filter) -> Result<ProductFacets, sqlx::Error> {
    let wanted: serde_json::Value =
        filter.options.options().map(|(name, values)| (name.to_owned(), serde_json::json!(values))).collect::<serde_json::Map<_, _>>().into();
    let row = sqlx::query!(
        r#"with listed as materialized (
               select p.id, pp.lowest_minor, pp.compare_at_minor is not null as is_reduced,
                      pp.lowest_minor between coalesce($6::bigint, 0) and coalesce($7::bigint, pp.lowest_minor) as price_fits
               from catalog.product_channel pc
               join catalog.product p on p.id = pc.product_id and p.published and p.deleted_at is null
               join catalog.product_price pp on pp.product_id = p.id and pp.currency = $2
               where pc.channel_id = $1 and ($3::uuid[] is null or p.category_id = any ($3))
               order by p.position
               limit $9::bigint + 1
           ),
           offered as materialized (
               select l.id, l.lowest_minor, l.price_fits, l.is_reduced, l.is_reduced or not $5 as reduction_fits,
                      b.variant_id is not null as is_in_stock, b.variant_id is not null or not $4 as stock_fits, v.options,
                      (select count(*) from jsonb_each($8) as wanted (name, choice)
                       where not coalesce(wanted.choice ? (v.options ->> wanted.name), false)) as misses
               from (select * from listed limit $9::bigint) l
               join catalog.variant v on v.product_id = l.id and v.deleted_at is null
               join catalog.price pr on pr.variant_id = v.id and pr.currency = $2
               left join catalog.stock_band b on b.variant_id = v.id and b.channel_id = $1 and b.band <> 'out'
           ),
           fitting as (
               select min(lowest_minor) as lowest, bool_or(price_fits and reduction_fits and stock_fits) as is_listed,
                      bool_or(price_fits and reduction_fits and is_in_stock) as is_in_stock, bool_or(price_fits and is_reduced and stock_fits) as is_reduced,
                      bool_or(reduction_fits and stock_fits) as fits_at_some_price
               from offered where misses = 0 group by id
           ),
           counts as (
               select count(*) filter (where is_listed) as total, count(*) filter (where is_in_stock) as in_stock, count(*) filter (where is_reduced) as reduced,
                      min(lowest) filter (where fits_at_some_price) as lowest, max(lowest) filter (where fits_at_some_price) as highest
               from fitting
           ),
           had as materialized (
               select distinct o.id, had.name, had.value
               from offered o cross join jsonb_each_text(o.options) as had (name, value)
               where o.price_fits and o.reduction_fits and o.stock_fits
                 and o.misses = case when $8 ? had.name and not ($8 -> had.name) ? had.value then 1 else 0 end
           ),
           option as (
               select name, count(distinct id) as products from had group by name order by 2 desc, 1 limit 12
           ),
           value as materialized (
               select had.name, had.value, count(*) as products, min(ov.position) as place, min(ov.swatch) as swatch,
                      row_number() over (partition by had.name order by count(*) desc, min(ov.position), had.value) as rank
               from had
               join option on option.name = had.name
               join catalog.product_option po on po.product_id = had.id and po.name = had.name
               join catalog.option_value ov on ov.product_id = had.id and ov.option_position = po.position and ov.value = had.value
               group by had.name, had.value
           )
           select counts.total as "total!", counts.in_stock as "in_stock!", counts.reduced as "reduced!", counts.lowest, counts.highest,
                  (select count(*) > $9::bigint from listed) as "is_partial!",
                  (select coalesce(jsonb_agg(jsonb_build_object('name', option.name, 'values', (
                              select jsonb_agg(jsonb_build_object('value', value.value, 'swatch', value.swatch, 'count', value.products)
                                               order by value.place, value.products desc, value.value)
                              from value where value.name = option.name and value.rank <= 40)) order by option.products desc, option.name), '[]')
                   from option) as "options!: Json<Vec<OptionFacet>>"
           from counts"#,
        channel.id.uuid(),
        channel.currency.code(),
        categories,
        filter.in_stock,
        filter.reduced,
        filter.lowest_minor,
        filter.highest_minor,
        wanted,
        COUNTED
    )
    .fetch_one(conn)
    .await?;
    let money = |amount_minor| Money::new(amount_minor, channel.currency);
    Ok(ProductFacets {
        total: row.total,
        in_stock: row.in_stock,
        reduced: row.reduced,
        prices: row.lowest.zip(row.highest).map(|(lowest, highest)| PriceRange { lowest: money(lowest), highest: money(highest) }),
        options: row.options.0,
        is_partial: row.is_partial,
    })
}
