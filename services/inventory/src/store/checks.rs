//! The invariants of the stock, looked at from outside the code that keeps them.

use catalog_api::{ChannelId, StockBand, VariantId};
use db::check::{Batch, Finding, Place};
use inventory_api::{HoldId, LocationId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::HoldState;

/// The variants to look at next.
async fn list_variants(conn: &mut PgConnection, place: &Place) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("select distinct variant_id from inventory.level where variant_id > $1 order by variant_id limit $2", place.after_id(), place.most())
        .fetch_all(conn)
        .await
}

/// Says neither more nor less than constraints do where somebody has not dropped them. The journal counts, too: what it says is reserved
/// was promised, whatever the level says by now.
pub(crate) async fn oversold(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let variants = list_variants(conn, place).await?;
    let rows = sqlx::query!(
        r#"select level.variant_id as "variant: VariantId", level.location_id as "location: LocationId", level.on_hand,
                  greatest(level.reserved, journal.reserved) as "reserved!"
           from inventory.level
           cross join lateral (
               select coalesce(sum(reserved_delta), 0)::bigint as reserved from inventory.movement
               where movement.variant_id = level.variant_id and movement.location_id = level.location_id
           ) as journal
           where level.variant_id = any($1) and (level.reserved < 0 or greatest(level.reserved, journal.reserved) > level.on_hand)
           order by level.variant_id, level.location_id"#,
        &variants
    )
    .fetch_all(conn)
    .await?;
    let findings = rows.into_iter().map(|row| Finding {
        words: format!("level of variant {} at location {}: {} reserved of {} on hand", row.variant, row.location, row.reserved, row.on_hand),
        amount: row.reserved.saturating_sub(row.on_hand).max(0),
    });
    Ok(Batch::of_ids(place, &variants, findings.collect()))
}

pub(crate) async fn levels(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let variants = list_variants(conn, place).await?;
    let rows = sqlx::query!(
        r#"select level.variant_id as "variant: VariantId", level.location_id as "location: LocationId", level.on_hand, level.reserved,
                  journal.on_hand as "summed_on_hand!", journal.reserved as "summed_reserved!"
           from inventory.level
           cross join lateral (
               select coalesce(sum(on_hand_delta), 0)::bigint as on_hand, coalesce(sum(reserved_delta), 0)::bigint as reserved from inventory.movement
               where movement.variant_id = level.variant_id and movement.location_id = level.location_id
           ) as journal
           where level.variant_id = any($1) and (level.on_hand, level.reserved) <> (journal.on_hand, journal.reserved)
           order by level.variant_id, level.location_id"#,
        &variants
    )
    .fetch_all(conn)
    .await?;
    let findings = rows.into_iter().map(|row| {
        Finding::new(format!(
            "level of variant {} at location {}: {} on hand and {} reserved, but its movements sum up to {} and {}",
            row.variant, row.location, row.on_hand, row.reserved, row.summed_on_hand, row.summed_reserved
        ))
    });
    Ok(Batch::of_ids(place, &variants, findings.collect()))
}

/// The holds of a variant are found by its movements, which are indexed by it.
pub(crate) async fn reservations(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let variants = list_variants(conn, place).await?;
    let rows = sqlx::query!(
        r#"with taken as (
               select distinct variant_id, location_id, hold_id from inventory.movement where variant_id = any($1) and hold_id is not null
           ), held as (
               select line.variant_id, line.location_id, sum(line.quantity)::bigint as quantity
               from taken
               join inventory.hold on hold.id = taken.hold_id and hold.state = any($2)
               join inventory.hold_line as line using (hold_id, variant_id, location_id)
               group by line.variant_id, line.location_id
           )
           select level.variant_id as "variant: VariantId", level.location_id as "location: LocationId", level.reserved, coalesce(held.quantity, 0) as "held!"
           from inventory.level left join held using (variant_id, location_id)
           where level.variant_id = any($1) and level.reserved <> coalesce(held.quantity, 0)
           order by level.variant_id, level.location_id"#,
        &variants,
        &HoldState::reserving()
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut findings: Vec<Finding> = rows
        .into_iter()
        .map(|row| {
            let text =
                format!("level of variant {} at location {}: {} reserved, but its holds sum up to {}", row.variant, row.location, row.reserved, row.held);
            Finding { words: text, amount: row.reserved.saturating_sub(row.held) }
        })
        .collect();
    findings.extend(forgotten(conn, &variants).await?);
    Ok(Batch::of_ids(place, &variants, findings))
}

/// Holds that are forgotten have given back what they took.
async fn forgotten(conn: &mut PgConnection, variants: &[Uuid]) -> Result<Vec<Finding>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select movement.variant_id as "variant: VariantId", movement.hold_id as "hold!: HoldId", sum(movement.reserved_delta)::bigint as "taken!"
           from inventory.movement
           where movement.variant_id = any($1) and movement.hold_id is not null
             and not exists (select from inventory.hold where hold.id = movement.hold_id)
           group by movement.variant_id, movement.hold_id having sum(movement.reserved_delta) <> 0 order by movement.hold_id"#,
        variants
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Finding { words: format!("hold {} is gone, but still takes {} of variant {}", row.hold, row.taken, row.variant), amount: row.taken })
        .collect())
}

pub(crate) async fn holds(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let ids =
        sqlx::query_scalar!("select id from inventory.hold where id > $1 order by id limit $2", place.after_id(), place.most()).fetch_all(&mut *conn).await?;
    let rows = sqlx::query!(
        r#"with line as (
               select hold_id, variant_id, location_id, quantity from inventory.hold_line
               join inventory.hold on hold.id = hold_line.hold_id and hold.state = any($2) where hold_id = any($1)
           ), journal as (
               select hold_id, variant_id, location_id, sum(reserved_delta)::bigint as reserved from inventory.movement
               where hold_id = any($1) group by hold_id, variant_id, location_id
           )
           select hold.id as "hold: HoldId", hold.state, variant_id as "variant!: VariantId", coalesce(line.quantity, 0) as "lines!", coalesce(journal.reserved, 0) as "moved!"
           from line full join journal using (hold_id, variant_id, location_id) join inventory.hold on hold.id = hold_id
           where coalesce(line.quantity, 0) <> coalesce(journal.reserved, 0)
           order by hold.id, variant_id"#,
        &ids,
        &HoldState::reserving()
    )
    .fetch_all(conn)
    .await?;
    let findings = rows.into_iter().map(|row| {
        Finding::new(format!(
            "hold {} is {}: its lines reserve {}, but its movements sum up to {} of variant {}",
            row.hold, row.state, row.lines, row.moved, row.variant
        ))
    });
    Ok(Batch::of_ids(place, &ids, findings.collect()))
}

pub(crate) async fn bands(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let variants = list_variants(conn, place).await?;
    let rows = sqlx::query!(
        r#"select stock.variant_id as "variant: VariantId", stock.channel_id as "channel: ChannelId", stock.available as "available!",
                  coalesce(band.band, 'none') as "band!"
           from (
               select location_channel.channel_id, level.variant_id, sum(level.on_hand - level.reserved)::bigint as available
               from inventory.level join inventory.location_channel on location_channel.location_id = level.location_id
               where level.variant_id = any($2) group by location_channel.channel_id, level.variant_id
           ) as stock
           left join inventory.band on band.channel_id = stock.channel_id and band.variant_id = stock.variant_id
           where band.band is distinct from case when stock.available <= 0 then 'out' when stock.available <= $1::bigint then 'low' else 'in' end
           order by stock.variant_id, stock.channel_id"#,
        StockBand::LOW_AT_MOST,
        &variants
    )
    .fetch_all(conn)
    .await?;
    let findings = rows
        .into_iter()
        .map(|row| Finding::new(format!("variant {} in channel {}: {} available, but the band told is {}", row.variant, row.channel, row.available, row.band)));
    Ok(Batch::of_ids(place, &variants, findings.collect()))
}
