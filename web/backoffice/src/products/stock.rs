//! What is on hand of each variant in each location. A figure sets it, `+5` adds to it; each cell is saved by itself.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use catalog_api::{AdminProduct, AdminVariant, ProductId, VariantId};
use http::StatusCode;
use inventory_api::{AdjustLevel, AdjustmentReason, LevelAnswer, LevelQuery, LocationAnswer, LocationId, endpoints};
use kernel::Problem;
use platform::http::Path;
use serde::Serialize;

use super::detail::{Rendering, Stand, Typed, find, show, variant_name};
use super::path_of;
use crate::Office;
use crate::carried::key;
use crate::fields::Fields;
use crate::format::{count, parse_count};
use crate::notice::{Notice, explanation, sentence};
use crate::session::{Session, answer};

/// How often a level that nobody else counted is tried on a newer version: every sale makes one.
const TRIES: usize = 6;
/// The reasons, with the words people see; a count is the usual one.
const REASONS: [(AdjustmentReason, &str, &str); 3] = [
    (AdjustmentReason::Counted, "counted", "Count"),
    (AdjustmentReason::Received, "received", "Goods came in"),
    (AdjustmentReason::WrittenOff, "written_off", "Broken, lost or given away"),
];

#[derive(Debug, Clone, Serialize)]
pub(crate) struct StockTable {
    /// The locations by name.
    columns: Vec<String>,
    rows: Vec<Row>,
    reasons: Vec<ReasonChoice>,
}

#[derive(Debug, Clone, Serialize)]
struct Row {
    name: String,
    cells: Vec<Cell>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Cell {
    name: String,
    label: String,
    location: String,
    value: String,
    was: String,
    /// Empty when there is no level yet.
    version: String,
    reserved: String,
    available: String,
    error: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReasonChoice {
    value: &'static str,
    name: &'static str,
    chosen: bool,
}

/// A location, as a cell names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) id: LocationId,
    pub(crate) name: &'a str,
}

/// What a cell asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// So much is on hand.
    To(i64),
    /// So many more, or fewer.
    By(i64),
}

/// A changed cell.
struct Edit {
    field: String,
    location: LocationId,
    variant: VariantId,
    typed: String,
    was: Option<i64>,
    version: Option<i64>,
    change: Change,
}

fn field_of(location: LocationId, variant: VariantId) -> String {
    format!("stock.{location}.{variant}")
}

pub(super) fn stock_table(product: &AdminProduct, shown: &[AdminVariant], stand: &Stand, rendering: &Rendering) -> StockTable {
    let row = |variant: &AdminVariant| {
        let name = variant_name(product, variant);
        let at = |location: &LocationAnswer| {
            let level = stand.levels.iter().find(|level| level.location_id == location.id && level.variant_id == variant.id);
            cell(Place { id: location.id, name: &location.name }, variant.id, format!("On hand in {}, {name}", location.name), level, rendering)
        };
        let cells = stand.locations.iter().map(at).collect();
        Row { name, cells }
    };
    StockTable {
        columns: stand.locations.iter().map(|location| location.name.clone()).collect(),
        rows: shown.iter().map(row).collect(),
        reasons: reasons(rendering),
    }
}

pub(crate) fn reasons(rendering: &Rendering) -> Vec<ReasonChoice> {
    REASONS.into_iter().map(|(_, value, name)| ReasonChoice { value, name, chosen: rendering.reason.as_deref() == Some(value) }).collect()
}

pub(crate) fn cell(location: Place<'_>, variant: VariantId, label: String, level: Option<&LevelAnswer>, rendering: &Rendering) -> Cell {
    let field = field_of(location.id, variant);
    let was = level.map(|level| count(level.on_hand)).unwrap_or_default();
    let typed = rendering.cells.get(&field).cloned();
    let Typed { value, error } = typed.unwrap_or_else(|| Typed { value: was.clone(), error: None });
    let figure = |of: fn(&LevelAnswer) -> i64| level.map_or_else(|| "–".to_owned(), |level| count(of(level)));
    Cell {
        label,
        location: location.name.to_owned(),
        version: level.map(|level| level.version.to_string()).unwrap_or_default(),
        reserved: figure(|level| level.reserved),
        available: figure(|level| level.available),
        name: field,
        value,
        was,
        error,
    }
}

pub(crate) async fn save(State(office): State<Office>, session: Session, Path(id): Path<ProductId>, fields: Fields) -> Result<Response, Problem> {
    let from = fields.parsed("from").unwrap_or(0);
    let product = find(&session, id).await?;
    let places = places_in(&fields).into_iter().filter(|(_, variant)| product.variants.iter().any(|known| known.id == *variant)).collect();
    let mut rendering = Rendering { reason: fields.get("reason"), ..Rendering::default() };
    match save_fields(&session, &fields, places, &mut rendering).await? {
        Saved::Everything => Ok(done(id, from, "stock")),
        Saved::Nothing => Ok(done(id, from, "nothing")),
        Saved::Partly => show(&office, &session, id, from, rendering).await,
    }
}

/// How much of a form is saved.
pub(crate) enum Saved {
    /// All of it.
    Everything,
    /// There was nothing to save.
    Nothing,
    /// Some or none; the rendering says what and why.
    Partly,
}

/// The cells a form carries, in its order.
pub(crate) fn places_in(fields: &Fields) -> Vec<(LocationId, VariantId)> {
    let place = |name: &str| {
        let (location, variant) = name.strip_prefix("stock.")?.split_once('.')?;
        Some((location.parse().ok()?, variant.parse().ok()?))
    };
    fields.all().iter().filter_map(|(name, _)| place(name)).collect()
}

/// Saves what a form changes at these places, or notes why it cannot.
pub(crate) async fn save_fields(session: &Session, fields: &Fields, places: Vec<(LocationId, VariantId)>, rendering: &mut Rendering) -> Result<Saved, Problem> {
    let reason = REASONS.into_iter().find(|(_, value, _)| rendering.reason.as_deref() == Some(value));
    let reason = reason.map_or(AdjustmentReason::Counted, |(reason, ..)| reason);
    let edits = edits(places, fields, rendering);
    if !rendering.cells.is_empty() {
        keep(&edits, rendering);
        rendering.status = StatusCode::UNPROCESSABLE_ENTITY;
        rendering.notice = Some(Notice::refused("Nothing is saved yet.", "The marked cells need another value; everything you typed is kept."));
        return Ok(Saved::Partly);
    }
    if edits.is_empty() {
        return Ok(Saved::Nothing);
    }
    let saved = save_all(session, &edits, reason, fields, rendering).await?;
    if rendering.cells.is_empty() {
        return Ok(Saved::Everything);
    }
    rendering.notice = Some(Notice::partly(saved, "cell is", "cells are"));
    Ok(Saved::Partly)
}

/// Every changed cell that can be read; the others are noted.
fn edits(places: Vec<(LocationId, VariantId)>, fields: &Fields, rendering: &mut Rendering) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (location, variant) in places {
        let field = field_of(location, variant);
        let Some(typed) = fields.get(&field).map(|typed| typed.trim().to_owned()) else { continue };
        let was = fields.filled(&format!("was_{field}"));
        if typed == was.as_deref().unwrap_or_default() {
            continue;
        }
        match read(&typed) {
            Ok(change) => {
                let version = fields.parsed(&format!("version_{field}"));
                edits.push(Edit { field, location, variant, typed, was: was.as_deref().and_then(parse_count), version, change });
            }
            Err(error) => {
                rendering.cells.insert(field, Typed { value: typed, error: Some(error.to_owned()) });
            }
        }
    }
    edits
}

/// Reads `12`, `+5`, `-2`.
fn read(typed: &str) -> Result<Change, &'static str> {
    let number = |digits: &str| {
        parse_count(digits).filter(|number| *number <= 1_000_000_000).ok_or("Not a number: enter 12 for what is on hand, or +5 and -2 for a difference.")
    };
    if typed.is_empty() {
        return Err("Enter 0 if nothing is there.");
    }
    if let Some(more) = typed.strip_prefix('+') {
        return number(more).map(Change::By);
    }
    match typed.strip_prefix(['-', '\u{2212}']) {
        Some(fewer) => number(fewer).map(|fewer| Change::By(-fewer)),
        None => number(typed).map(Change::To),
    }
}

fn keep(edits: &[Edit], rendering: &mut Rendering) {
    for edit in edits {
        rendering.cells.entry(edit.field.clone()).or_insert_with(|| Typed { value: edit.typed.clone(), error: None });
    }
}

/// Saves cell by cell and notes what is refused; answers how many are saved.
async fn save_all(session: &Session, edits: &[Edit], reason: AdjustmentReason, fields: &Fields, rendering: &mut Rendering) -> Result<i64, Problem> {
    let mut saved = 0;
    for (place, edit) in edits.iter().enumerate() {
        match save_one(session, edit, reason, &key(fields)).await? {
            Ok(()) => saved += 1,
            Err(refusal) => {
                rendering.status = refusal.status;
                rendering.cells.insert(edit.field.clone(), Typed { value: edit.typed.clone(), error: Some(refusal.text) });
                if refusal.status.is_server_error() || refusal.status == StatusCode::FORBIDDEN {
                    // The next ones would fail alike. Whether this one was done is not known: its key stays.
                    keep(edits.get(place..).unwrap_or_default(), rendering);
                    rendering.key = Some(key(fields));
                    return Ok(saved);
                }
            }
        }
    }
    Ok(saved)
}

struct Refusal {
    status: StatusCode,
    text: String,
}

async fn save_one(session: &Session, edit: &Edit, reason: AdjustmentReason, key: &str) -> Result<Result<(), Refusal>, Problem> {
    let mut on_version = edit.version;
    for _ in 0..TRIES {
        let (body, is_set) = body_of(edit, reason);
        let key = format!("{key}.{}.{}", edit.field, on_version.unwrap_or(0));
        let call = session.call(&endpoints::ADMIN_ADJUST_LEVEL).idempotency_key(&key).body(&body);
        // A difference is right on any version; a figure only on the one it was counted against.
        let call = match on_version.filter(|_| is_set) {
            Some(version) => call.if_match(version),
            None => call,
        };
        let problem = match answer(call).await {
            Ok(_) => return Ok(Ok(())),
            Err(problem) => problem,
        };
        match problem.status() {
            401 => return Err(problem),
            // 428: there was no level when the page was shown, and now there is one.
            412 | 428 => match find_level(session, edit).await? {
                Some(level) if Some(level.on_hand) == edit.was => on_version = Some(level.version),
                now => return Ok(Err(clash(edit, now.as_ref()))),
            },
            _ => return Ok(Err(refusal(&problem))),
        }
    }
    let text = "Others sell and count this all the time. Save it again.".to_owned();
    Ok(Err(Refusal { status: StatusCode::CONFLICT, text }))
}

fn body_of(edit: &Edit, reason: AdjustmentReason) -> (AdjustLevel, bool) {
    let (on_hand, delta) = match edit.change {
        Change::To(number) => (Some(number), None),
        Change::By(number) => (None, Some(number)),
    };
    (AdjustLevel { location_id: edit.location, variant_id: edit.variant, on_hand, delta, reason }, on_hand.is_some())
}

async fn find_level(session: &Session, edit: &Edit) -> Result<Option<LevelAnswer>, Problem> {
    let query = LevelQuery { variant_id: Some(edit.variant), location_id: Some(edit.location), limit: Some(1), ..LevelQuery::default() };
    Ok(answer(session.call(&endpoints::ADMIN_LIST_LEVELS).query(&query)).await?.body.items.into_iter().next())
}

fn clash(edit: &Edit, now: Option<&LevelAnswer>) -> Refusal {
    let shown = |number: Option<i64>| number.map_or_else(|| "nothing".to_owned(), count);
    let (was, now) = (shown(edit.was), shown(now.map(|level| level.on_hand)));
    let text = format!("Somebody else changed this from {was} to {now}. Yours is kept in the cell: save again to set it.");
    Refusal { status: StatusCode::PRECONDITION_FAILED, text }
}

fn refusal(problem: &Problem) -> Refusal {
    let fields: Vec<_> = problem.errors().iter().map(|error| sentence(&error.detail)).collect();
    let text = match (explanation(problem), fields.is_empty()) {
        (Some(text), _) => text,
        (None, false) => fields.join(" "),
        (None, true) => sentence(problem.title()),
    };
    Refusal { status: StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), text }
}

fn done(id: ProductId, from: usize, what: &str) -> Response {
    Redirect::to(&format!("{}?done={what}&from={from}", path_of(id))).into_response()
}

#[cfg(test)]
mod tests {
    use super::{Change, read};

    #[test]
    fn figures_set_and_signed_ones_add() {
        assert_eq!(read("12"), Ok(Change::To(12)));
        assert_eq!(read("10,000"), Ok(Change::To(10_000)));
        assert_eq!(read("+5"), Ok(Change::By(5)));
        assert_eq!(read("-2"), Ok(Change::By(-2)));
        assert_eq!(read("−2"), Ok(Change::By(-2)));
        for wrong in ["", "1O", "+", "--2", "1.5", "99999999999", "+-1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
