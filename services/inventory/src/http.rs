//! The routes: locations, levels and their journal, all for staff.

use axum::extract::State;
use catalog_api::{ChannelId, List, VariantId};
use db::Tx;
use inventory_api::{AdjustLevel, LevelAnswer, LevelQuery, LocationAnswer, LocationDraft, LocationId, MovementAnswer, MovementQuery};
use kernel::{Page, PageQuery, Problem};
use platform::http::Query;
use service::{Answer, Command, Context, Failure, Permission, Staff};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::Adjustment;
use crate::levels;
use crate::store::{self, LevelFilter, NewLocation};

/// The most variants one list of levels may name.
const MOST_VARIANTS: usize = 100;

/// The routes.
pub(crate) fn routes(context: &Context) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_locations, create_location))
        .routes(routes!(list_levels, adjust_level))
        .routes(routes!(list_movements))
        .with_state(context.clone())
}

/// Every stock location, in the order of use.
#[utoipa::path(
    get,
    path = "/admin/v1/stock-locations",
    tag = "stock",
    responses((status = 200, body = List<LocationAnswer>), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn list_locations(State(context): State<Context>, staff: Staff) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let mut conn = context.db().read().await?;
    Answer::ok(&List { items: store::list_locations(&mut conn).await? })
}

/// Makes a stock location that serves the named channels.
#[utoipa::path(
    post,
    path = "/admin/v1/stock-locations",
    tag = "stock",
    request_body = LocationDraft,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless.")),
    responses(
        (status = 201, body = LocationAnswer),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, description = "`location_code_taken`: another location has this code.", body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn create_location(State(context): State<Context>, staff: Staff, command: Command<LocationDraft>) -> Result<Answer, Failure> {
    staff.require(Permission::EditStock)?;
    let Command { body, call, key } = command;
    context
        .mutate(&call, key, move |tx| {
            Box::pin(async move {
                let LocationDraft { code, name, mut channel_ids } = body;
                channel_ids.sort_unstable();
                channel_ids.dedup();
                check_channels(tx, &channel_ids).await?;
                let now = tx.now();
                let id = LocationId::new(now);
                store::insert_location(tx.conn(), &NewLocation { id, code: &code, name: &name, channels: &channel_ids }, now).await.map_err(code_taken)?;
                tx.audit("stock_location.created", &id.to_string(), serde_json::json!({ "code": code, "channel_ids": channel_ids })).await?;
                Answer::created(&LocationAnswer { id, code, name, channel_ids })
            })
        })
        .await
}

/// Refuses channels that do not exist, and channels of both kinds: a trial must never take what is there to be sold. A location's channels
/// never change, nor does a channel's kind.
async fn check_channels(tx: &mut Tx, channel_ids: &[ChannelId]) -> Result<(), Failure> {
    let known = catalog::list_channels(tx.conn()).await?;
    let refuse = |code: &'static str, detail: String| Err(Problem::invalid_body().field("/channel_ids", code, detail).into());
    if let Some(id) = channel_ids.iter().find(|id| known.iter().all(|channel| channel.id != **id)) {
        return refuse("unknown", format!("{id} is none of the channels"));
    }
    let mut kinds = known.iter().filter(|channel| channel_ids.contains(&channel.id)).map(|channel| channel.kind);
    let first = kinds.next();
    if kinds.any(|kind| Some(kind) != first) {
        return refuse("mixed", "a location serves live channels or test channels, not both".to_owned());
    }
    Ok(())
}

fn code_taken(error: sqlx::Error) -> Failure {
    match db::constraint_of(&error) {
        Some("location_code_unique") => {
            Problem::new(409, "location_code_taken", "Another stock location has this code").field("/code", "taken", "must be unique").into()
        }
        _ => error.into(),
    }
}

/// How much lies where, by variant and location.
#[utoipa::path(
    get,
    path = "/admin/v1/stock-levels",
    tag = "stock",
    params(LevelQuery),
    responses((status = 200, body = Page<LevelAnswer>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn list_levels(State(context): State<Context>, staff: Staff, Query(query): Query<LevelQuery>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let page = PageQuery { limit: query.limit, after: query.after };
    let limit = page.limit()?;
    if query.scarce == Some(true) {
        if query.variant_id.is_some() || query.variant_ids.is_some() || query.location_id.is_some() {
            return Err(Problem::invalid_query("scarce", "cannot be narrowed further").into());
        }
        let mut conn = context.db().read().await?;
        let rows = store::list_scarce_levels(&mut conn, page.position()?, i64::from(limit) + 1).await?;
        return Answer::ok(&Page::cut(rows, limit, |level| (level.variant_id, level.location_id)));
    }
    let filter = LevelFilter { variants: variants(query.variant_id, query.variant_ids.as_deref())?, location: query.location_id, after: page.position()? };
    let mut conn = context.db().read().await?;
    let rows = store::list_levels(&mut conn, &filter, i64::from(limit) + 1).await?;
    Answer::ok(&Page::cut(rows, limit, |level| (level.variant_id, level.location_id)))
}

/// The variants a list is narrowed to: the one, and those of the list.
fn variants(one: Option<VariantId>, several: Option<&str>) -> Result<Option<Vec<VariantId>>, Problem> {
    let listed = several.map(|text| text.split(',').map(|id| id.trim().parse()).collect::<Result<Vec<VariantId>, _>>()).transpose();
    let listed = listed.ok().filter(|ids| ids.as_ref().is_none_or(|ids| ids.len() <= MOST_VARIANTS));
    let listed = listed.ok_or_else(|| Problem::invalid_query("variant_ids", "must be up to 100 variant ids, parted by commas"))?;
    Ok(match (one, listed) {
        (Some(one), Some(listed)) => Some(listed.into_iter().filter(|id| *id == one).collect()),
        (Some(one), None) => Some(vec![one]),
        (None, listed) => listed,
    })
}

/// Sets what is on hand of a variant at a location (`on_hand`; an existing level needs `If-Match`), or changes it by so many (`delta`). Makes
/// the level if there is none.
#[utoipa::path(
    post,
    path = "/admin/v1/stock-levels",
    tag = "stock",
    request_body = AdjustLevel,
    params(
        ("If-Match" = Option<String>, Header, description = "The version of the level that was looked at; required to set an existing one."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless."),
    ),
    responses(
        (status = 200, body = LevelAnswer),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, description = "`below_reserved`: more is reserved than would be left.", body = Problem),
        (status = 412, description = "`stale_version`: the level changed since.", body = Problem),
        (status = 422, body = Problem),
        (status = 428, description = "`version_required`: an existing level is set without `If-Match`.", body = Problem),
    )
)]
async fn adjust_level(State(context): State<Context>, staff: Staff, command: Command<AdjustLevel>) -> Result<Answer, Failure> {
    staff.require(Permission::EditStock)?;
    let Command { body, call, key } = command;
    let adjustment = Adjustment::of(&body)?;
    let expected = call.if_match()?;
    context
        .mutate(&call, key, move |tx| {
            Box::pin(async move {
                let level = levels::adjust(tx, &body, adjustment, expected).await?;
                Ok(Answer::ok(&level)?.version(level.version))
            })
        })
        .await
}

/// The journal of a variant, newest first.
#[utoipa::path(
    get,
    path = "/admin/v1/stock-movements",
    tag = "stock",
    params(MovementQuery),
    responses((status = 200, body = Page<MovementAnswer>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn list_movements(State(context): State<Context>, staff: Staff, Query(query): Query<MovementQuery>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let page = PageQuery { limit: query.limit, after: query.after };
    let limit = page.limit()?;
    let mut conn = context.db().read().await?;
    let rows = store::list_movements(&mut conn, query.variant_id, page.position()?, i64::from(limit) + 1).await?;
    Answer::ok(&Page::cut(rows, limit, |(sequence, _)| *sequence).map(|(_, movement)| movement))
}
