use std::collections::{HashMap, HashSet};

use anyhow::Context as _;
use catalog_api::{ChannelAnswer, VariantId};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use inventory_api::{AdjustLevel, AdjustmentReason, LevelQuery, LocationDraft, LocationId, endpoints};
use kernel::MAX_PAGE;

use super::data::{Location, Variant};
use super::{Seeding, refused};

/// How many levels are set at once: their commits then share a write to the disk.
const AT_ONCE: usize = 8;

/// Sets the stock of every variant that has no level at a location yet, and makes the locations that are missing. Returns how
/// many levels were set.
///
/// # Errors
/// The API refused something.
pub(super) async fn fill(seeding: &Seeding, channels: &[ChannelAnswer], variants: &HashMap<String, VariantId>) -> anyhow::Result<usize> {
    let mut set = 0;
    for location in &seeding.catalogue.locations {
        let id = find_or_make_location(seeding, channels, location).await?;
        let present = stocked(seeding, id).await?;
        let levels = seeding.catalogue.products.iter().flat_map(|product| &product.variants).filter_map(|variant| level(id, location, variant, variants));
        let missing: Vec<AdjustLevel> = levels.filter(|level| !present.contains(&level.variant_id)).collect();
        set += missing.len();
        stream::iter(missing).map(|level| set_level(seeding, level)).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    }
    Ok(set)
}

/// The level of a variant, unless the shop's product of that slug is another one without it.
fn level(location_id: LocationId, location: &Location, variant: &Variant, variants: &HashMap<String, VariantId>) -> Option<AdjustLevel> {
    let on_hand = location.on_hand.unwrap_or(variant.stock);
    let variant_id = *variants.get(&variant.sku)?;
    Some(AdjustLevel { location_id, variant_id, on_hand: Some(on_hand), delta: None, reason: AdjustmentReason::Received })
}

async fn set_level(seeding: &Seeding, level: AdjustLevel) -> anyhow::Result<()> {
    let answer = seeding.client.call(&endpoints::ADMIN_ADJUST_LEVEL).body(&level).bearer(&seeding.token).send().await;
    answer.map(drop).map_err(|error| refused(&format!("stock of {}", level.variant_id), error))
}

async fn find_or_make_location(seeding: &Seeding, channels: &[ChannelAnswer], wanted: &Location) -> anyhow::Result<LocationId> {
    let answer = seeding.client.call(&endpoints::ADMIN_LIST_LOCATIONS).bearer(&seeding.token).send().await;
    let present = answer.map_err(|error| refused("stock locations", error))?.body.items;
    if let Some(location) = present.iter().find(|location| location.code == wanted.code) {
        return Ok(location.id);
    }
    let channel_of = |code: &String| channels.iter().find(|channel| channel.code == *code).map(|channel| channel.id);
    let channel_ids = wanted.channels.iter().map(|code| channel_of(code).with_context(|| format!("the shop has no channel {code:?}")));
    let draft = LocationDraft { code: wanted.code.clone(), name: wanted.name.clone(), channel_ids: channel_ids.collect::<anyhow::Result<_>>()? };
    let answer = seeding.client.call(&endpoints::ADMIN_CREATE_LOCATION).body(&draft).bearer(&seeding.token).send().await;
    Ok(answer.map_err(|error| refused(&wanted.code, error))?.body.id)
}

/// The variants that have a level at a location, even of nothing.
async fn stocked(seeding: &Seeding, location: LocationId) -> anyhow::Result<HashSet<VariantId>> {
    let mut variants = HashSet::new();
    let mut query = LevelQuery { location_id: Some(location), limit: Some(MAX_PAGE), ..LevelQuery::default() };
    loop {
        let answer = seeding.client.call(&endpoints::ADMIN_LIST_LEVELS).query(&query).bearer(&seeding.token).send().await;
        let page = answer.map_err(|error| refused("stock levels", error))?.body;
        variants.extend(page.items.iter().map(|level| level.variant_id));
        query.after = page.next;
        if query.after.is_none() {
            return Ok(variants);
        }
    }
}
