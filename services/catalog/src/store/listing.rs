//! The lists shoppers leaf through.

use std::collections::HashMap;

use catalog_api::{MediaReference, ProductId, ProductSort, ProductSummary, StockBand};
use kernel::{Money, Timestamp};
use sqlx::types::Json;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::Channel;
use crate::domain::{Filter, ListPosition, Place};

/// What to list.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    /// Where.
    pub(crate) channel: &'a Channel,
    /// Only these categories.
    pub(crate) categories: Option<Vec<Uuid>>,
    /// Only what fits.
    pub(crate) filter: &'a Filter,
    /// The order.
    pub(crate) sort: ProductSort,
    /// Which part of it, by a position of the same order.
    pub(crate) place: Place,
    /// How many at most.
    pub(crate) limit: i64,
}

/// A product in a list, with its place in it.
#[derive(Debug)]
pub(crate) struct Listed {
    /// The product.
    pub(crate) summary: ProductSummary,
    /// Its place.
    pub(crate) position: ListPosition,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: ProductId,
    slug: String,
    title: String,
    summary: String,
    title_key: String,
    position: i64,
    created_at: Timestamp,
    lowest_minor: i64,
    highest_minor: i64,
    compare_at_minor: Option<i64>,
    image: Option<Json<MediaReference>>,
    has_enough: Option<bool>,
    has_some: Option<bool>,
    swatches: Vec<String>,
}

/// What is listed, without the lists' own conditions and order. Pictures and stock are looked up for the rows of the page only:
/// PostgreSQL puts such costly columns off until after `limit`.
const COLUMNS: &str = "
    select p.id, pc.slug, p.title, p.summary, lower(p.title) as title_key, p.position, p.created_at, pp.lowest_minor, pp.highest_minor, pp.compare_at_minor,
           (select jsonb_build_object('url', m.url, 'alt', m.alt, 'width', m.width, 'height', m.height, 'option_value', m.option_value,
                                             'sources', m.sources)
            from catalog.media m where m.product_id = p.id order by m.position limit 1) as image,
           (select bool_or(b.band = 'in') from catalog.variant v
            join catalog.price pr on pr.variant_id = v.id and pr.currency = pp.currency
            join catalog.stock_band b on b.variant_id = v.id and b.channel_id = pc.channel_id
            where v.product_id = p.id and v.deleted_at is null) as has_enough,
           (select bool_or(b.band <> 'out') from catalog.variant v
            join catalog.price pr on pr.variant_id = v.id and pr.currency = pp.currency
            join catalog.stock_band b on b.variant_id = v.id and b.channel_id = pc.channel_id
            where v.product_id = p.id and v.deleted_at is null) as has_some,
           array(select ov.swatch from catalog.option_value ov where ov.product_id = p.id and ov.swatch is not null
                 order by ov.option_position, ov.position limit 6) as swatches
    from catalog.product_channel pc
    join catalog.product p on p.id = pc.product_id and p.published and p.deleted_at is null
    join catalog.product_price pp on pp.product_id = p.id and pp.currency = ";

/// Lists published products, in the order of the list also where they are found from its end.
///
/// # Errors
/// The database failed.
pub(crate) async fn list(conn: &mut PgConnection, wish: Wish<'_>) -> Result<Vec<Listed>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(COLUMNS);
    query.push_bind(wish.channel.currency.code()).push(" where pc.channel_id = ").push_bind(wish.channel.id.uuid());
    if let Some(categories) = wish.categories {
        query.push(" and p.category_id = any (").push_bind(categories).push(")");
    }
    push_filter(&mut query, wish.filter);
    let is_backwards = matches!(wish.place, Place::Before(_));
    let (columns, is_ascending) = order(wish.sort);
    let is_ascending = is_ascending != is_backwards;
    if let Place::After(position) | Place::Before(position) = wish.place {
        query.push(format_args!(" and ({}) {} (", columns.join(", "), if is_ascending { ">" } else { "<" }));
        push_position(&mut query, position);
        query.push(")");
    }
    let direction = if is_ascending { "" } else { " desc" };
    query.push(format_args!(" order by {}{direction} limit ", columns.join(&format!("{direction}, ")))).push_bind(wish.limit);
    let mut rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    if is_backwards {
        rows.reverse();
    }
    Ok(rows.into_iter().map(|row| row.listed(wish.channel, wish.sort)).collect())
}

/// What a list is sorted by, and whether the least comes first. An index stands behind each.
const fn order(sort: ProductSort) -> (&'static [&'static str], bool) {
    match sort {
        ProductSort::Featured => (&["p.position"], true),
        ProductSort::PriceAscending => (&["pp.lowest_minor", "p.position"], true),
        ProductSort::PriceDescending => (&["pp.lowest_minor", "p.position"], false),
        ProductSort::Title => (&["lower(p.title)", "p.position"], true),
        ProductSort::Newest => (&["p.created_at", "p.position"], false),
    }
}

fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    if filter.reduced {
        query.push(" and pp.compare_at_minor is not null");
    }
    if let Some(lowest) = filter.lowest_minor {
        query.push(" and pp.lowest_minor >= ").push_bind(lowest);
    }
    if let Some(highest) = filter.highest_minor {
        query.push(" and pp.lowest_minor <= ").push_bind(highest);
    }
    if !filter.in_stock && filter.options.is_empty() {
        return;
    }
    query.push(" and exists (select 1 from catalog.variant v join catalog.price pr on pr.variant_id = v.id and pr.currency = pp.currency");
    if filter.in_stock {
        query.push(" join catalog.stock_band b on b.variant_id = v.id and b.channel_id = pc.channel_id and b.band <> 'out'");
    }
    query.push(" where v.product_id = p.id and v.deleted_at is null");
    for (name, values) in filter.options.options() {
        let values: Vec<Json<HashMap<&str, &str>>> = values.iter().map(|value| Json(HashMap::from([(name, value.as_str())]))).collect();
        query.push(" and v.options @> any (").push_bind(values).push(")");
    }
    query.push(")");
}

fn push_position(query: &mut QueryBuilder<Postgres>, position: ListPosition) {
    match position {
        ListPosition::Featured(position) => query.push_bind(position),
        ListPosition::PriceAscending(price, position) | ListPosition::PriceDescending(price, position) => query.push_bind(price).push(", ").push_bind(position),
        ListPosition::Title(title, position) => query.push_bind(title).push(", ").push_bind(position),
        ListPosition::Newest(micros, position) => query.push_bind(Timestamp::from_timestamp_micros(micros)).push(", ").push_bind(position),
    };
}

impl Row {
    fn listed(self, channel: &Channel, sort: ProductSort) -> Listed {
        let position = match sort {
            ProductSort::Featured => ListPosition::Featured(self.position),
            ProductSort::PriceAscending => ListPosition::PriceAscending(self.lowest_minor, self.position),
            ProductSort::PriceDescending => ListPosition::PriceDescending(self.lowest_minor, self.position),
            ProductSort::Title => ListPosition::Title(self.title_key, self.position),
            ProductSort::Newest => ListPosition::Newest(self.created_at.timestamp_micros(), self.position),
        };
        let stock = match (self.has_enough, self.has_some) {
            (Some(true), _) => StockBand::In,
            (_, Some(true)) => StockBand::Low,
            _ => StockBand::Out,
        };
        let money = |amount_minor| Money::new(amount_minor, channel.currency);
        let summary = ProductSummary {
            id: self.id,
            slug: self.slug,
            title: self.title,
            summary: self.summary,
            price: money(self.lowest_minor),
            price_varies: self.highest_minor > self.lowest_minor,
            compare_at: self.compare_at_minor.map(money),
            image: self.image.map(|image| image.0),
            stock,
            swatches: self.swatches,
        };
        Listed { summary, position }
    }
}
