//! Inventory: every level with the name of what lies there, and the journal of one variant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use catalog_api::{AdminProduct, AdminProductQuery, AdminVariant, VariantId};
use http::StatusCode;
use inventory_api::{LevelAnswer, LevelQuery, LocationAnswer, LocationId, MovementAnswer, MovementKind, MovementQuery, endpoints};
use kernel::{Page, Problem, Token};
use platform::http::Path;
use serde::Serialize;

use crate::Office;
use crate::csv;
use crate::fields::{Fields, Parameters, address};
use crate::format::{Moment, count, counted, moment};
use crate::notice::Notice;
use crate::orders::person;
use crate::picture::{self, Picture};
use crate::products::{Rendering, stock, variant_name};
use crate::session::{Session, answer, frame};

const PATH: &str = "/backoffice/inventory";
/// Where the list is as a file.
const FILE: &str = "/backoffice/inventory.csv";
const LIMIT: u32 = 50;

pub(crate) fn routes() -> Router<Office> {
    Router::new()
        .route(PATH, get(list))
        .route(FILE, get(file))
        .route("/backoffice/inventory/levels", post(save).get(async || Redirect::to(PATH)))
        .route("/backoffice/inventory/{variant_id}", get(movements))
}

/// Which levels the address asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) scarce: bool,
    pub(crate) location: Option<LocationId>,
    pub(crate) after: Option<String>,
}

impl Asked {
    /// What it does not know is left out rather than refused.
    fn of(parameters: &Fields) -> Self {
        let scarce = parameters.filled("show").as_deref() == Some("scarce");
        let location = parameters.parsed("location").filter(|_| !scarce);
        Self { scarce, location, after: parameters.filled("after") }
    }

    fn address(&self, done: Option<&str>) -> String {
        self.address_of(PATH, self.after.as_deref(), done)
    }

    fn address_of(&self, path: &str, after: Option<&str>, done: Option<&str>) -> String {
        let location = self.location.map(|id| id.to_string());
        address(path, &[("show", self.scarce.then_some("scarce")), ("location", location.as_deref()), ("after", after), ("done", done)])
    }

    fn query(&self, limit: u32, after: Option<String>) -> LevelQuery {
        LevelQuery { location_id: self.location, scarce: self.scarce.then_some(true), limit: Some(limit), after, ..LevelQuery::default() }
    }

    fn at(&self, after: Option<&str>) -> String {
        Self { after: after.map(ToOwned::to_owned), ..self.clone() }.address(None)
    }
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct InventoryPage {
    notice: Option<Notice>,
    tabs: Vec<Tab>,
    scarce: bool,
    location: String,
    locations: Vec<LocationChoice>,
    after: String,
    key: String,
    rows: Vec<Row>,
    reasons: Vec<stock::ReasonChoice>,
    shown: String,
    first: Option<String>,
    more: Option<String>,
    file: String,
}

#[derive(Debug, Clone, Serialize)]
struct Tab {
    name: &'static str,
    href: String,
    current: bool,
}

#[derive(Debug, Clone, Serialize)]
struct LocationChoice {
    id: String,
    name: String,
    chosen: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Row {
    variant_id: String,
    what: What,
    location: String,
    cell: stock::Cell,
}

/// Variants by id, with their products.
pub(crate) type Known<'a> = BTreeMap<VariantId, (&'a AdminProduct, &'a AdminVariant)>;

/// What lies there, by name; a variant the catalogue no longer knows keeps its id.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct What {
    title: String,
    variant: String,
    sku: String,
    image: Option<Picture>,
    product_id: Option<String>,
}

impl What {
    pub(crate) fn of(variant: VariantId, known: &Known<'_>) -> Self {
        let Some((product, found)) = known.get(&variant) else {
            return Self { title: "No longer in the catalogue".to_owned(), variant: variant.to_string(), sku: String::new(), image: None, product_id: None };
        };
        let values: Vec<&str> = found.options.values().map(String::as_str).collect();
        let shows = |media: &&catalog_api::MediaReference| media.option_value.as_deref().is_some_and(|value| values.contains(&value));
        Self {
            title: product.title.clone(),
            variant: if found.options.is_empty() { String::new() } else { variant_name(product, found) },
            sku: found.sku.clone(),
            image: product.media.iter().find(shows).or_else(|| product.media.first()).map(picture::thumb),
            product_id: Some(product.id.to_string()),
        }
    }

    fn name(&self) -> String {
        [self.title.as_str(), self.variant.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

pub(crate) fn by_variant(products: &[AdminProduct]) -> Known<'_> {
    products.iter().flat_map(|product| product.variants.iter().map(move |variant| (variant.id, (product, variant)))).collect()
}

/// The products of `variants`, of which a page has no more than the API answers at once.
pub(crate) async fn products_of(session: &Session, variants: impl Iterator<Item = VariantId>) -> Result<Vec<AdminProduct>, Problem> {
    let ids: BTreeSet<String> = variants.map(|id| id.to_string()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = AdminProductQuery { variant_ids: Some(ids.into_iter().collect::<Vec<_>>().join(",")), ..AdminProductQuery::default() };
    Ok(answer(session.call(&catalog_api::endpoints::ADMIN_LIST_PRODUCTS).query(&query)).await?.body.items)
}

pub(crate) async fn locations_of(session: &Session) -> Result<Vec<LocationAnswer>, Problem> {
    Ok(answer(session.call(&endpoints::ADMIN_LIST_LOCATIONS)).await?.body.items)
}

async fn list(State(office): State<Office>, session: Session, Parameters(parameters): Parameters) -> Result<Response, Problem> {
    let notice = match parameters.get("done").as_deref() {
        Some("stock") => Some(Notice::done("The stock is saved.")),
        Some("nothing") => Some(Notice::done("Nothing had changed, nothing was saved.")),
        _ => None,
    };
    show(&office, &session, &Asked::of(&parameters), Rendering { notice, ..Rendering::default() }).await
}

async fn show(office: &Office, session: &Session, asked: &Asked, rendering: Rendering) -> Result<Response, Problem> {
    let query = asked.query(LIMIT, asked.after.clone());
    let levels = answer(session.call(&endpoints::ADMIN_LIST_LEVELS).query(&query));
    let (me, locations, levels) = tokio::try_join!(session.me(), locations_of(session), levels)?;
    let products = products_of(session, levels.body.items.iter().map(|level| level.variant_id)).await?;
    let status = rendering.status;
    let page = inventory_page(asked, &locations, &levels.body, &products, rendering);
    Ok(office.templates.page(status, "inventory.html", &frame("Inventory", "inventory", me), &page))
}

/// The list as it is filtered, as a file.
async fn file(session: Session, Parameters(parameters): Parameters) -> Result<Response, Problem> {
    let asked = Asked::of(&parameters);
    let locations = Arc::new(locations_of(&session).await?);
    let first = page_of(&session, asked.query(kernel::MAX_PAGE, None), &locations).await?;
    let more = move |after| {
        let (session, query, locations) = (session.clone(), asked.query(kernel::MAX_PAGE, Some(after)), Arc::clone(&locations));
        async move { page_of(&session, query, &locations).await }
    };
    let head = ["Product", "Variant", "SKU", "Location", "On hand", "Reserved", "Available", "Variant id"];
    Ok(csv::download("inventory", &head, first, Vec::clone, more))
}

async fn page_of(session: &Session, query: LevelQuery, locations: &[LocationAnswer]) -> Result<Page<Vec<String>>, Problem> {
    let page = answer(session.call(&endpoints::ADMIN_LIST_LEVELS).query(&query)).await?.body;
    let products = products_of(session, page.items.iter().map(|level| level.variant_id)).await?;
    let known = by_variant(&products);
    let cells = |level: &LevelAnswer| {
        let what = What::of(level.variant_id, &known);
        let figures = [level.on_hand, level.reserved, level.available].map(|number| number.to_string());
        [what.title, what.variant, what.sku, location_name(level.location_id, locations)]
            .into_iter()
            .chain(figures)
            .chain([level.variant_id.to_string()])
            .collect()
    };
    Ok(Page { items: page.items.iter().map(cells).collect(), next: page.next })
}

async fn save(State(office): State<Office>, session: Session, fields: Fields) -> Result<Response, Problem> {
    let asked = Asked::of(&fields);
    let mut rendering = Rendering { reason: fields.get("reason"), ..Rendering::default() };
    match stock::save_fields(&session, &fields, stock::places_in(&fields), &mut rendering).await? {
        stock::Saved::Everything => Ok(Redirect::to(&asked.address(Some("stock"))).into_response()),
        stock::Saved::Nothing => Ok(Redirect::to(&asked.address(Some("nothing"))).into_response()),
        stock::Saved::Partly => show(&office, &session, &asked, rendering).await,
    }
}

pub(crate) fn inventory_page(
    asked: &Asked,
    locations: &[LocationAnswer],
    levels: &Page<LevelAnswer>,
    products: &[AdminProduct],
    rendering: Rendering,
) -> InventoryPage {
    let known = by_variant(products);
    let tab = |name, scarce| Tab { name, href: Asked { scarce, ..Asked::default() }.at(None), current: asked.scarce == scarce };
    let shown = counted(i64::try_from(levels.items.len()).unwrap_or(0), "level", "levels");
    InventoryPage {
        tabs: vec![tab("All", false), tab("Low or sold out", true)],
        scarce: asked.scarce,
        location: asked.location.map(|id| id.to_string()).unwrap_or_default(),
        locations: locations
            .iter()
            .map(|location| LocationChoice { id: location.id.to_string(), name: location.name.clone(), chosen: asked.location == Some(location.id) })
            .collect(),
        after: asked.after.clone().unwrap_or_default(),
        key: rendering.key.clone().unwrap_or_else(|| Token::generate().reveal()),
        rows: levels.items.iter().map(|level| row(level, locations, &known, &rendering)).collect(),
        reasons: stock::reasons(&rendering),
        shown: if levels.next.is_some() { format!("{shown}, there are more") } else { shown },
        first: asked.after.is_some().then(|| asked.at(None)),
        more: levels.next.as_deref().map(|next| asked.at(Some(next))),
        file: asked.address_of(FILE, None, None),
        notice: rendering.notice,
    }
}

fn row(level: &LevelAnswer, locations: &[LocationAnswer], known: &Known<'_>, rendering: &Rendering) -> Row {
    let what = What::of(level.variant_id, known);
    let location = location_name(level.location_id, locations);
    let label = format!("On hand in {location}, {}", what.name());
    let cell = stock::cell(stock::Place { id: level.location_id, name: &location }, level.variant_id, label, Some(level), rendering);
    Row { variant_id: level.variant_id.to_string(), cell, what, location }
}

pub(crate) fn location_name(id: LocationId, locations: &[LocationAnswer]) -> String {
    locations.iter().find(|location| location.id == id).map_or_else(|| id.to_string(), |location| location.name.clone())
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct MovementsPage {
    title: String,
    what: What,
    levels: Vec<Level>,
    rows: Vec<Movement>,
    shown: String,
    newest: Option<String>,
    older: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Level {
    location: String,
    on_hand: String,
    reserved: String,
    available: String,
}

#[derive(Debug, Clone, Serialize)]
struct Movement {
    at: Moment,
    what: &'static str,
    location: String,
    on_hand: String,
    reserved: String,
    who: String,
}

async fn movements(
    State(office): State<Office>,
    session: Session,
    Path(variant): Path<VariantId>,
    Parameters(parameters): Parameters,
) -> Result<Response, Problem> {
    let after = parameters.filled("after");
    let level_query = LevelQuery { variant_id: Some(variant), limit: Some(kernel::MAX_PAGE), ..LevelQuery::default() };
    let movement_query = MovementQuery { variant_id: variant, limit: Some(LIMIT), after: after.clone() };
    let levels = answer(session.call(&endpoints::ADMIN_LIST_LEVELS).query(&level_query));
    let movements = answer(session.call(&endpoints::ADMIN_LIST_MOVEMENTS).query(&movement_query));
    let (me, locations, levels, movements, products) =
        tokio::try_join!(session.me(), locations_of(&session), levels, movements, products_of(&session, std::iter::once(variant)))?;
    if products.is_empty() && levels.body.items.is_empty() {
        return Err(Problem::not_found("variant"));
    }
    let page = movements_page(variant, after.as_deref(), &locations, &levels.body.items, &products, movements.body);
    Ok(office.templates.page(StatusCode::OK, "movements.html", &frame(page.title.clone(), "inventory", me), &page))
}

pub(crate) fn movements_page(
    variant: VariantId,
    after: Option<&str>,
    locations: &[LocationAnswer],
    levels: &[LevelAnswer],
    products: &[AdminProduct],
    movements: Page<MovementAnswer>,
) -> MovementsPage {
    let what = What::of(variant, &by_variant(products));
    let path = format!("{PATH}/{variant}");
    let shown = counted(i64::try_from(movements.items.len()).unwrap_or(0), "movement", "movements");
    let level = |level: &LevelAnswer| Level {
        location: location_name(level.location_id, locations),
        on_hand: count(level.on_hand),
        reserved: count(level.reserved),
        available: count(level.available),
    };
    MovementsPage {
        title: what.name(),
        what,
        levels: levels.iter().map(level).collect(),
        shown: if movements.next.is_some() { format!("{shown}, there are older ones") } else { shown },
        newest: after.is_some().then(|| path.clone()),
        older: movements.next.as_deref().map(|next| address(&path, &[("after", Some(next))])),
        rows: movements.items.into_iter().map(|movement| movement_row(&movement, locations)).collect(),
    }
}

fn movement_row(movement: &MovementAnswer, locations: &[LocationAnswer]) -> Movement {
    let what = match movement.kind {
        MovementKind::Received => "Goods came in",
        MovementKind::Counted => "Count",
        MovementKind::WrittenOff => "Broken, lost or given away",
        MovementKind::Held => "Reserved",
        MovementKind::Released => "No longer reserved",
    };
    Movement {
        at: moment(movement.occurred_at),
        what,
        location: location_name(movement.location_id, locations),
        on_hand: difference(movement.on_hand_delta),
        reserved: difference(movement.reserved_delta),
        who: person(&movement.actor).unwrap_or_else(|| "The shop itself".to_owned()),
    }
}

/// A change with its sign; a dash for none.
fn difference(number: i64) -> String {
    match number {
        0 => "–".to_owned(),
        more if more > 0 => format!("+{}", count(more)),
        fewer => count(fewer),
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn a_change_shows_its_sign() {
        assert_eq!([0, 1_200, -3].map(difference), ["–", "+1,200", "−3"]);
    }
}
