//! One field for everything: an order by its number or e-mail address, a product by its title or SKU, a page or an action by its name. As a page,
//! and as the list below the palette's field while somebody types.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use catalog_api::{AdminProduct, AdminProductQuery};
use http::{StatusCode, header};
use kernel::Problem;
use orders_api::{OrderQuery, OrderState, OrderSummary};
use payments_api::PaymentStatus;
use serde::Serialize;

use crate::Office;
use crate::chips::{self, Chip};
use crate::fields::{Parameters, address};
use crate::format::{counted, money};
use crate::picture::{self, Picture};
use crate::session::{Session, answer, frame};
use crate::templates::Frame;

/// How many of each kind are shown; the lists show the rest.
const LIMIT: u32 = 8;
/// The longest search the lists take.
const MOST_CHARS: usize = 100;

/// How many of each kind the palette shows.
const AT_A_GLANCE: u32 = 5;

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct SearchPage {
    q: String,
    orders: Vec<OrderHit>,
    products: Vec<ProductHit>,
    /// The whole list, where there is more.
    more_orders: Option<String>,
    more_products: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct OrderHit {
    id: String,
    name: String,
    customer: String,
    email: String,
    total: String,
    state: Chip,
}

#[derive(Debug, Clone, Serialize)]
struct ProductHit {
    id: String,
    title: String,
    sku: String,
    image: Option<Picture>,
    status: Chip,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub(crate) orders: Vec<OrderSummary>,
    pub(crate) has_more_orders: bool,
    pub(crate) products: Vec<AdminProduct>,
    pub(crate) has_more_products: bool,
}

pub(crate) async fn search(State(office): State<Office>, session: Session, Parameters(parameters): Parameters) -> Result<Response, Problem> {
    let q: String = parameters.filled("q").unwrap_or_default().chars().take(MOST_CHARS).collect();
    if parameters.get("part").as_deref() == Some("palette") {
        return palette(&office, &session, &q).await;
    }
    let (me, found) = tokio::try_join!(session.me(), find(&session, &q, LIMIT))?;
    let is_meant = |order: &&OrderSummary| order.number.as_deref().is_some_and(|number| number.eq_ignore_ascii_case(&q));
    if let Some(meant) = found.orders.iter().find(is_meant) {
        return Ok(Redirect::to(&format!("/backoffice/orders/{}", meant.id)).into_response());
    }
    Ok(office.templates.page(StatusCode::OK, "search.html", &frame("Search", "search", me), &search_page(&q, found)))
}

/// The list below the palette's field. What begins with `>` is looked for among pages and actions only.
async fn palette(office: &Office, session: &Session, q: &str) -> Result<Response, Problem> {
    let (text, found) = match q.strip_prefix('>') {
        Some(command) => (command.trim(), Found::default()),
        None => (q, find(session, q, AT_A_GLANCE).await?),
    };
    let html = office.templates.render("palette.html", &Frame::default(), &palette_page(text, found)).map_err(|error| {
        tracing::error!(%error, "palette not rendered");
        Problem::internal()
    })?;
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}

async fn find(session: &Session, q: &str, limit: u32) -> Result<Found, Problem> {
    if q.is_empty() {
        return Ok(Found::default());
    }
    let order_query = OrderQuery { q: Some(q.to_owned()), limit: Some(limit), ..OrderQuery::default() };
    let product_query = AdminProductQuery { q: Some(q.to_owned()), limit: Some(limit), ..AdminProductQuery::default() };
    let orders = answer(session.call(&orders_api::endpoints::ADMIN_LIST_ORDERS).query(&order_query));
    let products = answer(session.call(&catalog_api::endpoints::ADMIN_LIST_PRODUCTS).query(&product_query));
    let (orders, products) = tokio::try_join!(orders, products)?;
    Ok(Found {
        has_more_orders: orders.body.next.is_some(),
        orders: orders.body.items,
        has_more_products: products.body.next.is_some(),
        products: products.body.items,
    })
}

pub(crate) fn search_page(q: &str, found: Found) -> SearchPage {
    let list = |path| address(path, &[("q", Some(q))]);
    SearchPage {
        q: q.to_owned(),
        more_orders: found.has_more_orders.then(|| list("/backoffice/orders")),
        more_products: found.has_more_products.then(|| list("/backoffice/products")),
        orders: found.orders.into_iter().map(order_hit).collect(),
        products: found.products.into_iter().map(|product| product_hit(product, q)).collect(),
    }
}

fn order_hit(order: OrderSummary) -> OrderHit {
    OrderHit {
        id: order.id.to_string(),
        name: order.number.unwrap_or_else(|| "No number yet".to_owned()),
        customer: order.name,
        email: order.email,
        total: money(order.total),
        state: chips::payment(order.state, order.payment_status),
    }
}

fn product_hit(product: AdminProduct, q: &str) -> ProductHit {
    let start = q.to_lowercase();
    let sku = product.variants.iter().find(|variant| variant.sku.to_lowercase().starts_with(&start)).or_else(|| product.variants.first());
    ProductHit {
        id: product.id.to_string(),
        sku: sku.map(|variant| variant.sku.clone()).unwrap_or_default(),
        image: product.media.first().map(picture::thumb),
        status: chips::published(product.published),
        title: product.title,
    }
}

/// The palette's list, group by group.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PalettePage {
    q: String,
    groups: Vec<Group>,
    /// For those who do not see the list.
    told: String,
}

#[derive(Debug, Clone, Serialize)]
struct Group {
    name: String,
    options: Vec<PaletteOption>,
}

#[derive(Debug, Clone, Serialize)]
struct PaletteOption {
    href: String,
    icon: &'static str,
    name: String,
    note: String,
    state: Option<Chip>,
    keys: Vec<&'static str>,
}

/// A page, or a part of one, by its name.
struct Place {
    name: &'static str,
    href: &'static str,
    icon: &'static str,
    keys: &'static [&'static str],
    /// Stands there before anything is typed.
    is_first: bool,
}

const PLACES: [Place; 14] = [
    place("Today", "/backoffice", "today", &["G", "T"], true),
    place("Orders", "/backoffice/orders", "order", &["G", "O"], true),
    place("Products", "/backoffice/products", "product", &["G", "P"], true),
    place("Inventory", "/backoffice/inventory", "stock", &["G", "I"], true),
    place("Jobs", "/backoffice/jobs", "job", &["G", "J"], true),
    place("Orders to capture", "/backoffice/orders?state=placed&payment=held", "card", &[], false),
    place("Orders with a failed capture", "/backoffice/orders?capture=failed", "alert", &[], false),
    place("Orders pending", "/backoffice/orders?state=pending", "clock", &[], false),
    place("Orders of test channels", "/backoffice/orders?channel=*test", "order", &[], false),
    place("Export all orders as CSV", "/backoffice/orders.csv", "export", &[], false),
    place("Export all products as CSV", "/backoffice/products.csv", "export", &[], false),
    place("Low stock and sold out", "/backoffice/inventory?show=scarce", "stock", &[], false),
    place("Dead jobs", "/backoffice/jobs?state=dead#jobs", "job", &[], false),
    place("Schedules", "/backoffice/jobs#schedules", "clock", &[], false),
];

const fn place(name: &'static str, href: &'static str, icon: &'static str, keys: &'static [&'static str], is_first: bool) -> Place {
    Place { name, href, icon, keys, is_first }
}

pub(crate) fn palette_page(q: &str, found: Found) -> PalettePage {
    let all_orders = (!q.is_empty() && found.has_more_orders).then(|| list_option("All orders that begin with this", "/backoffice/orders", "order", q));
    let all_products = (!q.is_empty() && found.has_more_products).then(|| list_option("All products that fit", "/backoffice/products", "product", q));
    let best = best_of(&found);
    let groups = [
        Group { name: "Orders".to_owned(), options: found.orders.into_iter().map(order_option).chain(all_orders).collect() },
        Group { name: "Products".to_owned(), options: found.products.into_iter().map(|product| product_option(product, q)).chain(all_products).collect() },
    ];
    let go = Group { name: "Go to".to_owned(), options: places(q).collect() };
    let groups: Vec<Group> = groups.into_iter().chain(best).chain([go]).filter(|group| !group.options.is_empty()).collect();
    let number: usize = groups.iter().map(|group| group.options.len()).sum();
    let told = if number == 0 { "Nothing found".to_owned() } else { counted(i64::try_from(number).unwrap_or(0), "result", "results") };
    PalettePage { q: q.to_owned(), groups, told }
}

/// The pages whose name holds every word that was typed; the main ones before anything is.
fn places(q: &str) -> impl Iterator<Item = PaletteOption> {
    let words: Vec<String> = q.split_whitespace().map(str::to_lowercase).collect();
    PLACES
        .iter()
        .filter(move |place| if words.is_empty() { place.is_first } else { words.iter().all(|word| place.name.to_lowercase().contains(word.as_str())) })
        .map(|place| PaletteOption {
            href: place.href.to_owned(),
            icon: place.icon,
            name: place.name.to_owned(),
            note: String::new(),
            state: None,
            keys: place.keys.to_vec(),
        })
}

/// What can be done right away where only one thing was found.
fn best_of(found: &Found) -> Option<Group> {
    let option = |href: String, icon, name: &str| PaletteOption { href, icon, name: name.to_owned(), note: String::new(), state: None, keys: Vec::new() };
    match (found.orders.as_slice(), found.products.as_slice()) {
        ([order], []) => {
            let path = format!("/backoffice/orders/{}", order.id);
            let is_held = matches!(order.payment_status, PaymentStatus::Authorized | PaymentStatus::PartiallyPaid) && order.state == OrderState::Placed;
            let capture = is_held.then(|| option(format!("{path}#capture"), "card", "Capture what is held"));
            let name = order.number.clone().unwrap_or_else(|| "this order".to_owned());
            Some(Group { name: format!("Do on {name}"), options: capture.into_iter().chain([option(format!("{path}#say"), "note", "Comment")]).collect() })
        }
        ([], [product]) => {
            let path = format!("/backoffice/products/{}", product.id);
            let parts = [("media", "image", "Pictures"), ("variants", "price", "SKU and prices"), ("stock", "stock", "Stock")];
            let options = parts.into_iter().map(|(part, icon, name)| option(format!("{path}#{part}"), icon, name));
            Some(Group { name: product.title.clone(), options: options.chain([option(format!("{path}/audit"), "audit", "Who changed what")]).collect() })
        }
        _ => None,
    }
}

fn order_option(order: OrderSummary) -> PaletteOption {
    let hit = order_hit(order);
    PaletteOption {
        href: format!("/backoffice/orders/{}", hit.id),
        icon: "order",
        name: hit.name,
        note: format!("{}, {}", hit.customer, hit.total),
        state: Some(hit.state),
        keys: Vec::new(),
    }
}

fn product_option(product: AdminProduct, q: &str) -> PaletteOption {
    let hit = product_hit(product, q);
    PaletteOption {
        href: format!("/backoffice/products/{}", hit.id),
        icon: "product",
        name: hit.title,
        note: hit.sku,
        state: Some(hit.status),
        keys: Vec::new(),
    }
}

fn list_option(name: &str, path: &str, icon: &'static str, q: &str) -> PaletteOption {
    PaletteOption { href: address(path, &[("q", Some(q))]), icon, name: name.to_owned(), note: String::new(), state: None, keys: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(q: &str) -> Vec<String> {
        palette_page(q, Found::default()).groups.into_iter().flat_map(|group| group.options).map(|option| option.name).collect()
    }

    #[test]
    fn pages_and_actions_are_found_by_words_of_their_names_in_any_order() {
        assert_eq!(names(""), ["Today", "Orders", "Products", "Inventory", "Jobs"]);
        assert_eq!(names("capture failed"), ["Orders with a failed capture"]);
        assert_eq!(names("EXPORT prod"), ["Export all products as CSV"]);
        assert!(names("zebra").is_empty());
        assert_eq!(palette_page("zebra", Found::default()).told, "Nothing found");
    }
}
