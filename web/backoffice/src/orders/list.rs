//! The list of orders: views, filters, and the same as a file.

use axum::extract::State;
use axum::response::Response;
use catalog_api::{ChannelAnswer, ChannelKind};
use http::StatusCode;
use identity_api::{SavedViewAnswer, SavedViewQuery, ViewedList};
use kernel::{Page, Problem, Token};
use orders_api::{OrderFigures, OrderSummary, endpoints};
use serde::Serialize;

use super::filter::{Choice, Filter, PATH, Part, View, views};
use crate::Office;
use crate::chips::{self, Chip};
use crate::csv;
use crate::fields::{Fields, Parameters};
use crate::format::{Moment, count, counted, editable, moment, money};
use crate::notice::Notice;
use crate::session::{Session, answer, frame};

/// Where the list is as a file.
pub(super) const FILE: &str = "/backoffice/orders.csv";
const LIMIT: u32 = 50;
/// Beyond this the API does not count.
const COUNTED_TO: i64 = 1_000;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ListPage {
    notice: Option<Notice>,
    tabs: Vec<Tab>,
    /// The view of one's own that is shown.
    own: Option<OwnView>,
    /// What can be kept as a view: a filter that no view has.
    keep: Option<Keep>,
    q: String,
    parts: Vec<Part>,
    states: Vec<Choice>,
    payments: Vec<Choice>,
    channels: Vec<Choice>,
    from: String,
    until: String,
    oldest_first: bool,
    file: String,
    rows: Vec<Row>,
    /// Whether a filter is set.
    filtered: bool,
    /// Why there is nothing, where a view knows.
    nothing: Option<&'static str>,
    /// Whether there is no order at all.
    first_run: bool,
    shown: String,
    first: Option<String>,
    more: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Tab {
    name: String,
    href: String,
    current: bool,
    count: Option<String>,
    hot: bool,
}

#[derive(Debug, Clone, Serialize)]
struct OwnView {
    id: String,
    /// What its deletion leaves set.
    query: String,
}

/// The form that keeps the filter as a view.
#[derive(Debug, Clone, Serialize)]
struct Keep {
    query: String,
    key: String,
    name: String,
    error: Option<String>,
    open: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Row {
    id: String,
    name: String,
    test: bool,
    created_at: Moment,
    customer: String,
    email: String,
    channel: String,
    state: Chip,
    payment: Chip,
    capture_failed: bool,
    units: String,
    total: String,
}

/// Everything the page is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stand {
    pub(crate) channels: Vec<ChannelAnswer>,
    pub(crate) figures: OrderFigures,
    pub(crate) own: Vec<SavedViewAnswer>,
    pub(crate) orders: Vec<OrderSummary>,
    pub(crate) next: Option<String>,
}

/// What a page shows beside the list: what was just done or refused, and the name typed for a view.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rendering {
    pub(crate) status: StatusCode,
    pub(crate) notice: Option<Notice>,
    pub(crate) name: Option<String>,
    pub(crate) name_error: Option<String>,
    /// The key to send again, when it is not known whether the first sending was done.
    pub(crate) key: Option<String>,
}

pub(crate) async fn list(State(office): State<Office>, session: Session, Parameters(parameters): Parameters) -> Result<Response, Problem> {
    let notice = parameters.filled("done").and_then(|done| match done.as_str() {
        "kept" => Some(Notice::done("The view is saved. It stands at the end of the row.")),
        "forgotten" => Some(Notice::done("The view is deleted. Its filter is still set: save it again to have it back.")),
        _ => None,
    });
    show(&office, &session, &parameters, Rendering { notice, ..Rendering::default() }).await
}

pub(super) async fn show(office: &Office, session: &Session, parameters: &Fields, rendering: Rendering) -> Result<Response, Problem> {
    let filter = Filter::of(parameters);
    let after = parameters.filled("after");
    let (query, views) = (filter.query(LIMIT, after.clone()), SavedViewQuery { list: ViewedList::Orders });
    let orders = answer(session.call(&endpoints::ADMIN_LIST_ORDERS).query(&query));
    let figures = answer(session.call(&endpoints::ADMIN_GET_ORDER_FIGURES));
    let own = answer(session.call(&identity_api::endpoints::LIST_SAVED_VIEWS).query(&views));
    let (me, channels, figures, own, orders) = tokio::try_join!(session.me(), session.channels(), figures, own, orders)?;
    let Page { items: orders, next } = orders.body;
    let stand = Stand { channels, figures: figures.body, own: own.body.items, orders, next };
    let status = rendering.status;
    let page = list_page(&filter, after.as_deref(), &stand, rendering);
    Ok(office.templates.page(status, "orders.html", &frame("Orders", "orders", me), &page))
}

pub(crate) fn list_page(filter: &Filter, after: Option<&str>, stand: &Stand, rendering: Rendering) -> ListPage {
    let known = views();
    let own: Vec<(&SavedViewAnswer, Filter)> = stand.own.iter().map(|view| (view, Filter::of(&Fields::parse(view.query.as_bytes())))).collect();
    let view = known.iter().find(|(_, known)| known == filter).map(|(view, _)| *view);
    let shown_own = own.iter().find(|(_, own)| own == filter && view.is_none()).map(|(view, own)| OwnView { id: view.id.to_string(), query: own.text() });
    let keep = (view.is_none() && shown_own.is_none()).then(|| Keep {
        query: filter.text(),
        key: rendering.key.unwrap_or_else(|| Token::generate().reveal()),
        open: rendering.name_error.is_some(),
        name: rendering.name.unwrap_or_default(),
        error: rendering.name_error,
    });
    let (from, until) = filter.days();
    let shown = counted(i64::try_from(stand.orders.len()).unwrap_or(0), "order", "orders");
    let further = if filter.is_oldest_first() { "newer" } else { "older" };
    let known_tabs = known.iter().filter(|(view, _)| is_shown(*view, filter, stand.figures)).map(|(view, known)| tab(*view, known, filter, stand.figures));
    let own_tabs = own.iter().map(|(view, own)| Tab { current: shown_own.as_ref().is_some_and(|shown| shown.id == view.id.to_string()), ..own_tab(view, own) });
    ListPage {
        notice: rendering.notice,
        tabs: known_tabs.chain(own_tabs).collect(),
        keep,
        q: filter.q().to_owned(),
        parts: if view.is_some() { Vec::new() } else { filter.parts(&stand.channels) },
        states: filter.states(),
        payments: filter.payments(),
        channels: filter.channels(&stand.channels),
        from: from.to_owned(),
        until: until.to_owned(),
        oldest_first: filter.is_oldest_first(),
        file: filter.address(FILE, None),
        rows: stand.orders.iter().map(|order| row(order, &stand.channels)).collect(),
        filtered: filter.is_set(),
        nothing: view.and_then(nothing),
        first_run: after.is_none(),
        shown: if stand.next.is_some() { format!("{shown}, there are {further} ones") } else { shown },
        first: after.is_some().then(|| filter.address(PATH, None)),
        more: stand.next.as_deref().map(|next| filter.address(PATH, Some(next))),
        own: shown_own,
    }
}

/// A view of failures stands there when there are any, or when it is looked at.
fn is_shown(view: View, filter: &Filter, figures: OrderFigures) -> bool {
    view != View::FailedCaptures || figures.capture_failed > 0 || filter.asks_for_failed_captures()
}

fn tab(view: View, known: &Filter, filter: &Filter, figures: OrderFigures) -> Tab {
    let number = match view {
        View::ToCapture => Some(figures.to_capture),
        View::FailedCaptures => Some(figures.capture_failed),
        View::Pending => Some(figures.pending),
        View::All | View::Placed | View::Canceled | View::Test => None,
    };
    Tab {
        name: view.name().to_owned(),
        href: known.address(PATH, None),
        current: known == filter,
        count: number.map(up_to),
        hot: view == View::FailedCaptures && figures.capture_failed > 0,
    }
}

fn own_tab(view: &SavedViewAnswer, own: &Filter) -> Tab {
    Tab { name: view.name.clone(), href: own.address(PATH, None), current: false, count: None, hot: false }
}

/// A number that is not counted beyond a bound.
pub(crate) fn up_to(number: i64) -> String {
    if number >= COUNTED_TO { format!("{} or more", count(COUNTED_TO)) } else { count(number) }
}

const fn nothing(view: View) -> Option<&'static str> {
    match view {
        View::ToCapture => Some("Nothing to capture: no money is held for any sale."),
        View::FailedCaptures => Some("No capture has failed."),
        View::Pending => Some("No order waits for its payment."),
        View::Canceled => Some("No order was canceled."),
        View::Test => Some("No order was made in a test channel."),
        View::All | View::Placed => None,
    }
}

fn row(order: &OrderSummary, channels: &[ChannelAnswer]) -> Row {
    let channel = channels.iter().find(|channel| channel.code == order.channel);
    Row {
        id: order.id.to_string(),
        name: order.number.clone().unwrap_or_else(|| "No number yet".to_owned()),
        test: order.channel_kind == ChannelKind::Test,
        created_at: moment(order.created_at),
        customer: order.name.clone(),
        email: order.email.clone(),
        channel: channel.map_or_else(|| order.channel.clone(), |channel| channel.name.clone()),
        state: order.state.into(),
        payment: chips::payment(order.state, order.payment_status),
        capture_failed: order.capture_failed,
        units: count(order.item_count),
        total: money(order.total),
    }
}

/// The list as it is filtered, as a file.
pub(crate) async fn file(session: Session, Parameters(parameters): Parameters) -> Result<Response, Problem> {
    let filter = Filter::of(&parameters);
    let first = page_of(&session, &filter, None).await?;
    let more = move |after| {
        let (session, filter) = (session.clone(), filter.clone());
        async move { page_of(&session, &filter, Some(after)).await }
    };
    let head = [
        "Order",
        "Made (UTC)",
        "Placed (UTC)",
        "Channel",
        "Channel kind",
        "State",
        "Payment",
        "Capture failed",
        "Name",
        "E-mail",
        "Units",
        "Total",
        "Currency",
        "Id",
    ];
    Ok(csv::download("orders", &head, first, cells, more))
}

async fn page_of(session: &Session, filter: &Filter, after: Option<String>) -> Result<Page<OrderSummary>, Problem> {
    let query = filter.query(kernel::MAX_PAGE, after);
    Ok(answer(session.call(&endpoints::ADMIN_LIST_ORDERS).query(&query)).await?.body)
}

fn cells(order: &OrderSummary) -> Vec<String> {
    vec![
        order.number.clone().unwrap_or_default(),
        moment(order.created_at).iso,
        order.placed_at.map(|at| moment(at).iso).unwrap_or_default(),
        order.channel.clone(),
        order.channel_kind.as_str().to_owned(),
        order.state.as_str().to_owned(),
        order.payment_status.as_str().to_owned(),
        if order.capture_failed { "yes" } else { "no" }.to_owned(),
        order.name.clone(),
        order.email.clone(),
        order.item_count.to_string(),
        editable(order.total),
        order.total.currency().to_string(),
        order.id.to_string(),
    ]
}
