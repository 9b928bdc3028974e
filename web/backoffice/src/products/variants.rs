//! The table of variants: SKU and prices, every cell a field. Each changed variant is saved by itself; what fails stays in its cell.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use catalog_api::{AdminProduct, AdminVariant, ChannelAnswer, PriceDraft, ProductId, VariantId, VariantPatch, endpoints};
use http::StatusCode;
use kernel::{Currency, Money, Problem};
use platform::http::Path;
use serde::Serialize;

use super::detail::{Rendering, Typed, find, show, variant_name};
use super::path_of;
use crate::Office;
use crate::carried::{key, version};
use crate::fields::Fields;
use crate::format::{editable, parse_amount};
use crate::notice::{Notice, explanation, sentence};
use crate::session::{Session, answer};

/// How often a variant that clashes with nothing is tried on a newer version.
const TRIES: usize = 4;
/// What a SKU may look like.
const SKU_FORM: &str = "A SKU begins with a letter or digit and holds letters, digits and . _ / - only, 64 at most.";

#[derive(Debug, Clone, Serialize)]
pub(crate) struct VariantRow {
    name: String,
    cells: Vec<Cell>,
    error: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Cell {
    name: String,
    label: String,
    /// The head of its column, for where there are no columns.
    head: String,
    value: String,
    was: String,
    figures: bool,
    error: Option<String>,
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Sku,
    Price(Currency),
    /// The compare-at price.
    Before(Currency),
}

impl Column {
    fn all(currencies: &[Currency]) -> impl Iterator<Item = Self> {
        std::iter::once(Self::Sku).chain(currencies.iter().flat_map(|currency| [Self::Price(*currency), Self::Before(*currency)]))
    }

    /// The name of the field for a variant.
    fn field(self, variant: VariantId) -> String {
        match self {
            Self::Sku => format!("sku.{variant}"),
            Self::Price(currency) => format!("price.{currency}.{variant}"),
            Self::Before(currency) => format!("before.{currency}.{variant}"),
        }
    }

    fn label(self, name: &str) -> String {
        match self {
            Self::Sku => format!("SKU of {name}"),
            Self::Price(currency) => format!("{currency} price of {name}"),
            Self::Before(currency) => format!("{currency} price of {name} before"),
        }
    }

    fn head(self) -> String {
        match self {
            Self::Sku => "SKU".to_owned(),
            Self::Price(currency) => currency.to_string(),
            Self::Before(currency) => format!("Before, {currency}"),
        }
    }

    /// What the variant has there now, as it is typed.
    fn value(self, variant: &AdminVariant) -> String {
        match self {
            Self::Sku => variant.sku.clone(),
            Self::Price(currency) => price(variant, currency).map(|price| editable(price.price)).unwrap_or_default(),
            Self::Before(currency) => price(variant, currency).and_then(|price| price.compare_at).map(editable).unwrap_or_default(),
        }
    }
}

/// The changes of one variant.
struct Edit {
    variant: VariantId,
    patch: VariantPatch,
    /// The changed cells with what they held and what was typed.
    cells: Vec<(Column, String, String)>,
}

/// What a refused variant leaves on the page.
#[derive(Default)]
struct Outcome {
    saved: i64,
    rendering: Rendering,
}

pub(super) fn currencies(product: &AdminProduct, channels: &[ChannelAnswer]) -> Vec<Currency> {
    let priced = product.variants.iter().flat_map(|variant| &variant.prices).map(|price| price.price.currency());
    let mut currencies: Vec<_> = channels.iter().map(|channel| channel.currency).chain(priced).collect();
    currencies.sort_unstable();
    currencies.dedup();
    currencies
}

fn price(variant: &AdminVariant, currency: Currency) -> Option<PriceDraft> {
    variant.prices.iter().copied().find(|price| price.price.currency() == currency)
}

pub(super) fn variant_row(product: &AdminProduct, variant: &AdminVariant, currencies: &[Currency], rendering: &Rendering) -> VariantRow {
    let name = variant_name(product, variant);
    let cell = |column: Column| {
        let field = column.field(variant.id);
        let was = column.value(variant);
        let typed = rendering.cells.get(&field).cloned();
        let Typed { value, error } = typed.unwrap_or_else(|| Typed { value: was.clone(), error: None });
        Cell { label: column.label(&name), head: column.head(), value, was, figures: column != Column::Sku, error, name: field }
    };
    VariantRow { cells: Column::all(currencies).map(cell).collect(), error: rendering.rows.get(&variant.id.to_string()).cloned(), name }
}

pub(crate) async fn save(State(office): State<Office>, session: Session, Path(id): Path<ProductId>, fields: Fields) -> Result<Response, Problem> {
    let from = fields.parsed("from").unwrap_or(0);
    let (product, channels) = tokio::try_join!(find(&session, id), session.channels())?;
    let currencies = currencies(&product, &channels);
    let mut rendering = Rendering::default();
    let edits: Vec<_> = product.variants.iter().filter_map(|variant| edit(variant.id, &currencies, &fields, &mut rendering)).collect();
    if rendering.cells.values().any(|typed| typed.error.is_some()) {
        keep(&edits, &mut rendering);
        rendering.status = StatusCode::UNPROCESSABLE_ENTITY;
        rendering.notice = Some(Notice::refused("Nothing is saved yet.", "The marked cells need another value; everything you typed is kept."));
        return show(&office, &session, id, from, rendering).await;
    }
    if edits.is_empty() {
        return Ok(done(id, from, "nothing"));
    }
    let outcome = save_all(&session, id, &edits, &fields).await?;
    if outcome.rendering.cells.is_empty() {
        return Ok(done(id, from, "variants"));
    }
    let notice = Notice::partly(outcome.saved, "variant is", "variants are");
    show(&office, &session, id, from, Rendering { notice: Some(notice), ..outcome.rendering }).await
}

/// What was typed for a variant, or nothing if it was left as it was. Cells that cannot be read are noted.
fn edit(variant: VariantId, currencies: &[Currency], fields: &Fields, rendering: &mut Rendering) -> Option<Edit> {
    let cells: Vec<_> = Column::all(currencies).filter_map(|column| changed(column, variant, fields)).collect();
    if cells.is_empty() {
        return None;
    }
    let sku = cells.iter().find(|(column, ..)| *column == Column::Sku).map(|(.., typed)| typed.clone());
    let is_changed = |currency: Currency| cells.iter().any(|(column, ..)| matches!(column, Column::Price(other) | Column::Before(other) if *other == currency));
    let prices = currencies.iter().filter(|currency| is_changed(**currency)).filter_map(|currency| draft(*currency, variant, fields, rendering)).collect();
    Some(Edit { variant, patch: VariantPatch { sku, prices }, cells })
}

/// The column with what it held and what was typed, if that is something else.
fn changed(column: Column, variant: VariantId, fields: &Fields) -> Option<(Column, String, String)> {
    let field = column.field(variant);
    let typed = fields.get(&field)?.trim().to_owned();
    let was = fields.get(&format!("was_{field}")).unwrap_or_default().trim().to_owned();
    (typed != was).then_some((column, was, typed))
}

/// The price of a currency as typed: both cells belong together, whichever was changed.
fn draft(currency: Currency, variant: VariantId, fields: &Fields, rendering: &mut Rendering) -> Option<PriceDraft> {
    let mut read = |column: Column, may_be_empty: bool| -> Result<Option<Money>, ()> {
        let field = column.field(variant);
        let typed = fields.get(&field).unwrap_or_default();
        if may_be_empty && typed.trim().is_empty() {
            return Ok(None);
        }
        parse_amount(&typed, currency).map(Some).map_err(|error| {
            rendering.cells.insert(field, Typed { value: typed, error: Some(error.to_string()) });
        })
    };
    let price = read(Column::Price(currency), false);
    let before = read(Column::Before(currency), true);
    Some(PriceDraft { price: price.ok()??, compare_at: before.ok()? })
}

/// Keeps everything that was typed in its cell, beside the errors already there.
fn keep(edits: &[Edit], rendering: &mut Rendering) {
    for edit in edits {
        for (column, _, typed) in &edit.cells {
            rendering.cells.entry(column.field(edit.variant)).or_insert_with(|| Typed { value: typed.clone(), error: None });
        }
    }
}

/// Saves variant by variant, each on the version the one before left.
async fn save_all(session: &Session, id: ProductId, edits: &[Edit], fields: &Fields) -> Result<Outcome, Problem> {
    let mut outcome = Outcome::default();
    let mut on_version = version(fields);
    for (place, edit) in edits.iter().enumerate() {
        match save_one(session, id, edit, &key(fields), on_version).await? {
            Saved::On(now) => {
                on_version = now;
                outcome.saved += 1;
            }
            Saved::Clashes { product } => {
                on_version = product.version;
                outcome.rendering.status = StatusCode::PRECONDITION_FAILED;
                note_clashes(edit, &product, &mut outcome.rendering);
            }
            Saved::Refused(problem) => {
                outcome.rendering.status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                note_refusal(edit, &problem, &mut outcome.rendering);
                if problem.status() >= 500 || problem.status() == 403 {
                    // The next ones would fail alike.
                    keep(edits.get(place..).unwrap_or_default(), &mut outcome.rendering);
                    return Ok(outcome);
                }
            }
        }
    }
    Ok(outcome)
}

enum Saved {
    /// Done; the product's version now.
    On(i64),
    /// Somebody else changed the same cells.
    Clashes {
        product: Box<AdminProduct>,
    },
    Refused(Problem),
}

async fn save_one(session: &Session, id: ProductId, edit: &Edit, key: &str, mut on_version: i64) -> Result<Saved, Problem> {
    for _ in 0..TRIES {
        let key = format!("{key}.{}.{on_version}", edit.variant);
        let call = session.call(&endpoints::ADMIN_UPDATE_VARIANT).param("id", id).param("variant_id", edit.variant);
        match answer(call.if_match(on_version).idempotency_key(&key).body(&edit.patch)).await {
            Ok(answer) => return Ok(Saved::On(answer.body.version)),
            Err(problem) if problem.status() == 401 => return Err(problem),
            Err(problem) if problem.status() == 412 => {
                let product = find(session, id).await?;
                if clashing(edit, &product).next().is_some() {
                    return Ok(Saved::Clashes { product: Box::new(product) });
                }
                on_version = product.version;
            }
            Err(problem) => return Ok(Saved::Refused(problem)),
        }
    }
    Ok(Saved::Refused(Problem::new(409, "busy", "Others change this product all the time").detail("Save it again.")))
}

/// The cells of an edit that hold something else now than when they were shown, and what.
fn clashing<'a>(edit: &'a Edit, product: &'a AdminProduct) -> impl Iterator<Item = (&'a (Column, String, String), String)> {
    let variant = product.variants.iter().find(|variant| variant.id == edit.variant);
    edit.cells.iter().filter_map(move |cell| {
        let (column, was, typed) = cell;
        let now = column.value(variant?);
        (now != *was && now != *typed).then_some((cell, now))
    })
}

fn note_clashes(edit: &Edit, product: &AdminProduct, rendering: &mut Rendering) {
    keep(std::slice::from_ref(edit), rendering);
    for ((column, was, typed), now) in clashing(edit, product) {
        let shown = |value: &str| if value.is_empty() { "nothing".to_owned() } else { value.to_owned() };
        let error = format!("Somebody else changed this from {} to {}. Yours is kept in the cell: save again to set it.", shown(was), shown(&now));
        rendering.cells.insert(column.field(edit.variant), Typed { value: typed.clone(), error: Some(error) });
    }
}

fn note_refusal(edit: &Edit, problem: &Problem, rendering: &mut Rendering) {
    keep(std::slice::from_ref(edit), rendering);
    let mut told = false;
    for error in problem.errors() {
        let Some(column) = column_of(&error.pointer, edit) else { continue };
        if let Some(typed) = rendering.cells.get_mut(&column.field(edit.variant)) {
            // The API tells a SKU's form as a pattern, which is for programs.
            let is_form = column == Column::Sku && error.code == "invalid";
            typed.error = Some(if is_form { SKU_FORM.to_owned() } else { sentence(&error.detail) });
            told = true;
        }
    }
    if !told {
        let text = explanation(problem).map_or_else(|| sentence(problem.title()), |text| format!("{} {text}", sentence(problem.title())));
        rendering.rows.insert(edit.variant.to_string(), text);
    }
}

/// The cell a pointer of the API speaks of: `/sku`, `/prices/0/price`, `/prices/0/compare_at`.
fn column_of(pointer: &str, edit: &Edit) -> Option<Column> {
    if pointer == "/sku" {
        return Some(Column::Sku);
    }
    let (place, rest) = pointer.strip_prefix("/prices/")?.split_once('/')?;
    let currency = edit.patch.prices.get(place.parse::<usize>().ok()?)?.price.currency();
    Some(if rest.starts_with("compare_at") { Column::Before(currency) } else { Column::Price(currency) })
}

fn done(id: ProductId, from: usize, what: &str) -> Response {
    Redirect::to(&format!("{}?done={what}&from={from}", path_of(id))).into_response()
}
