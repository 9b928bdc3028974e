//! The list of orders.

use axum::extract::State;
use axum::response::Response;
use catalog_api::{ChannelAnswer, ChannelKind};
use http::StatusCode;
use kernel::{Page, Problem};
use orders_api::{OrderQuery, OrderState, OrderSummary, endpoints};
use serde::Serialize;

use crate::Office;
use crate::chips::Chip;
use crate::fields::{Fields, Parameters, address};
use crate::format::{Moment, count, counted, moment, money};
use crate::session::{Session, answer, frame};

const PATH: &str = "/backoffice/orders";
const LIMIT: u32 = 50;
/// The states an order can be listed by; drafts come with the service that makes them.
const STATES: [OrderState; 4] = [OrderState::Placed, OrderState::Pending, OrderState::Closed, OrderState::Canceled];

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ListPage {
    tabs: Vec<Tab>,
    state: Option<&'static str>,
    q: String,
    channels: Vec<ChannelChoice>,
    rows: Vec<Row>,
    /// Whether a filter is set.
    filtered: bool,
    /// Whether there is no order at all.
    first_run: bool,
    shown: String,
    newest: Option<String>,
    older: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Tab {
    name: &'static str,
    href: String,
    current: bool,
}

#[derive(Debug, Clone, Serialize)]
struct ChannelChoice {
    code: String,
    name: String,
    chosen: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Row {
    id: String,
    name: String,
    test: bool,
    created_at: Moment,
    customer: String,
    email: String,
    state: Chip,
    payment: Chip,
    units: String,
    total: String,
}

pub(crate) async fn list(State(office): State<Office>, session: Session, Parameters(parameters): Parameters) -> Result<Response, Problem> {
    let query = query_of(&parameters);
    let orders = answer(session.call(&endpoints::ADMIN_LIST_ORDERS).query(&query));
    let (me, channels, orders) = tokio::try_join!(session.me(), session.channels(), orders)?;
    let page = list_page(&query, channels, orders.body);
    Ok(office.templates.page(StatusCode::OK, "orders.html", &frame("Orders", "orders", me), &page))
}

/// What the address asks for. What it does not know is left out rather than refused: the list is the way back from a mistake.
fn query_of(parameters: &Fields) -> OrderQuery {
    let state = parameters.filled("state");
    OrderQuery {
        q: parameters.filled("q"),
        state: STATES.into_iter().find(|known| state.as_deref() == Some(known.as_str())),
        channel: parameters.filled("channel"),
        limit: Some(LIMIT),
        after: parameters.filled("after"),
    }
}

pub(crate) fn list_page(query: &OrderQuery, channels: Vec<ChannelAnswer>, orders: Page<OrderSummary>) -> ListPage {
    let at = |state: Option<OrderState>, after: Option<&str>| {
        address(PATH, &[("q", query.q.as_deref()), ("state", state.map(OrderState::as_str)), ("channel", query.channel.as_deref()), ("after", after)])
    };
    let tab = |name, state: Option<OrderState>| Tab { name, href: at(state, None), current: query.state == state };
    let filtered = query.q.is_some() || query.state.is_some() || query.channel.is_some();
    let shown = counted(i64::try_from(orders.items.len()).unwrap_or(0), "order", "orders");
    ListPage {
        tabs: std::iter::once(tab("All", None)).chain(STATES.into_iter().map(|state| tab(Chip::from(state).word, Some(state)))).collect(),
        state: query.state.map(OrderState::as_str),
        q: query.q.clone().unwrap_or_default(),
        channels: channels.into_iter().map(|channel| choice(channel, query.channel.as_deref())).collect(),
        filtered,
        first_run: query.after.is_none(),
        shown: if orders.next.is_some() { format!("{shown}, there are older ones") } else { shown },
        newest: query.after.is_some().then(|| at(query.state, None)),
        older: orders.next.as_deref().map(|next| at(query.state, Some(next))),
        rows: orders.items.into_iter().map(row).collect(),
    }
}

fn choice(channel: ChannelAnswer, chosen: Option<&str>) -> ChannelChoice {
    let kind = if channel.kind == ChannelKind::Test { ", test" } else { "" };
    ChannelChoice { chosen: chosen == Some(&channel.code), name: format!("{} ({}{kind})", channel.name, channel.code), code: channel.code }
}

fn row(order: OrderSummary) -> Row {
    Row {
        id: order.id.to_string(),
        name: order.number.unwrap_or_else(|| "No number yet".to_owned()),
        test: order.channel_kind == ChannelKind::Test,
        created_at: moment(order.created_at),
        customer: order.name,
        email: order.email,
        state: order.state.into(),
        payment: order.payment_status.into(),
        units: count(order.item_count),
        total: money(order.total),
    }
}
