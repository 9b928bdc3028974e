//! One field for everything: an order by its number or e-mail address, a product by its title or SKU.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use catalog_api::{AdminProduct, AdminProductQuery};
use http::StatusCode;
use kernel::Problem;
use orders_api::{OrderQuery, OrderSummary};
use serde::Serialize;

use crate::Office;
use crate::chips::{self, Chip};
use crate::fields::{Parameters, address};
use crate::format::money;
use crate::picture::{self, Picture};
use crate::session::{Session, answer, frame};

/// How many of each kind are shown; the lists show the rest.
const LIMIT: u32 = 8;
/// The longest search the lists take.
const MOST_CHARS: usize = 100;

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
    let (me, found) = tokio::try_join!(session.me(), find(&session, &q))?;
    if let [only] = found.orders.as_slice()
        && only.number.as_deref().is_some_and(|number| number.eq_ignore_ascii_case(&q))
    {
        return Ok(Redirect::to(&format!("/backoffice/orders/{}", only.id)).into_response());
    }
    Ok(office.templates.page(StatusCode::OK, "search.html", &frame("Search", "search", me), &search_page(&q, found)))
}

async fn find(session: &Session, q: &str) -> Result<Found, Problem> {
    if q.is_empty() {
        return Ok(Found::default());
    }
    let order_query = OrderQuery { q: Some(q.to_owned()), limit: Some(LIMIT), ..OrderQuery::default() };
    let product_query = AdminProductQuery { q: Some(q.to_owned()), limit: Some(LIMIT), ..AdminProductQuery::default() };
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
        state: order.state.into(),
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
