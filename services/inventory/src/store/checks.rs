//! The invariants of the stock, looked at from outside the code that keeps them.

use catalog_api::StockBand;
use sqlx::PgConnection;

use crate::domain::HoldState;

/// Says in words which invariants do not hold, a hundred of each kind at most; nothing is good news. Reads every level, hold and movement,
/// each kind of check on one snapshot, so it may run beside sales.
///
/// # Errors
/// The database failed.
pub async fn check(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let mut broken = levels_out_of_bounds(conn).await?;
    broken.extend(levels_against_movements(conn).await?);
    broken.extend(levels_against_holds(conn).await?);
    broken.extend(movements_against_holds(conn).await?);
    broken.extend(bands_against_levels(conn).await?);
    Ok(broken)
}

/// The constraints say the same; this holds also where somebody has dropped them.
async fn levels_out_of_bounds(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select format('level of variant %s at location %s: %s reserved of %s on hand', variant_id, location_id, reserved, on_hand) as "broken!"
           from inventory.level where reserved < 0 or reserved > on_hand order by variant_id, location_id limit 100"#
    )
    .fetch_all(conn)
    .await
}

async fn levels_against_movements(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select format('level of variant %s at location %s: %s on hand and %s reserved, but its movements sum up to %s and %s',
                         level.variant_id, level.location_id, level.on_hand, level.reserved,
                         coalesce(journal.on_hand, 0), coalesce(journal.reserved, 0)) as "broken!"
           from inventory.level
           left join (
               select variant_id, location_id, sum(on_hand_delta) as on_hand, sum(reserved_delta) as reserved
               from inventory.movement group by variant_id, location_id
           ) as journal on journal.variant_id = level.variant_id and journal.location_id = level.location_id
           where level.on_hand <> coalesce(journal.on_hand, 0) or level.reserved <> coalesce(journal.reserved, 0)
           order by level.variant_id, level.location_id limit 100"#
    )
    .fetch_all(conn)
    .await
}

async fn levels_against_holds(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select format('level of variant %s at location %s: %s reserved, but its holds sum up to %s',
                         level.variant_id, level.location_id, level.reserved, coalesce(held.quantity, 0)) as "broken!"
           from inventory.level
           left join (
               select hold_line.variant_id, hold_line.location_id, sum(hold_line.quantity) as quantity
               from inventory.hold_line join inventory.hold on hold.id = hold_line.hold_id
               where hold.state = any($1) group by hold_line.variant_id, hold_line.location_id
           ) as held on held.variant_id = level.variant_id and held.location_id = level.location_id
           where level.reserved <> coalesce(held.quantity, 0)
           order by level.variant_id, level.location_id limit 100"#,
        &HoldState::reserving()
    )
    .fetch_all(conn)
    .await
}

async fn movements_against_holds(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select format('hold %s is %s: its lines reserve %s, but its movements sum up to %s',
                         hold.id, hold.state, coalesce(line.quantity, 0), coalesce(journal.reserved, 0)) as "broken!"
           from inventory.hold
           left join (select hold_id, sum(quantity) as quantity from inventory.hold_line group by hold_id) as line
               on line.hold_id = hold.id and hold.state = any($1)
           left join (select hold_id, sum(reserved_delta) as reserved from inventory.movement where hold_id is not null group by hold_id) as journal
               on journal.hold_id = hold.id
           where coalesce(line.quantity, 0) <> coalesce(journal.reserved, 0)
           order by hold.id limit 100"#,
        &HoldState::reserving()
    )
    .fetch_all(conn)
    .await
}

async fn bands_against_levels(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select format('variant %s in channel %s: %s available, but the band told is %s',
                         stock.variant_id, stock.channel_id, stock.available, coalesce(band.band, 'none')) as "broken!"
           from (
               select location_channel.channel_id, level.variant_id, sum(level.on_hand - level.reserved) as available
               from inventory.level join inventory.location_channel on location_channel.location_id = level.location_id
               group by location_channel.channel_id, level.variant_id
           ) as stock
           left join inventory.band on band.channel_id = stock.channel_id and band.variant_id = stock.variant_id
           where band.band is distinct from case when stock.available <= 0 then 'out' when stock.available <= $1::bigint then 'low' else 'in' end
           order by stock.variant_id, stock.channel_id limit 100"#,
        StockBand::LOW_AT_MOST
    )
    .fetch_all(conn)
    .await
}
