//! Where work begins: what was sold today beside the same weekday before, and what waits for someone.

use axum::extract::State;
use axum::response::Response;
use catalog_api::{AdminProduct, ChannelAnswer, ChannelKind, StockBand};
use http::StatusCode;
use inventory_api::{LevelAnswer, LevelQuery, LocationAnswer};
use kernel::jobs::JobFigures;
use kernel::{Currency, Money, Page, Problem, Timestamp};
use orders_api::{OrderFigures, OrderQuery, OrderSort, OrderState, OrderSummary, SalesAnswer, SalesOfHour, SalesQuery, endpoints};
use payments_api::PaymentStatus;
use serde::Serialize;

use crate::chips::{self, Chip};
use crate::format::{Moment, amount, count, counted, moment, money, short_money};
use crate::inventory::{self, What};
use crate::session::{Session, answer, frame};
use crate::{Office, jobs, orders};

/// How many orders to act on are named.
const NAMED: u32 = 5;
/// How many scarce levels are shown.
const SCARCE: usize = 8;
/// How many are looked through for them: a variant that is scarce in one place comes with its plenty in others.
const SCARCE_LOOKED_THROUGH: u32 = 50;
const WEEK_SECONDS: i64 = 7 * 86_400;

/// The drawing, in its own units. It is stretched to the room there is; its words stand beside it as text.
const SLOT: i64 = 20;
const HEIGHT: i64 = 100;

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
    failed: Waiting,
    to_capture: Waiting,
    pending: Waiting,
    dead: Waiting,
    late: Option<String>,
    /// Captures that failed, the oldest first.
    failed_orders: Vec<ToAct>,
    /// Money to capture, the longest waiting first.
    next: Vec<ToAct>,
    scarce: Vec<Scarce>,
    /// Whether there are more scarce levels than are shown.
    more_scarce: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Chart {
    width: i64,
    height: i64,
    /// What the marks beside the drawing say, the highest first; none on days without a sale.
    marks: Vec<String>,
    then: Vec<Bar>,
    now: Vec<Bar>,
}

#[derive(Debug, Clone, Serialize)]
struct Bar {
    x: i64,
    y: i64,
    width: i64,
    height: i64,
    /// What the bar stands for.
    words: String,
}

#[derive(Debug, Clone, Serialize)]
struct Hour {
    name: String,
    now: String,
    then: String,
}

/// A number of things that wait.
#[derive(Debug, Clone, Serialize)]
struct Waiting {
    count: String,
    any: bool,
}

/// An order to act on.
#[derive(Debug, Clone, Serialize)]
struct ToAct {
    id: String,
    name: String,
    customer: String,
    total: String,
}

/// A variant that is low or sold out at a place.
#[derive(Debug, Clone, Serialize)]
struct Scarce {
    what: What,
    variant_id: String,
    location: String,
    available: String,
    state: Chip,
}

/// Everything the page is made of.
#[derive(Debug, Clone)]
pub(crate) struct Stand {
    pub(crate) channels: Vec<ChannelAnswer>,
    pub(crate) sales: SalesAnswer,
    pub(crate) figures: OrderFigures,
    pub(crate) failed: Vec<OrderSummary>,
    pub(crate) to_capture: Vec<OrderSummary>,
    pub(crate) jobs: JobFigures,
    pub(crate) levels: Page<LevelAnswer>,
    pub(crate) locations: Vec<LocationAnswer>,
    pub(crate) products: Vec<AdminProduct>,
}

pub(crate) async fn today(State(office): State<Office>, session: Session) -> Result<Response, Problem> {
    let oldest = OrderQuery { sort: Some(OrderSort::Oldest), limit: Some(NAMED), ..OrderQuery::default() };
    let held = format!("{},{}", PaymentStatus::Authorized.as_str(), PaymentStatus::PartiallyPaid.as_str());
    let capture_query = OrderQuery { state: Some(OrderState::Placed), payment_status: Some(held), ..oldest.clone() };
    let (failed_query, sales_query) = (OrderQuery { capture_failed: Some(true), ..oldest }, SalesQuery::default());
    let level_query = LevelQuery { scarce: Some(true), limit: Some(SCARCE_LOOKED_THROUGH), ..LevelQuery::default() };
    let sales = answer(session.call(&endpoints::ADMIN_GET_SALES).query(&sales_query));
    let figures = answer(session.call(&endpoints::ADMIN_GET_ORDER_FIGURES));
    let failed = answer(session.call(&endpoints::ADMIN_LIST_ORDERS).query(&failed_query));
    let to_capture = answer(session.call(&endpoints::ADMIN_LIST_ORDERS).query(&capture_query));
    let jobs = answer(session.call(&kernel::jobs::endpoints::ADMIN_GET_JOB_FIGURES));
    let levels = answer(session.call(&inventory_api::endpoints::ADMIN_LIST_LEVELS).query(&level_query));
    let (me, channels, sales, figures, failed, to_capture) = tokio::try_join!(session.me(), session.channels(), sales, figures, failed, to_capture)?;
    let (jobs, levels, locations) = tokio::try_join!(jobs, levels, inventory::locations_of(&session))?;
    let products = inventory::products_of(&session, levels.body.items.iter().map(|level| level.variant_id)).await?;
    let stand = Stand {
        channels,
        sales: sales.body,
        figures: figures.body,
        failed: failed.body.items,
        to_capture: to_capture.body.items,
        jobs: jobs.body,
        levels: levels.body,
        locations,
        products,
    };
    Ok(office.templates.page(StatusCode::OK, "today.html", &frame("Today", "", me), &today_page(&stand)))
}

pub(crate) fn today_page(stand: &Stand) -> TodayPage {
    let sales = &stand.sales;
    let main = main_currency(&stand.channels, &sales.day);
    let now_hour = i32::try_from((sales.now.timestamp() - sales.begins_at.timestamp()).clamp(0, 86_399) / 3_600).unwrap_or(0);
    let (day, then) = (hours_of(&sales.day, main), hours_of(&sales.week_before, main));
    let by_now = sales.week_before.iter().filter(|sold| sold.hour < now_hour && sold.total.currency() == main);
    let clock = |hour: i32| format!("{hour:02}:00");
    let known = inventory::by_variant(&stand.products);
    TodayPage {
        now: moment(sales.now),
        weekday: before(sales.begins_at).format("%A").to_string(),
        total: money(Money::new(day.iter().sum(), main)),
        orders: sold_orders(&sales.day, main),
        then_total: money(Money::new(then.iter().sum(), main)),
        then_orders: sold_orders(&sales.week_before, main),
        then_by_now: money(Money::new(by_now.map(|sold| sold.total.amount_minor()).sum(), main)),
        hour: clock(now_hour),
        others: others(&sales.day, main),
        chart: chart(&day, &then, main),
        hours: (0..24).zip(day.iter().zip(&then)).map(|(hour, (now, then))| table_row(hour, now_hour, *now, *then, main)).collect(),
        failed: waiting(stand.figures.capture_failed, orders::up_to),
        to_capture: waiting(stand.figures.to_capture, orders::up_to),
        pending: waiting(stand.figures.pending, orders::up_to),
        dead: waiting(stand.jobs.dead, jobs::up_to),
        late: (stand.jobs.oldest_due_seconds >= 60).then(|| counted(stand.jobs.oldest_due_seconds / 60, "minute", "minutes")),
        failed_orders: stand.failed.iter().map(named).collect(),
        // A failed capture is named once.
        next: stand.to_capture.iter().filter(|order| !order.capture_failed).map(named).collect(),
        scarce: scarce_levels(stand).take(SCARCE).map(|level| scarce(level, &stand.locations, &known)).collect(),
        more_scarce: stand.levels.next.is_some() || scarce_levels(stand).count() > SCARCE,
    }
}

fn scarce_levels(stand: &Stand) -> impl Iterator<Item = &LevelAnswer> {
    stand.levels.items.iter().filter(|level| StockBand::of(level.available) != StockBand::In)
}

fn scarce(level: &LevelAnswer, locations: &[LocationAnswer], known: &inventory::Known<'_>) -> Scarce {
    Scarce {
        what: What::of(level.variant_id, known),
        variant_id: level.variant_id.to_string(),
        location: inventory::location_name(level.location_id, locations),
        available: count(level.available),
        state: chips::available(level.available),
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

fn sold_orders(sales: &[SalesOfHour], currency: Currency) -> String {
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
    seen.into_iter().map(|currency| format!("{}, {}", total(currency), sold_orders(sales, currency))).collect()
}

fn waiting(number: i64, shown: fn(i64) -> String) -> Waiting {
    Waiting { count: shown(number), any: number > 0 }
}

fn named(order: &OrderSummary) -> ToAct {
    ToAct {
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

/// Bars of both days on one scale; the earlier day's are wider and stand behind. Without a sale there is no scale to show.
fn chart(day: &[i64], then: &[i64], currency: Currency) -> Chart {
    let most = day.iter().chain(then).copied().max().unwrap_or(0);
    let top = round_up(most);
    let height = |minor: i64| i64::try_from(i128::from(minor.max(0)) * i128::from(HEIGHT) / i128::from(top)).unwrap_or(0);
    let words = |hour: i64, minor: i64| format!("{hour:02}:00: {}", money(Money::new(minor, currency)));
    let bars = |hours: &[i64], inset: i64| -> Vec<Bar> {
        let bar = |(hour, minor): (i64, &i64)| Bar {
            x: hour * SLOT + inset,
            y: HEIGHT - height(*minor),
            width: SLOT - 2 * inset,
            height: height(*minor),
            words: words(hour, *minor),
        };
        (0..).zip(hours).map(bar).filter(|bar| bar.height > 0).collect()
    };
    let mark = |minor: i64| short_money(Money::new(minor, currency));
    Chart {
        width: 24 * SLOT,
        height: HEIGHT,
        marks: if most > 0 { vec![mark(top), mark(top / 2), mark(0)] } else { Vec::new() },
        then: bars(then, 3),
        now: bars(day, 6),
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
    fn a_day_without_a_sale_has_no_scale() {
        let chart = chart(&[0; 24], &[0; 24], Currency::EUR);
        assert!(chart.marks.is_empty() && chart.now.is_empty() && chart.then.is_empty());
    }

    #[test]
    fn the_highest_bar_stays_within_the_drawing_and_empty_hours_have_none() {
        let mut day = vec![0; 24];
        day.splice(3..4, [20_000]);
        let chart = chart(&day, &[0; 24], Currency::EUR);
        let bars: Vec<_> = chart.now.iter().map(|bar| (bar.x, bar.y, bar.height)).collect();
        assert_eq!(bars, [(3 * SLOT + 6, 0, HEIGHT)]);
        assert!(chart.then.is_empty());
        assert_eq!(chart.marks, ["€200", "€100", "€0"]);
        assert_eq!(chart.now.first().map(|bar| bar.words.as_str()), Some("03:00: €200.00"));
    }
}
