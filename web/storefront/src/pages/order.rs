//! An order: the page right after buying, and the page to come back to.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use client::CallError;
use http::StatusCode;
use kernel::Token;
use orders_api::endpoints::GET_ORDER;
use orders_api::{OrderAnswer, OrderId, OrderLineAnswer, OrderState};
use payments_api::{PaymentMethod, PaymentStatus};
use platform::http::Path;
use serde::Serialize;

use crate::error::PageError;
use crate::messages::Tongue;
use crate::shell::{Loaded, Shell};
use crate::shop::{Keep, Shop};
use crate::view::{LineView, PictureView, TotalsView, address_lines, choice, items, method_name, method_text, product_address};
use crate::visit::Visit;

#[derive(Debug, Serialize)]
pub(crate) struct OrderView {
    pub(crate) number: Option<String>,
    /// The first word of the shopper's name.
    pub(crate) first_name: String,
    pub(crate) status: StatusView,
    pub(crate) date: String,
    /// The same in the form machines read.
    pub(crate) datetime: String,
    pub(crate) lines: Vec<LineView>,
    pub(crate) totals: TotalsView,
    pub(crate) email: String,
    pub(crate) shipping_address: Vec<String>,
    /// Where the bill goes, if elsewhere.
    pub(crate) billing_address: Option<Vec<String>>,
    /// How it is paid: the method's name and what happens next.
    pub(crate) payment_name: Option<String>,
    pub(crate) payment_text: Option<String>,
    pub(crate) href: String,
    pub(crate) is_pending: bool,
    pub(crate) is_canceled: bool,
    /// How far it has come.
    pub(crate) steps: Vec<StepView>,
}

/// A step on the way of an order.
#[derive(Debug, Serialize)]
pub(crate) struct StepView {
    /// `done`, `now` or `todo`.
    pub(crate) stand: &'static str,
    pub(crate) text: String,
    pub(crate) note: Option<String>,
    pub(crate) date: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct StatusView {
    /// `ok`, `info` or `warn`.
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// The page right after buying.
pub(crate) async fn thank(State(shop): State<Shop>, visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    page(&shop, &visit, &id, "confirmation.html").await
}

/// The page to come back to.
pub(crate) async fn show(State(shop): State<Shop>, visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    page(&shop, &visit, &id, "order.html").await
}

async fn page(shop: &Shop, visit: &Visit, id: &str, template: &'static str) -> Result<Response, PageError> {
    // Without its secret an order does not exist.
    let id: OrderId = id.parse().map_err(|_| PageError::NotFound)?;
    let token = token(visit, id).ok_or(PageError::NotFound)?;
    let order = find(shop, visit, id, token).await?;
    let is_pending = matches!(order.state, OrderState::Pending | OrderState::Draft);
    if template == "confirmation.html" && !matches!(order.state, OrderState::Placed | OrderState::Closed) {
        return Ok(Redirect::to(&format!("/orders/{id}")).into_response());
    }
    let methods = shop.call(visit, &payments_api::endpoints::LIST_PAYMENT_METHODS).send();
    let (loaded, methods) = tokio::join!(Shell::load(shop, visit), methods);
    let loaded = loaded?;
    let methods = methods.map(|answer| answer.body.items).unwrap_or_default();
    let view = OrderView { is_pending, ..OrderView::of(&order, &loaded, &methods) };
    shop.page(StatusCode::OK, template, &loaded.shell, &view, Keep::Never)
}

/// Reads an order with its secret.
pub(crate) async fn find(shop: &Shop, visit: &Visit, id: OrderId, token: &Token) -> Result<OrderAnswer, CallError> {
    Ok(shop.call(visit, &GET_ORDER).param("id", id).order_token(token).send().await?.body)
}

/// The secret of an order this browser made: a finished one, or the one its cart is being paid for.
fn token(visit: &Visit, id: OrderId) -> Option<&Token> {
    let made = visit.orders.iter().find(|order| order.id == id).map(|order| &order.token);
    made.or_else(|| visit.cart.as_ref().filter(|cart| cart.pending_order == Some(id)).map(|cart| &cart.token))
}

impl OrderView {
    fn of(order: &OrderAnswer, loaded: &Loaded, methods: &[PaymentMethod]) -> Self {
        let at = order.placed_at.unwrap_or(order.created_at);
        let method = methods.iter().find(|method| Some(&method.provider) == order.payment_provider.as_ref());
        let tongue = &loaded.tongue;
        Self {
            number: order.number.clone(),
            first_name: order.shipping_address.name.split_whitespace().next().unwrap_or_default().to_owned(),
            status: StatusView::of(order, tongue),
            date: tongue.date(at),
            datetime: at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            lines: order.lines.iter().map(|line| line_view(line, tongue)).collect(),
            totals: TotalsView {
                items: items(order.totals.item_count, tongue),
                subtotal: tongue.money(order.totals.subtotal),
                delivery_name: order.delivery_name.clone(),
                delivery: tongue.price_or_free(order.totals.delivery),
                total: tongue.money(order.totals.total),
            },
            email: order.email.clone(),
            shipping_address: address_lines(&order.shipping_address, tongue),
            billing_address: (order.billing_address != order.shipping_address).then(|| address_lines(&order.billing_address, tongue)),
            payment_name: method.map(|method| method_name(method, tongue)),
            payment_text: method.map(|method| method_text(method, tongue)).filter(|_| is_to_be_paid(order)),
            href: format!("/orders/{}", order.id),
            is_pending: false,
            is_canceled: order.state == OrderState::Canceled,
            steps: steps(order, tongue),
        }
    }
}

/// Whether the shopper still has to do something to pay: not once the order is canceled, nor where the payment page asks for it.
fn is_to_be_paid(order: &OrderAnswer) -> bool {
    order.payment_status == PaymentStatus::Pending && matches!(order.state, OrderState::Placed | OrderState::Closed)
}

/// What was done, where it stands, and what is to come. Nothing that this shop does not know.
fn steps(order: &OrderAnswer, tongue: &Tongue) -> Vec<StepView> {
    let step = |stand, text: &str| StepView { stand, text: tongue.text(text), note: None, date: None };
    let ordered = |stand| StepView { date: Some(tongue.date(order.placed_at.unwrap_or(order.created_at))), ..step(stand, "step-ordered") };
    match (order.state, order.payment_status) {
        (OrderState::Canceled, _) => {
            let reason = match order.cancel_reason.as_deref() {
                Some("payment_canceled") => "payment-canceled-title",
                Some("payment_expired") => "payment-expired-title",
                // Before it was a sale an order is only canceled because its payment failed.
                _ if order.placed_at.is_none() => "payment-declined-title",
                _ => "order-canceled",
            };
            vec![
                StepView { note: Some(tongue.text(reason)), ..ordered("done") },
                StepView { note: Some(tongue.text("nothing-to-pay")), ..step("now", "status-canceled") },
            ]
        }
        (OrderState::Pending | OrderState::Draft, _) => vec![ordered("done"), step("now", "status-waiting"), step("todo", "step-confirmed")],
        (_, PaymentStatus::Pending) => vec![ordered("done"), step("now", "status-pending"), step("todo", "status-paid")],
        (_, PaymentStatus::Authorized) => vec![ordered("done"), step("now", "status-authorized"), step("todo", "status-paid")],
        (_, PaymentStatus::PartiallyPaid) => vec![ordered("done"), step("now", "status-partly-paid"), step("todo", "status-paid")],
        (_, PaymentStatus::Paid) => vec![ordered("done"), step("done", "status-authorized"), step("now", "status-paid")],
        (_, PaymentStatus::PartiallyRefunded) => vec![ordered("done"), step("done", "status-paid"), step("now", "status-partly-refunded")],
        (_, PaymentStatus::Refunded) => vec![ordered("done"), step("done", "status-paid"), step("now", "status-refunded")],
        (_, PaymentStatus::Voided) => vec![ordered("done"), step("now", "status-voided")],
    }
}

impl StatusView {
    fn of(order: &OrderAnswer, tongue: &Tongue) -> Self {
        let (kind, text) = match (order.state, order.payment_status) {
            (OrderState::Canceled, _) => ("warn", "status-canceled"),
            (OrderState::Pending | OrderState::Draft, _) => ("info", "status-waiting"),
            (_, PaymentStatus::Paid) => ("ok", "status-paid"),
            (_, PaymentStatus::PartiallyPaid) => ("info", "status-partly-paid"),
            (_, PaymentStatus::Authorized) => ("ok", "status-authorized"),
            (_, PaymentStatus::PartiallyRefunded) => ("info", "status-partly-refunded"),
            (_, PaymentStatus::Refunded) => ("info", "status-refunded"),
            (_, PaymentStatus::Voided) => ("warn", "status-voided"),
            (_, PaymentStatus::Pending) => ("info", "status-pending"),
        };
        Self { kind, text: tongue.text(text) }
    }
}

fn line_view(line: &OrderLineAnswer, tongue: &Tongue) -> LineView {
    LineView {
        id: line.id.to_string(),
        href: product_address(&line.product_slug, &line.options),
        title: line.title.clone(),
        choice: choice(&line.options),
        picture: line.image.as_ref().map(PictureView::of),
        quantity: line.quantity.get(),
        each: (line.quantity.get() > 1).then(|| tongue.money(line.unit_price)),
        total: tongue.money(line.total),
        notices: Vec::new(),
        problem: None,
    }
}
