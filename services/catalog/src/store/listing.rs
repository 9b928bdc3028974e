//! The lists shoppers leaf through.

use catalog_api::{MediaReference, ProductId, ProductSort, ProductSummary, StockBand};
use kernel::{Money, Timestamp};
use sqlx::types::Json;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::Channel;
use crate::domain::ListPosition;

/// What to list.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    /// Where.
    pub(crate) channel: &'a Channel,
    /// Only these categories.
    pub(crate) categories: Option<Vec<Uuid>>,
    /// The order.
    pub(crate) sort: ProductSort,
    /// Only what comes after this place, which is one of the same order.
    pub(crate) after: Option<ListPosition>,
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
            where v.product_id = p.id and v.deleted_at is null) as has_some
    from catalog.product_channel pc
    join catalog.product p on p.id = pc.product_id and p.published and p.deleted_at is null
    join catalog.product_price pp on pp.product_id = p.id and pp.currency = ";

/// Lists published products.
///
/// # Errors
/// The database failed.
pub(crate) async fn list(conn: &mut PgConnection, wish: Wish<'_>) -> Result<Vec<Listed>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(COLUMNS);
    query.push_bind(wish.channel.currency.code()).push(" where pc.channel_id = ").push_bind(wish.channel.id.uuid());
    if let Some(categories) = wish.categories {
        query.push(" and p.category_id = any (").push_bind(categories).push(")");
    }
    if let Some(after) = wish.after {
        push_after(&mut query, after);
    }
    query.push(match wish.sort {
        ProductSort::Featured => " order by p.position",
        ProductSort::PriceAscending => " order by pp.lowest_minor, p.position",
        ProductSort::PriceDescending => " order by pp.lowest_minor desc, p.position desc",
        ProductSort::Title => " order by lower(p.title), p.position",
        ProductSort::Newest => " order by p.created_at desc, p.position desc",
    });
    query.push(" limit ").push_bind(wish.limit);
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| row.listed(wish.channel, wish.sort)).collect())
}

fn push_after(query: &mut QueryBuilder<Postgres>, after: ListPosition) {
    match after {
        ListPosition::Featured(position) => query.push(" and p.position > ").push_bind(position),
        ListPosition::PriceAscending(price, position) => push_row(query, " and (pp.lowest_minor, p.position) > (", price, position),
        ListPosition::PriceDescending(price, position) => push_row(query, " and (pp.lowest_minor, p.position) < (", price, position),
        ListPosition::Title(title, position) => query.push(" and (lower(p.title), p.position) > (").push_bind(title).push(", ").push_bind(position).push(")"),
        ListPosition::Newest(micros, position) => {
            let created_at = Timestamp::from_timestamp_micros(micros);
            query.push(" and (p.created_at, p.position) < (").push_bind(created_at).push(", ").push_bind(position).push(")")
        }
    };
}

fn push_row<'a>(query: &'a mut QueryBuilder<Postgres>, comparison: &'static str, price: i64, position: i64) -> &'a mut QueryBuilder<Postgres> {
    query.push(comparison).push_bind(price).push(", ").push_bind(position).push(")")
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
        };
        Listed { summary, position }
    }
}
