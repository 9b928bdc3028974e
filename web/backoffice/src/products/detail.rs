//! One product: its texts, its variants with SKU and prices, its stock per location.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use catalog_api::{AdminProduct, AdminVariant, CategoryAnswer, ChannelAnswer, ProductId, StockBand, endpoints};
use http::StatusCode;
use inventory_api::{LevelAnswer, LevelQuery, LocationAnswer};
use kernel::{Problem, Token};
use platform::http::Path;
use serde::Serialize;

use super::basics::{Basics, BasicsForm};
use super::media::{MediaForm, TypedMedia};
use super::path_of;
use super::stock::{StockTable, stock_table};
use super::variants::{VariantRow, currencies, variant_row};
use crate::Office;
use crate::carried::Carried;
use crate::chips::{self, Chip};
use crate::fields::Parameters;
use crate::format::counted;
use crate::notice::Notice;
use crate::session::{Session, answer, frame};

/// How many variants a page shows; a product may have thousands.
const VARIANTS_AT_ONCE: usize = 50;
/// How many pages of levels are read at most: 50 variants in 40 locations.
const LEVEL_PAGES: usize = 20;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ProductPage {
    id: String,
    title: String,
    slug: String,
    status: Chip,
    published: bool,
    notice: Option<Notice>,
    form: Carried,
    basics: BasicsForm,
    media: MediaForm,
    picture_count: usize,
    options: String,
    currencies: Vec<String>,
    variants: Vec<VariantRow>,
    variant_count: usize,
    /// The place of the first shown variant.
    from: usize,
    variants_shown: String,
    variants_before: Option<String>,
    variants_after: Option<String>,
    stock: StockTable,
    bands: Vec<Band>,
}

#[derive(Debug, Clone, Serialize)]
struct Band {
    channel: String,
    chip: Chip,
}

/// Everything the page is made of, as it is now.
#[derive(Debug, Clone)]
pub(crate) struct Stand {
    pub(crate) product: AdminProduct,
    pub(crate) channels: Vec<ChannelAnswer>,
    pub(crate) categories: Vec<CategoryAnswer>,
    pub(crate) locations: Vec<LocationAnswer>,
    pub(crate) levels: Vec<LevelAnswer>,
    /// The place of the first shown variant.
    pub(crate) from: usize,
}

/// What was typed into a cell, and why it was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) value: String,
    pub(crate) error: Option<String>,
}

/// What a page shows beside the product itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rendering {
    pub(crate) status: StatusCode,
    pub(crate) notice: Option<Notice>,
    pub(crate) basics: Option<Basics>,
    /// The version the typed texts were made on; the present one if absent.
    pub(crate) version: Option<i64>,
    pub(crate) basics_errors: BTreeMap<&'static str, String>,
    /// What was typed of the pictures and is not saved.
    pub(crate) media: Option<TypedMedia>,
    /// What was typed and is not saved, by the name of its cell.
    pub(crate) cells: BTreeMap<String, Typed>,
    /// What is wrong with a whole row, by the variant's id.
    pub(crate) rows: BTreeMap<String, String>,
    pub(crate) reason: Option<String>,
    /// The key to send again, when it is not known whether the first sending was done.
    pub(crate) key: Option<String>,
}

pub(crate) async fn detail(
    State(office): State<Office>,
    session: Session,
    Path(id): Path<ProductId>,
    Parameters(parameters): Parameters,
) -> Result<Response, Problem> {
    let notice = parameters.filled("done").and_then(|done| done_notice(&done));
    let from = parameters.parsed("from").unwrap_or(0);
    show(&office, &session, id, from, Rendering { notice, ..Rendering::default() }).await
}

/// Shows the product as it is now, with what a form brought.
pub(super) async fn show(office: &Office, session: &Session, id: ProductId, from: usize, rendering: Rendering) -> Result<Response, Problem> {
    let locations = answer(session.call(&inventory_api::endpoints::ADMIN_LIST_LOCATIONS));
    let (me, channels, categories, locations, product) =
        tokio::try_join!(session.me(), session.channels(), categories_of(session), locations, find(session, id))?;
    // Whole pages only, so that "earlier" leads back to the same ones.
    let last = product.variants.len().saturating_sub(1);
    let from = from.min(last) / VARIANTS_AT_ONCE * VARIANTS_AT_ONCE;
    let levels = levels_of(session, shown_variants(&product, from)).await?;
    let mut locations = locations.body.items;
    // Where there is stock of it comes first; the others are there for what comes in.
    locations.sort_by_key(|location| !levels.iter().any(|level| level.location_id == location.id));
    let stand = Stand { product, channels, categories, locations, levels, from };
    let status = rendering.status;
    let page = product_page(&stand, rendering);
    Ok(office.templates.page(status, "product.html", &frame(page.title.clone(), "products", me), &page))
}

pub(super) async fn find(session: &Session, id: ProductId) -> Result<AdminProduct, Problem> {
    answer(session.call(&endpoints::ADMIN_GET_PRODUCT).param("id", id)).await.map(|answer| answer.body)
}

/// Every category.
pub(super) async fn categories_of(session: &Session) -> Result<Vec<CategoryAnswer>, Problem> {
    Ok(answer(session.call(&endpoints::ADMIN_LIST_CATEGORIES)).await?.body.items)
}

/// The levels of `variants` in every location.
pub(super) async fn levels_of(session: &Session, variants: &[AdminVariant]) -> Result<Vec<LevelAnswer>, Problem> {
    let ids: Vec<_> = variants.iter().map(|variant| variant.id.to_string()).collect();
    let mut query = LevelQuery { variant_ids: Some(ids.join(",")), limit: Some(kernel::MAX_PAGE), ..LevelQuery::default() };
    let mut levels = Vec::new();
    if ids.is_empty() {
        return Ok(levels);
    }
    for _ in 0..LEVEL_PAGES {
        let page = answer(session.call(&inventory_api::endpoints::ADMIN_LIST_LEVELS).query(&query)).await?.body;
        levels.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    Ok(levels)
}

fn shown_variants(product: &AdminProduct, from: usize) -> &[AdminVariant] {
    let shown = product.variants.get(from..).unwrap_or_default();
    shown.get(..VARIANTS_AT_ONCE).unwrap_or(shown)
}

pub(crate) fn product_page(stand: &Stand, rendering: Rendering) -> ProductPage {
    let product = &stand.product;
    let shown = shown_variants(product, stand.from);
    let currencies = currencies(product, &stand.channels);
    let key = rendering.key.clone().unwrap_or_else(|| Token::generate().reveal());
    let at = |from: usize| format!("{}?from={from}#variants", path_of(product.id));
    let end = stand.from + shown.len();
    ProductPage {
        id: product.id.to_string(),
        title: product.title.clone(),
        slug: product.slug.clone(),
        status: chips::published(product.published),
        published: product.published,
        form: Carried { version: rendering.version.unwrap_or(product.version), key },
        basics: BasicsForm::new(product, &stand.categories, &stand.channels, rendering.basics.as_ref(), &rendering.basics_errors),
        media: MediaForm::new(product, rendering.media.as_ref()),
        picture_count: product.media.len(),
        options: options(product),
        variants: shown.iter().map(|variant| variant_row(product, variant, &currencies, &rendering)).collect(),
        currencies: currencies.iter().map(ToString::to_string).collect(),
        variant_count: product.variants.len(),
        from: stand.from,
        variants_shown: variants_shown(product, stand.from, end),
        variants_before: (stand.from > 0).then(|| at(stand.from.saturating_sub(VARIANTS_AT_ONCE))),
        variants_after: (end < product.variants.len()).then(|| at(end)),
        stock: stock_table(product, shown, stand, &rendering),
        bands: stand.channels.iter().filter_map(|channel| band(product, channel)).collect(),
        notice: rendering.notice,
    }
}

fn variants_shown(product: &AdminProduct, from: usize, end: usize) -> String {
    let all = counted(i64::try_from(product.variants.len()).unwrap_or(0), "variant", "variants");
    if end - from == product.variants.len() { all } else { format!("{} to {end} of {all}", from + 1) }
}

fn options(product: &AdminProduct) -> String {
    let values = |option: &catalog_api::ProductOption| option.values.iter().map(|value| value.value.clone()).collect::<Vec<_>>().join(", ");
    product.options.iter().map(|option| format!("{}: {}.", option.name, values(option))).collect::<Vec<_>>().join(" ")
}

/// What a variant is called on this page: its option values in the order of the options, or its SKU.
pub(crate) fn variant_name(product: &AdminProduct, variant: &AdminVariant) -> String {
    let values: Vec<_> = product.options.iter().filter_map(|option| variant.options.get(&option.name)).map(String::as_str).collect();
    if values.is_empty() { variant.sku.clone() } else { values.join(", ") }
}

/// How a channel's shoppers see the stock; nothing where the product is not sold.
fn band(product: &AdminProduct, channel: &ChannelAnswer) -> Option<Band> {
    let bands: Vec<StockBand> = product.variants.iter().filter_map(|variant| variant.stock.get(&channel.code).copied()).collect();
    (!bands.is_empty()).then(|| Band { channel: channel.name.clone(), chip: chips::stock(&bands) })
}

fn done_notice(done: &str) -> Option<Notice> {
    match done {
        "product" => Some(Notice::done("The product is saved.")),
        "merged" => Some(Notice::done("The product is saved, together with what somebody else changed meanwhile.")),
        "media" => Some(Notice::done("The pictures are saved.")),
        "variants" => Some(Notice::done("The variants are saved.")),
        "stock" => Some(Notice::done("The stock is saved.")),
        "nothing" => Some(Notice::done("Nothing had changed, nothing was saved.")),
        _ => None,
    }
}
