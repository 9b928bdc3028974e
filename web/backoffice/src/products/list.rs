//! The list of products.

use axum::extract::State;
use axum::response::Response;
use catalog_api::{AdminProduct, AdminProductQuery, AdminVariant, ChannelAnswer, ChannelKind, PriceDraft, StockBand, endpoints};
use http::StatusCode;
use kernel::{Currency, Money, Page, Problem};
use serde::Serialize;

use crate::Office;
use crate::chips::{self, Chip};
use crate::csv;
use crate::fields::{Fields, Parameters, address};
use crate::format::{count, counted, editable, money};
use crate::picture::{self, Picture};
use crate::session::{Session, answer, frame};

const PATH: &str = "/backoffice/products";
/// Where the list is as a file.
pub(super) const FILE: &str = "/backoffice/products.csv";
const LIMIT: u32 = 50;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ListPage {
    tabs: Vec<Tab>,
    published: Option<&'static str>,
    q: String,
    rows: Vec<Row>,
    filtered: bool,
    first_run: bool,
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
struct Row {
    id: String,
    title: String,
    skus: String,
    image: Option<Picture>,
    status: Chip,
    category: Option<String>,
    variants: String,
    stock: Chip,
    price: String,
}

pub(crate) async fn list(State(office): State<Office>, session: Session, Parameters(parameters): Parameters) -> Result<Response, Problem> {
    let query = query_of(&parameters);
    let products = answer(session.call(&endpoints::ADMIN_LIST_PRODUCTS).query(&query));
    let (me, channels, products) = tokio::try_join!(session.me(), session.channels(), products)?;
    let page = list_page(&query, &channels, products.body);
    Ok(office.templates.page(StatusCode::OK, "products.html", &frame("Products", "products", me), &page))
}

/// The list as it is filtered, as a file: a row for each variant and currency.
pub(super) async fn file(session: Session, Parameters(parameters): Parameters) -> Result<Response, Problem> {
    let query = AdminProductQuery { limit: Some(kernel::MAX_PAGE), after: None, ..query_of(&parameters) };
    let first = page_of(&session, &query).await?;
    let more = move |after| {
        let (session, query) = (session.clone(), AdminProductQuery { after: Some(after), ..query.clone() });
        async move { page_of(&session, &query).await }
    };
    let head = ["Product", "Address", "Published", "Category", "SKU", "Options", "Price", "Before", "Currency", "Product id", "Variant id"];
    Ok(csv::download("products", &head, first, Vec::clone, more))
}

async fn page_of(session: &Session, query: &AdminProductQuery) -> Result<Page<Vec<String>>, Problem> {
    let page = answer(session.call(&endpoints::ADMIN_LIST_PRODUCTS).query(query)).await?.body;
    Ok(Page { items: page.items.iter().flat_map(rows_of).collect(), next: page.next })
}

fn rows_of(product: &AdminProduct) -> Vec<Vec<String>> {
    let category = product.category.as_ref().map(|category| category.slug.clone()).unwrap_or_default();
    let of_variant = |variant: &AdminVariant| {
        let options = variant.options.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", ");
        let of_price = |price: &PriceDraft| {
            let before = price.compare_at.map(editable).unwrap_or_default();
            let (title, slug, published, category) = (product.title.clone(), product.slug.clone(), flag(product.published).to_owned(), category.clone());
            let (sku, options, currency) = (variant.sku.clone(), options.clone(), price.price.currency().to_string());
            vec![title, slug, published, category, sku, options, editable(price.price), before, currency, product.id.to_string(), variant.id.to_string()]
        };
        variant.prices.iter().map(of_price).collect::<Vec<_>>()
    };
    product.variants.iter().flat_map(of_variant).collect()
}

/// What the address asks for; what it does not know is left out rather than refused.
fn query_of(parameters: &Fields) -> AdminProductQuery {
    AdminProductQuery {
        q: parameters.filled("q"),
        published: parameters.parsed("published"),
        limit: Some(LIMIT),
        after: parameters.filled("after"),
        ..AdminProductQuery::default()
    }
}

const fn flag(published: bool) -> &'static str {
    if published { "true" } else { "false" }
}

pub(crate) fn list_page(query: &AdminProductQuery, channels: &[ChannelAnswer], products: Page<AdminProduct>) -> ListPage {
    let at = |published: Option<bool>, after: Option<&str>| address(PATH, &[("q", query.q.as_deref()), ("published", published.map(flag)), ("after", after)]);
    let tab = |name, published: Option<bool>| Tab { name, href: at(published, None), current: query.published == published };
    let shown = counted(i64::try_from(products.items.len()).unwrap_or(0), "product", "products");
    ListPage {
        tabs: vec![tab("All", None), tab("Published", Some(true)), tab("Not published", Some(false))],
        published: query.published.map(flag),
        q: query.q.clone().unwrap_or_default(),
        filtered: query.q.is_some() || query.published.is_some(),
        first_run: query.after.is_none(),
        shown: if products.next.is_some() { format!("{shown}, there are more") } else { shown },
        first: query.after.is_some().then(|| at(query.published, None)),
        more: products.next.as_deref().map(|next| at(query.published, Some(next))),
        file: address(FILE, &[("q", query.q.as_deref()), ("published", query.published.map(flag))]),
        rows: products.items.into_iter().map(|product| row(product, channels)).collect(),
    }
}

fn row(product: AdminProduct, channels: &[ChannelAnswer]) -> Row {
    let bands: Vec<_> = product.variants.iter().filter_map(|variant| best_band(variant, channels)).collect();
    Row {
        id: product.id.to_string(),
        skus: skus(&product.variants),
        status: chips::published(product.published),
        category: product.category.map(|category| category.name),
        variants: count(i64::try_from(product.variants.len()).unwrap_or(0)),
        stock: chips::stock(&bands),
        price: price(&product.variants, channels),
        image: product.media.first().map(picture::thumb),
        title: product.title,
    }
}

/// How much of a variant there is where there is most of it; trials do not count.
fn best_band(variant: &AdminVariant, channels: &[ChannelAnswer]) -> Option<StockBand> {
    let is_test = |code: &str| channels.iter().any(|channel| channel.code == code && channel.kind == ChannelKind::Test);
    variant.stock.iter().filter(|(code, _)| !is_test(code)).map(|(_, band)| *band).max()
}

fn skus(variants: &[AdminVariant]) -> String {
    match variants {
        [] => String::new(),
        [only] => only.sku.clone(),
        [first, others @ ..] => format!("{} and {} more", first.sku, others.len()),
    }
}

/// The lowest price in the currency of the first live channel, or in whatever currency there is.
fn price(variants: &[AdminVariant], channels: &[ChannelAnswer]) -> String {
    let main = channels.iter().find(|channel| channel.kind == ChannelKind::Live).map(|channel| channel.currency);
    let any = variants.iter().flat_map(|variant| &variant.prices).map(|price| price.price.currency()).next();
    let prices = |currency: Currency| -> Vec<Money> {
        variants.iter().flat_map(|variant| &variant.prices).map(|price| price.price).filter(|price| price.currency() == currency).collect()
    };
    let found = [main, any].into_iter().flatten().map(prices).find(|prices| !prices.is_empty()).unwrap_or_default();
    let lowest = found.iter().copied().min_by_key(|price| price.amount_minor());
    match lowest {
        None => "–".to_owned(),
        Some(lowest) if found.iter().any(|price| *price != lowest) => format!("from {}", money(lowest)),
        Some(lowest) => money(lowest),
    }
}
