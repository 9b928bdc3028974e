//! Where work begins: what was sold today beside the same weekday before, and what waits for someone.

use axum::extract::State;
use axum::response::Response;
use catalog_api::{ChannelAnswer, ChannelKind};
use http::StatusCode;
use kernel::jobs::JobFigures;
use kernel::{Currency, Money, Page, Problem, Timestamp};
use orders_api::{OrderQuery, OrderState, OrderSummary, SalesAnswer, SalesOfHour, SalesQuery, endpoints};
use payments_api::PaymentStatus;
use serde::Serialize;

use crate::Office;
use crate::format::{Moment, amount, count, counted, moment, money};
use crate::jobs::up_to;
use crate::session::{Session, answer, frame};

/// How many of the newest orders are looked through for those to act on.
const LOOKED_THROUGH: u32 = 100;
/// How many orders to capture are named.
const NAMED: usize = 5;
const WEEK_SECONDS: i64 = 7 * 86_400;

/// The drawing, in its own units: 24 hours of 30, the axis beside them and below.
const LEFT: i64 = 56;
const SLOT: i64 = 28;
const TOP: i64 = 12;
const HEIGHT: i64 = 168;
const FOOT: i64 = 24;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct TodayPage {
    now: Moment,
    /// The weekday, for "last Monday".
    weekday: String,
    total: String,
    orders: String,
    then_total: String,
    then_orders: String,
    then_by_now: String,
    /// Until when "by now" goes.
    hour: String,
    /// What was sold in other currencies.
    others: Vec<String>,
    chart: Chart,
    hours: Vec<Hour>,
    to_capture: Waiting,
    pending: Waiting,
    next: Vec<ToCapture>,
    looked_through: u32,
    dead: String,
    has_dead: bool,
    late: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Chart {
    width: i64,
    height: i64,
    left: i64,
    right: i64,
    base: i64,
    label_x: i64,
    hour_y: i64,
    /// Places and words of the marks beside the drawing.
    marks: Vec<Mark>,
    hours: Vec<Mark>,
    then: Vec<Bar>,
    now: Vec<Bar>,
}

#[derive(Debug, Clone, Serialize)]
struct Mark {
    at: i64,
    words: String,
}

#[derive(Debug, Clone, Serialize)]
struct Bar {
    x: i64,
    y: i64,
    width: i64,
    height: i64,
}

#[derive(Debug, Clone, Serialize)]
struct Hour {
    name: String,
    now: String,
    then: String,
}

/// A number of orders, and whether there may be more than were looked through.
#[derive(Debug, Clone, Serialize)]
struct Waiting {
    count: String,
    any: bool,
}

#[derive(Debug, Clone, Serialize)]
struct ToCapture {
    id: String,
    name: String,
    customer: String,
    total: String,
}

/// Everything the page is made of.
#[derive(Debug, Clone)]
pub(crate) struct Stand {
    pub(crate) channels: Vec<ChannelAnswer>,
    pub(crate) sales: SalesAnswer,
    pub(crate) placed: Page<OrderSummary>,
    pub(crate) pending: Page<OrderSummary>,
    pub(crate) jobs: JobFigures,
}

pub(crate) async fn today(State(office): State<Office>, session: Session) -> Result<Response, Problem> {
    let newest = |state| OrderQuery { state: Some(state), limit: Some(LOOKED_THROUGH), ..OrderQuery::default() };
    let (placed_query, pending_query, sales_query) = (newest(OrderState::Placed), newest(OrderState::Pending), SalesQuery::default());
    let sales = answer(session.call(&endpoints::ADMIN_GET_SALES).query(&sales_query));
    let placed = answer(session.call(&endpoints::ADMIN_LIST_ORDERS).query(&placed_query));
    let pending = answer(session.call(&endpoints::ADMIN_LIST_ORDERS).query(&pending_query));
    let jobs = answer(session.call(&kernel::jobs::endpoints::ADMIN_GET_JOB_FIGURES));
    let (me, channels, sales, placed, pending, jobs) = tokio::try_join!(session.me(), session.channels(), sales, placed, pending, jobs)?;
    let stand = Stand { channels, sales: sales.body, placed: placed.body, pending: pending.body, jobs: jobs.body };
    Ok(office.templates.page(StatusCode::OK, "today.html", &frame("Today", "", me), &today_page(&stand)))
}

pub(crate) fn today_page(stand: &Stand) -> TodayPage {
    let sales = &stand.sales;
    let main = main_currency(&stand.channels, &sales.day);
    let now_hour = i32::try_from((sales.now.timestamp() - sales.begins_at.timestamp()).clamp(0, 86_399) / 3_600).unwrap_or(0);
    let (day, then) = (hours_of(&sales.day, main), hours_of(&sales.week_before, main));
    let by_now = sales.week_before.iter().filter(|sold| sold.hour < now_hour && sold.total.currency() == main);
    let to_capture: Vec<_> = stand.placed.items.iter().filter(|order| is_to_capture(order)).collect();
    let clock = |hour: i32| format!("{hour:02}:00");
    TodayPage {
        now: moment(sales.now),
        weekday: before(sales.begins_at).format("%A").to_string(),
        total: money(Money::new(day.iter().sum(), main)),
        orders: orders(&sales.day, main),
        then_total: money(Money::new(then.iter().sum(), main)),
        then_orders: orders(&sales.week_before, main),
        then_by_now: money(Money::new(by_now.map(|sold| sold.total.amount_minor()).sum(), main)),
        hour: clock(now_hour),
        others: others(&sales.day, main),
        chart: chart(&day, &then, main),
        hours: (0..24).zip(day.iter().zip(&then)).map(|(hour, (now, then))| table_row(hour, now_hour, *now, *then, main)).collect(),
        to_capture: waiting(to_capture.len(), stand.placed.next.is_some()),
        pending: waiting(stand.pending.items.len(), stand.pending.next.is_some()),
        next: to_capture.iter().rev().take(NAMED).map(|order| named(order)).collect(),
        looked_through: LOOKED_THROUGH,
        dead: up_to(stand.jobs.dead),
        has_dead: stand.jobs.dead > 0,
        late: (stand.jobs.oldest_due_seconds >= 60).then(|| counted(stand.jobs.oldest_due_seconds / 60, "minute", "minutes")),
    }
}

/// The same weekday of the week before.
fn before(day: Timestamp) -> Timestamp {
    Timestamp::from_timestamp(day.timestamp() - WEEK_SECONDS, 0).unwrap_or(day)
}

/// The currency of the first live channel; without one, whatever was sold in.
fn main_currency(channels: &[ChannelAnswer], day: &[SalesOfHour]) -> Currency {
    let live = channels.iter().find(|channel| channel.kind == ChannelKind::Live).map(|channel| channel.currency);
    live.or_else(|| day.first().map(|sold| sold.total.currency())).unwrap_or(Currency::EUR)
}

/// What was sold in each of the 24 hours, in minor units.
fn hours_of(sales: &[SalesOfHour], currency: Currency) -> Vec<i64> {
    let sold_in = |hour: i32| sales.iter().filter(move |sold| sold.hour == hour && sold.total.currency() == currency);
    (0..24).map(|hour| sold_in(hour).map(|sold| sold.total.amount_minor()).sum()).collect()
}

fn orders(sales: &[SalesOfHour], currency: Currency) -> String {
    counted(sales.iter().filter(|sold| sold.total.currency() == currency).map(|sold| sold.order_count).sum(), "order", "orders")
}

fn others(sales: &[SalesOfHour], main: Currency) -> Vec<String> {
    let mut seen: Vec<Currency> = Vec::new();
    for sold in sales {
        let currency = sold.total.currency();
        if currency != main && !seen.contains(&currency) {
            seen.push(currency);
        }
    }
    let total = |currency| money(Money::new(hours_of(sales, currency).iter().sum(), currency));
    seen.into_iter().map(|currency| format!("{}, {}", total(currency), orders(sales, currency))).collect()
}

fn is_to_capture(order: &OrderSummary) -> bool {
    matches!(order.payment_status, PaymentStatus::Authorized | PaymentStatus::PartiallyPaid)
}

fn waiting(number: usize, more: bool) -> Waiting {
    let shown = count(i64::try_from(number).unwrap_or(0));
    Waiting { count: if more { format!("{shown}+") } else { shown }, any: number > 0 }
}

fn named(order: &OrderSummary) -> ToCapture {
    ToCapture {
        id: order.id.to_string(),
        name: order.number.clone().unwrap_or_else(|| "No number yet".to_owned()),
        customer: order.name.clone(),
        total: money(order.total),
    }
}

fn table_row(hour: i32, now_hour: i32, now: i64, then: i64, currency: Currency) -> Hour {
    let figure = |minor| amount(Money::new(minor, currency));
    Hour { name: format!("{hour:02}:00"), now: if hour > now_hour { "–".to_owned() } else { figure(now) }, then: figure(then) }
}

/// Bars of both days on one scale; the earlier day's are wider and stand behind.
fn chart(day: &[i64], then: &[i64], currency: Currency) -> Chart {
    let top = round_up(day.iter().chain(then).copied().max().unwrap_or(0));
    let base = TOP + HEIGHT;
    let height = |minor: i64| i64::try_from(i128::from(minor.max(0)) * i128::from(HEIGHT) / i128::from(top)).unwrap_or(0);
    let bars = |hours: &[i64], inset: i64| -> Vec<Bar> {
        let bar = |(hour, minor): (i64, &i64)| Bar { x: LEFT + hour * SLOT + inset, y: base - height(*minor), width: SLOT - 2 * inset, height: height(*minor) };
        (0..).zip(hours).map(bar).filter(|bar| bar.height > 0).collect()
    };
    let mark = |share: i64| Mark { at: base - HEIGHT * share / 2, words: money(Money::new(top / 2 * share, currency)) };
    Chart {
        width: LEFT + 24 * SLOT,
        height: base + FOOT,
        left: LEFT,
        right: LEFT + 24 * SLOT,
        base,
        label_x: LEFT - 8,
        hour_y: base + 16,
        marks: vec![mark(1), mark(2)],
        hours: (0..4).map(|quarter| Mark { at: LEFT + quarter * 6 * SLOT, words: format!("{:02}:00", quarter * 6) }).collect(),
        then: bars(then, 4),
        now: bars(day, 8),
    }
}

/// The next 2, 4 or 10 times a power of ten: halves of it are whole too.
fn round_up(minor: i64) -> i64 {
    let mut power = 100_i64;
    while power.saturating_mul(10) < minor && power < i64::MAX / 100 {
        power *= 10;
    }
    [1, 2, 4, 10].into_iter().map(|step| power.saturating_mul(step)).find(|size| *size >= minor).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_at_a_round_figure_above_the_highest_bar() {
        assert_eq!([0, 99, 101, 250, 12_345, 40_001].map(round_up), [100, 100, 200, 400, 20_000, 100_000]);
    }

    #[test]
    fn the_highest_bar_stays_within_the_drawing_and_empty_hours_have_none() {
        let mut day = vec![0; 24];
        day.splice(3..4, [20_000]);
        let chart = chart(&day, &[0; 24], Currency::EUR);
        let bars: Vec<_> = chart.now.iter().map(|bar| (bar.x, bar.y, bar.height)).collect();
        assert_eq!(bars, [(LEFT + 3 * SLOT + 8, TOP, HEIGHT)]);
        assert!(chart.then.is_empty());
    }
}
