//! What must always hold of orders, asked of the tables themselves.

use db::check::{Batch, Check, Finding, Place};
use orders_api::OrderId;
use sqlx::PgConnection;
use uuid::Uuid;

/// The invariants of this schema.
pub(crate) fn checks() -> Vec<Check> {
    vec![
        Check {
            name: "orders.lines",
            rule: "The lines of an order add up to it, and its total to subtotal and delivery",
            remedy: "Orders are written once: somebody has gone around the rights of the service. Compare the order with the last backup; what the shopper was told is in the answer kept for the purchase.",
            look: |conn, place| Box::pin(lines(conn, place)),
        },
        Check {
            name: "orders.timeline",
            rule: "The timeline of an order says once what happened to it",
            remedy: "Compare the order with its payments and its hold; those that agree are right. Then add a comment that says what was found.",
            look: |conn, place| Box::pin(timeline(conn, place)),
        },
        Check {
            name: "orders.numbers",
            rule: "Every sale has a number, and no two have the same",
            remedy: "Tell the shoppers apart by the order's id, give one of them a new number of the sequence orders.order_number, and put the constraint order_number_unique back.",
            look: |conn, place| Box::pin(numbers(conn, place)),
        },
        Check {
            name: "orders.one_per_cart",
            rule: "A cart has become one order at most that was not canceled",
            remedy: "The shopper bought once: cancel the other order before anything is captured, and put the index order_one_per_cart back.",
            look: |conn, place| Box::pin(one_per_cart(conn, place)),
        },
    ]
}

async fn page(conn: &mut PgConnection, place: &Place) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("select id from orders.order where id > $1 order by id limit $2", place.after_id(), place.most()).fetch_all(conn).await
}

async fn lines(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let ids = page(conn, place).await?;
    let wrong = sqlx::query_scalar!(
        r#"select found.id as "id: OrderId"
           from orders.order as found
           left join (
               select order_id, sum(total_minor) as total, sum(quantity) as units, bool_and(total_minor = unit_price_minor * quantity) as each_adds_up
               from orders.order_line where order_id = any($1) group by order_id
           ) as lines on lines.order_id = found.id
           where found.id = any($1) and (lines.total is distinct from found.subtotal_minor or lines.units is distinct from found.item_count
               or not lines.each_adds_up or found.total_minor <> found.subtotal_minor + found.delivery_minor)
           order by found.id"#,
        &ids
    )
    .fetch_all(conn)
    .await?;
    Ok(Batch::of_ids(place, &ids, wrong.into_iter().map(|id| Finding::new(format!("order {id}: its lines do not add up to it"))).collect()))
}

async fn timeline(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select found.id as "id: OrderId", found.placed_at is not null as "is_sale!", found.state = 'canceled' as "is_canceled!",
                  told.created as "created!", told.placed as "placed!", told.canceled as "canceled!"
           from orders.order as found
           cross join lateral (
               select count(*) filter (where kind = 'created') as created, count(*) filter (where kind = 'placed') as placed,
                      count(*) filter (where kind = 'canceled') as canceled
               from orders.timeline_entry as entry where entry.order_id = found.id
           ) as told
           where found.id > $1 order by found.id limit $2"#,
        place.after_id(),
        place.most()
    )
    .fetch_all(conn)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.uuid()).collect();
    let mut findings = Vec::new();
    for row in rows {
        if row.created == 0 {
            findings.push(Finding::new(format!("order {}: its timeline does not say that it was made", row.id)));
        }
        if row.placed != i64::from(row.is_sale) {
            findings.push(Finding::new(format!("order {}: its timeline does not say once that it was placed", row.id)));
        }
        if row.canceled != i64::from(row.is_canceled) {
            findings.push(Finding::new(format!("order {}: its timeline does not say once that it was canceled", row.id)));
        }
    }
    Ok(Batch::of_ids(place, &ids, findings))
}

async fn numbers(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let ids = page(conn, place).await?;
    let rows = sqlx::query!(
        r#"select found.id as "id: OrderId", found.number, other.id as "other?: OrderId"
           from orders.order as found left join orders.order as other on other.number = found.number and other.id <> found.id
           where found.id = any($1) and (other.id is not null or (found.number is null) <> (found.placed_at is null))
           order by found.id"#,
        &ids
    )
    .fetch_all(conn)
    .await?;
    let findings = rows.into_iter().map(|row| {
        Finding::new(match (row.number, row.other) {
            (Some(number), Some(other)) => format!("order {}: its number {number} is also that of {other}", row.id),
            (Some(number), None) => format!("order {}: it has the number {number} and never became a sale", row.id),
            (None, _) => format!("order {}: it is a sale without a number", row.id),
        })
    });
    Ok(Batch::of_ids(place, &ids, findings.collect()))
}

async fn one_per_cart(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let ids = page(conn, place).await?;
    let rows = sqlx::query!(
        r#"select found.id as "id: OrderId", other.id as "other: OrderId"
           from orders.order as found join orders.order as other on other.cart_id = found.cart_id and other.id <> found.id
           where found.id = any($1) and found.state in ('pending', 'placed', 'closed') and other.state in ('pending', 'placed', 'closed')
           order by found.id"#,
        &ids
    )
    .fetch_all(conn)
    .await?;
    let findings = rows.into_iter().map(|row| Finding::new(format!("order {}: its cart is also that of {}", row.id, row.other)));
    Ok(Batch::of_ids(place, &ids, findings.collect()))
}
