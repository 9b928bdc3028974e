//! Levels and their journal.

use std::collections::HashMap;

use catalog_api::{ChannelId, VariantId};
use inventory_api::{HoldId, LevelAnswer, LocationId, MovementAnswer, MovementId, MovementKind};
use kernel::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{NewHold, uuids};
use crate::domain::{Allocation, FreeStock};

/// What is available of each variant in a channel, over all its locations. Variants without stock are there with 0.
///
/// # Errors
/// The database failed.
pub async fn list_available(conn: &mut PgConnection, channel: ChannelId, variants: &[VariantId]) -> Result<HashMap<VariantId, i64>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select level.variant_id as "variant_id: VariantId", sum(level.on_hand - level.reserved)::bigint as "available!"
           from inventory.level join inventory.location_channel on location_channel.location_id = level.location_id
           where location_channel.channel_id = $1 and level.variant_id = any($2)
           group by level.variant_id"#,
        channel.uuid(),
        &uuids(variants)
    )
    .fetch_all(conn)
    .await?;
    let mut available: HashMap<VariantId, i64> = variants.iter().map(|variant| (*variant, 0)).collect();
    available.extend(rows.into_iter().map(|row| (row.variant_id, row.available)));
    Ok(available)
}

/// Locks the channel's levels of the variants, by variant and location, and says what is free of each.
///
/// # Errors
/// The database failed.
pub(crate) async fn lock_free_stock(conn: &mut PgConnection, channel: ChannelId, variants: &[VariantId]) -> Result<Vec<FreeStock>, sqlx::Error> {
    sqlx::query_as!(
        FreeStock,
        r#"select level.variant_id as "variant_id: VariantId", level.location_id as "location_id: LocationId",
                  location.position as "position!", level.on_hand - level.reserved as "available!"
           from inventory.level
           join inventory.location on location.id = level.location_id
           join inventory.location_channel on location_channel.location_id = level.location_id and location_channel.channel_id = $1
           where level.variant_id = any($2)
           order by level.variant_id, level.location_id for no key update of level"#,
        channel.uuid(),
        &uuids(variants)
    )
    .fetch_all(conn)
    .await
}

/// One change of what is reserved at a level, for or by a hold.
#[derive(Debug)]
pub(crate) struct ReservedMove {
    /// Its place in the journal.
    pub(crate) id: MovementId,
    /// Which hold.
    pub(crate) hold_id: HoldId,
    /// The line of the hold.
    pub(crate) taken: Allocation,
    /// How many more, or, negative, fewer.
    pub(crate) delta: i64,
}

/// Changes what is reserved and writes the journal, in one statement; for a new hold, the hold and its lines too. No level goes below nothing
/// reserved or beyond what is on hand: false if one would have, and then the transaction must be rolled back.
///
/// # Errors
/// The database failed.
pub(crate) async fn move_reserved(
    conn: &mut PgConnection,
    kind: MovementKind,
    moves: &[ReservedMove],
    new: Option<&NewHold>,
    actor: &str,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let ids: Vec<Uuid> = moves.iter().map(|one| one.id.uuid()).collect();
    let holds: Vec<Uuid> = moves.iter().map(|one| one.hold_id.uuid()).collect();
    let variants: Vec<Uuid> = moves.iter().map(|one| one.taken.variant_id.uuid()).collect();
    let locations: Vec<Uuid> = moves.iter().map(|one| one.taken.location_id.uuid()).collect();
    let deltas: Vec<i64> = moves.iter().map(|one| one.delta).collect();
    sqlx::query_scalar!(
        r#"with entry as (
               select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[]) as entry (id, hold_id, variant_id, location_id, delta)
           ), change as (
               select variant_id, location_id, sum(delta)::bigint as delta from entry group by variant_id, location_id
           ), changed as (
               update inventory.level set reserved = level.reserved + change.delta, version = level.version + 1
               from change
               where level.variant_id = change.variant_id and level.location_id = change.location_id
                 and level.on_hand - level.reserved >= change.delta and level.reserved + change.delta >= 0
               returning level.variant_id, level.location_id
           ), journal as (
               insert into inventory.movement (id, location_id, variant_id, kind, on_hand_delta, reserved_delta, hold_id, actor, occurred_at)
               select entry.id, entry.location_id, entry.variant_id, $6, 0, entry.delta, entry.hold_id, $7, $8
               from entry join changed on changed.variant_id = entry.variant_id and changed.location_id = entry.location_id
           ), hold as (
               insert into inventory.hold (id, channel_id, state, expires_at, created_at, changed_at)
               select hold.id, $10, $11, $12, $8, $8 from (select $9::uuid as id) as hold where hold.id is not null
               returning id
           ), line as (
               insert into inventory.hold_line (hold_id, variant_id, location_id, quantity)
               select hold.id, entry.variant_id, entry.location_id, entry.delta from hold join entry on entry.hold_id = hold.id
           )
           select (select count(*) from changed) = (select count(*) from change) as "complete!""#,
        &ids,
        &holds,
        &variants,
        &locations,
        &deltas,
        kind.as_str(),
        actor,
        now,
        new.map(|hold| hold.id.uuid()),
        new.map(|hold| hold.channel.uuid()),
        new.map(|hold| hold.state.as_str()),
        new.and_then(|hold| hold.expires_at)
    )
    .fetch_one(conn)
    .await
}

/// Makes an empty level if there is none. Whether it did.
///
/// # Errors
/// The database failed, or there is no such location (constraint `level_location`).
pub(crate) async fn insert_level(conn: &mut PgConnection, location: LocationId, variant: VariantId) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into inventory.level (variant_id, location_id, on_hand, reserved, version) values ($1, $2, 0, 0, 0) on conflict do nothing",
        variant.uuid(),
        location.uuid()
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Locks one level.
///
/// # Errors
/// The database failed, or there is no such level.
pub(crate) async fn lock_level(conn: &mut PgConnection, location: LocationId, variant: VariantId) -> Result<LevelAnswer, sqlx::Error> {
    sqlx::query_as!(
        LevelAnswer,
        r#"select location_id as "location_id: LocationId", variant_id as "variant_id: VariantId", on_hand, reserved,
                  on_hand - reserved as "available!", version
           from inventory.level where variant_id = $1 and location_id = $2 for no key update"#,
        variant.uuid(),
        location.uuid()
    )
    .fetch_one(conn)
    .await
}

/// One change of what is on hand at a level.
#[derive(Debug)]
pub(crate) struct OnHandMove {
    /// Its place in the journal.
    pub(crate) id: MovementId,
    /// Where.
    pub(crate) location_id: LocationId,
    /// Of what.
    pub(crate) variant_id: VariantId,
    /// Why.
    pub(crate) kind: MovementKind,
    /// How many more, or, negative, fewer.
    pub(crate) delta: i64,
}

/// Changes what is on hand and writes the journal, in one statement. The level after the change.
///
/// # Errors
/// The database failed, or more is reserved than would be left (no row).
pub(crate) async fn move_on_hand(conn: &mut PgConnection, change: &OnHandMove, actor: &str, now: Timestamp) -> Result<LevelAnswer, sqlx::Error> {
    sqlx::query_as!(
        LevelAnswer,
        r#"with changed as (
               update inventory.level set on_hand = on_hand + $4, version = version + 1
               where variant_id = $1 and location_id = $2 and on_hand + $4 >= reserved
               returning location_id, variant_id, on_hand, reserved, version
           ), journal as (
               insert into inventory.movement (id, location_id, variant_id, kind, on_hand_delta, reserved_delta, actor, occurred_at)
               select $3, location_id, variant_id, $5, $4, 0, $6, $7 from changed
           )
           select location_id as "location_id: LocationId", variant_id as "variant_id: VariantId", on_hand, reserved,
                  on_hand - reserved as "available!", version
           from changed"#,
        change.variant_id.uuid(),
        change.location_id.uuid(),
        change.id.uuid(),
        change.delta,
        change.kind.as_str(),
        actor,
        now
    )
    .fetch_one(conn)
    .await
}

/// Which levels to list; nothing means all.
#[derive(Debug, Default)]
pub(crate) struct LevelFilter {
    /// Only these variants.
    pub(crate) variants: Option<Vec<VariantId>>,
    /// Only this location.
    pub(crate) location: Option<LocationId>,
    /// Only what comes after this level.
    pub(crate) after: Option<(VariantId, LocationId)>,
}

/// Up to `limit` levels, by variant and location.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_levels(conn: &mut PgConnection, filter: &LevelFilter, limit: i64) -> Result<Vec<LevelAnswer>, sqlx::Error> {
    let variants = filter.variants.as_deref().map(uuids);
    sqlx::query_as!(
        LevelAnswer,
        r#"select location_id as "location_id: LocationId", variant_id as "variant_id: VariantId", on_hand, reserved,
                  on_hand - reserved as "available!", version
           from inventory.level
           where ($1::uuid[] is null or variant_id = any($1)) and ($2::uuid is null or location_id = $2)
             and ($3::uuid is null or (variant_id, location_id) > ($3, $4::uuid))
           order by variant_id, location_id limit $5"#,
        variants.as_deref(),
        filter.location.map(LocationId::uuid),
        filter.after.map(|(variant, _)| variant.uuid()),
        filter.after.map(|(_, location)| location.uuid()),
        limit
    )
    .fetch_all(conn)
    .await
}

/// Up to `limit` levels of variants that are low or sold out in some channel, by variant and location.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_scarce_levels(conn: &mut PgConnection, after: Option<(VariantId, LocationId)>, limit: i64) -> Result<Vec<LevelAnswer>, sqlx::Error> {
    let (variant, location) = after.map(|(variant, location)| (variant.uuid(), location.uuid())).unzip();
    // A variant has at least one level, but for the one that was gone through in part: so many and one more are enough.
    sqlx::query_as!(
        LevelAnswer,
        r#"with scarce as (
             select distinct variant_id from inventory.band
             where band <> 'in' and variant_id >= coalesce($1::uuid, '00000000-0000-0000-0000-000000000000') order by variant_id limit $3::bigint + 1
         )
         select location_id as "location_id: LocationId", level.variant_id as "variant_id: VariantId", on_hand, reserved,
             on_hand - reserved as "available!", version
         from scarce join inventory.level on level.variant_id = scarce.variant_id
         where $1::uuid is null or (level.variant_id, location_id) > ($1, $2::uuid)
         order by level.variant_id, location_id limit $3"#,
        variant,
        location,
        limit
    )
    .fetch_all(conn)
    .await
}

/// Up to `limit` movements of a variant, newest first, each with its place in the journal.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_movements(
    conn: &mut PgConnection,
    variant: VariantId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(i64, MovementAnswer)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select sequence, id as "id: MovementId", location_id as "location_id: LocationId", variant_id as "variant_id: VariantId", kind,
                  on_hand_delta, reserved_delta, hold_id as "hold_id: HoldId", actor, occurred_at
           from inventory.movement where variant_id = $1 and ($2::bigint is null or sequence < $2)
           order by sequence desc limit $3"#,
        variant.uuid(),
        before,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let movement = MovementAnswer {
                id: row.id,
                location_id: row.location_id,
                variant_id: row.variant_id,
                kind: movement_kind(&row.kind)?,
                on_hand_delta: row.on_hand_delta,
                reserved_delta: row.reserved_delta,
                hold_id: row.hold_id,
                actor: row.actor,
                occurred_at: row.occurred_at,
            };
            Ok((row.sequence, movement))
        })
        .collect()
}

fn movement_kind(text: &str) -> Result<MovementKind, sqlx::Error> {
    let kind = MovementKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    kind.ok_or_else(|| sqlx::Error::Decode(format!("unknown kind of movement: {text}").into()))
}
