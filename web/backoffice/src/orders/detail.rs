//! One order: where it stands, what to do next, and figures that explain themselves.

use axum::extract::State;
use axum::response::Response;
use catalog_api::{ChannelAnswer, ChannelKind};
use http::StatusCode;
use kernel::{Currency, Money, Problem, Token};
use orders_api::{Address, AdminOrder, OrderId, OrderLineAnswer, OrderState, TimelineEntryId, endpoints};
use payments_api::{AttemptAnswer, AttemptState, CaptureAnswer, CaptureState, PaymentStatus, VoidAnswer, VoidState};
use platform::http::Path;
use serde::Serialize;

use super::timeline::{Change, Entry, newest_first, since};
use crate::Office;
use crate::carried::Carried;
use crate::chips::{self, Chip, HELD};
use crate::fields::Parameters;
use crate::format::{Moment, amount, count, counted, editable, initials, moment, money, symbol};
use crate::notice::{Notice, sentence};
use crate::picture::{self, Picture};
use crate::session::{Session, answer, frame};
use crate::templates::Me;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct OrderPage {
    id: String,
    name: String,
    state: Chip,
    test: bool,
    notice: Option<Notice>,
    changes: Vec<Change>,
    payment: Payment,
    units: String,
    line_count: String,
    destination: String,
    delivery_name: String,
    next: String,
    /// Whether the next step is to look at something that failed.
    next_is_bad: bool,
    can_capture: bool,
    can_cancel: bool,
    capturable: String,
    capture_amount: String,
    amount_error: Option<String>,
    cancel_consequence: String,
    reason: String,
    reason_error: Option<String>,
    currency: String,
    currency_sign: String,
    lines: Vec<Line>,
    subtotal: String,
    delivery_price: String,
    total: String,
    account: Vec<AccountRow>,
    payments: Vec<PaymentRow>,
    comment: String,
    comment_error: Option<String>,
    timeline: Vec<Entry>,
    customer: Customer,
    shipping: Vec<String>,
    /// Nothing when it is the shipping address.
    billing: Option<Vec<String>>,
    created_at: Moment,
    placed_at: Option<Moment>,
    channel: String,
    provider: Option<String>,
    cancel_reason: Option<String>,
    form: Carried,
    /// The last entry of the timeline this page shows: what comes after it is news.
    seen: String,
    /// The dialog that is open; the notice is then in it.
    open: Option<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct Payment {
    chip: Chip,
    sentence: String,
    /// How much of the bar is captured, and how much held: `72.9%`.
    captured_share: String,
    held_share: String,
    authorized: String,
    captured: String,
    in_flight: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Line {
    product_id: String,
    title: String,
    options: String,
    sku: String,
    image: Option<Picture>,
    quantity: String,
    unit_price: String,
    total: String,
}

#[derive(Debug, Clone, Serialize)]
struct AccountRow {
    class: &'static str,
    label: &'static str,
    amount: String,
}

#[derive(Debug, Clone, Serialize)]
struct PaymentRow {
    class: &'static str,
    is_attempt: bool,
    what: String,
    detail: Option<String>,
    state: Chip,
    at: Option<Moment>,
    amount: String,
}

#[derive(Debug, Clone, Serialize)]
struct Customer {
    name: String,
    initials: String,
    email: String,
    phone: Option<String>,
}

/// What a page shows beside the order itself: what was just done or refused, and what was typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rendering {
    pub(crate) status: StatusCode,
    pub(crate) notice: Option<Notice>,
    pub(crate) open: Option<&'static str>,
    /// Set when somebody else changed the order: the last entry the page showed before.
    pub(crate) conflict: Option<Option<TimelineEntryId>>,
    pub(crate) amount: Option<String>,
    pub(crate) amount_error: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) reason_error: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) comment_error: Option<String>,
    /// The key to send again, when it is not known whether the first sending was done.
    pub(crate) key: Option<String>,
}

/// An order's money as the page reckons with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    captured: Money,
    /// Captures asked for and not answered.
    in_flight: Money,
    /// Held and free to be captured.
    capturable: Money,
}

pub(crate) async fn detail(
    State(office): State<Office>,
    session: Session,
    Path(id): Path<OrderId>,
    Parameters(parameters): Parameters,
) -> Result<Response, Problem> {
    let (me, channels, order) = tokio::try_join!(session.me(), session.channels(), find(&session, id))?;
    let notice = parameters.filled("done").and_then(|done| done_notice(&done, &order));
    Ok(show(&office, me, &channels, &order, Rendering { notice, ..Rendering::default() }))
}

/// Shows the order as it is now, with what a form brought.
pub(super) async fn show_again(office: &Office, session: &Session, id: OrderId, rendering: Rendering) -> Result<Response, Problem> {
    let (me, channels, order) = tokio::try_join!(session.me(), session.channels(), find(session, id))?;
    Ok(show(office, me, &channels, &order, rendering))
}

pub(super) async fn find(session: &Session, id: OrderId) -> Result<AdminOrder, Problem> {
    answer(session.call(&endpoints::ADMIN_GET_ORDER).param("id", id)).await.map(|answer| answer.body)
}

fn show(office: &Office, me: Me, channels: &[ChannelAnswer], order: &AdminOrder, rendering: Rendering) -> Response {
    let status = rendering.status;
    let page = order_page(order, channels, rendering);
    office.templates.page(status, "order.html", &frame(page.name.clone(), "orders", me), &page)
}

pub(crate) fn order_page(admin: &AdminOrder, channels: &[ChannelAnswer], rendering: Rendering) -> OrderPage {
    let order = &admin.order;
    let currency = order.currency;
    let figures = figures(admin);
    let can_capture = order.state == OrderState::Placed && figures.capturable.amount_minor() > 0;
    let can_cancel = order.state == OrderState::Placed && figures.captured.is_zero() && figures.in_flight.is_zero();
    let line_count = i64::try_from(order.lines.len()).unwrap_or(0);
    let channel = channels.iter().find(|channel| channel.id == admin.channel_id);
    OrderPage {
        id: order.id.to_string(),
        name: name(admin),
        state: order.state.into(),
        test: admin.channel_kind == ChannelKind::Test,
        changes: rendering.conflict.map(|seen| since(&admin.timeline, seen)).unwrap_or_default(),
        payment: payment(admin, figures),
        units: counted(order.totals.item_count, "unit", "units"),
        line_count: counted(line_count, "line", "lines"),
        destination: format!("{}, {}", order.shipping_address.city, order.shipping_address.country),
        delivery_name: order.delivery_name.clone(),
        next: next(admin, figures),
        next_is_bad: order.state == OrderState::Placed && failed_capture(admin, figures).is_some(),
        can_capture,
        can_cancel,
        capturable: money(figures.capturable),
        capture_amount: rendering.amount.unwrap_or_else(|| editable(figures.capturable)),
        amount_error: rendering.amount_error,
        cancel_consequence: cancel_consequence(admin),
        notice: rendering.notice.map(|notice| keep_typed(notice, rendering.reason.as_deref().filter(|_| !can_cancel))),
        reason: rendering.reason.unwrap_or_default(),
        reason_error: rendering.reason_error,
        currency: currency.to_string(),
        currency_sign: symbol(currency).map_or_else(|| currency.to_string(), ToOwned::to_owned),
        lines: order.lines.iter().map(line).collect(),
        subtotal: amount(order.totals.subtotal),
        delivery_price: amount(order.totals.delivery),
        total: amount(order.totals.total),
        account: account(admin, figures),
        payments: payments(admin),
        comment: rendering.comment.unwrap_or_default(),
        comment_error: rendering.comment_error,
        timeline: newest_first(&admin.timeline),
        customer: Customer {
            name: order.shipping_address.name.clone(),
            initials: initials(&order.shipping_address.name),
            email: order.email.clone(),
            phone: order.shipping_address.phone.clone(),
        },
        shipping: address_lines(&order.shipping_address),
        billing: (order.billing_address != order.shipping_address).then(|| address_lines(&order.billing_address)),
        created_at: moment(order.created_at),
        placed_at: order.placed_at.map(moment),
        channel: channel.map_or_else(|| admin.channel_id.to_string(), |channel| channel.name.clone()),
        provider: order.payment_provider.as_deref().map(words),
        cancel_reason: order.cancel_reason.as_deref().map(words),
        form: Carried { version: admin.version, key: rendering.key.unwrap_or_else(|| Token::generate().reveal()) },
        seen: admin.timeline.last().map(|entry| entry.id.to_string()).unwrap_or_default(),
        open: rendering.open.filter(|dialog| if *dialog == "capture" { can_capture } else { can_cancel }),
    }
}

/// How an order is called.
pub(super) fn name(admin: &AdminOrder) -> String {
    admin.order.number.clone().unwrap_or_else(|| "Order without a number".to_owned())
}

fn keep_typed(notice: Notice, typed: Option<&str>) -> Notice {
    match typed.filter(|typed| !typed.is_empty()) {
        Some(typed) => notice.with(format!("You typed: {typed}")),
        None => notice,
    }
}

pub(super) fn figures(admin: &AdminOrder) -> Figures {
    let currency = admin.order.currency;
    let captures = admin.payment.attempts.iter().flat_map(|attempt| &attempt.captures);
    let in_flight = sum(currency, captures.filter(|capture| is_in_flight(capture)));
    let held = less(less(admin.payment.authorized, admin.payment.captured), in_flight);
    let gone = matches!(admin.payment.status, PaymentStatus::Voided | PaymentStatus::Refunded) || held.amount_minor() < 0;
    Figures { captured: admin.payment.captured, in_flight, capturable: if gone { Money::zero(currency) } else { held } }
}

fn is_in_flight(capture: &CaptureAnswer) -> bool {
    matches!(capture.state, CaptureState::Requested | CaptureState::Unknown)
}

/// Sums that do not fit are shown as nothing; the API refuses what does not add up.
fn sum<'a>(currency: Currency, captures: impl Iterator<Item = &'a CaptureAnswer>) -> Money {
    Money::sum(currency, captures.map(|capture| capture.amount)).unwrap_or(Money::zero(currency))
}

fn less(left: Money, right: Money) -> Money {
    left.checked_sub(right).unwrap_or(Money::zero(left.currency()))
}

fn payment(admin: &AdminOrder, figures: Figures) -> Payment {
    let whole = admin.order.totals.total.amount_minor().max(admin.payment.authorized.amount_minor());
    Payment {
        chip: payment_chip(admin),
        sentence: payment_sentence(admin, figures),
        captured_share: share(figures.captured, whole),
        held_share: share(less(admin.payment.authorized, figures.captured), whole),
        authorized: amount(admin.payment.authorized),
        captured: amount(figures.captured),
        in_flight: (!figures.in_flight.is_zero()).then(|| amount(figures.in_flight)),
    }
}

/// An order that was never paid says whether the provider said no.
fn payment_chip(admin: &AdminOrder) -> Chip {
    if is_declined(admin) { chips::DECLINED } else { chips::payment(admin.order.state, admin.payment.status) }
}

fn is_declined(admin: &AdminOrder) -> bool {
    let is_over = admin.order.state == OrderState::Canceled && admin.payment.status == PaymentStatus::Pending;
    is_over && last_attempt(admin).is_some_and(|attempt| attempt.state == AttemptState::Failed)
}

fn last_attempt(admin: &AdminOrder) -> Option<&AttemptAnswer> {
    admin.payment.attempts.last()
}

/// The newest capture, if it came to nothing and its money is still there to be captured.
fn failed_capture(admin: &AdminOrder, figures: Figures) -> Option<&CaptureAnswer> {
    let captures = admin.payment.attempts.iter().flat_map(|attempt| &attempt.captures);
    let newest = captures.max_by_key(|capture| (capture.created_at, capture.id))?;
    (newest.state == CaptureState::Failed && !figures.capturable.is_zero()).then_some(newest)
}

/// Which part of `whole` an amount is, from `0.0%` to `100.0%`.
fn share(part: Money, whole: i64) -> String {
    let permille = if whole > 0 { i128::from(part.amount_minor()) * 1_000 / i128::from(whole) } else { 0 };
    let permille = permille.clamp(0, 1_000);
    format!("{}.{}%", permille / 10, permille % 10)
}

fn payment_sentence(admin: &AdminOrder, figures: Figures) -> String {
    match admin.payment.status {
        PaymentStatus::Pending if is_declined(admin) => {
            let why = last_attempt(admin).and_then(|attempt| attempt.failure_code.as_deref()).map(words);
            format!("The provider said no{}. No money was taken.", why.map(|why| format!(": {}", why.to_lowercase())).unwrap_or_default())
        }
        PaymentStatus::Pending if admin.order.state == OrderState::Canceled => "It was never paid. No money is held.".to_owned(),
        PaymentStatus::Pending => "No money is held yet.".to_owned(),
        PaymentStatus::Voided => "What was held is let go.".to_owned(),
        _ => {
            let captured = format!("{} of {} captured.", money(figures.captured), money(admin.order.totals.total));
            let held = (!figures.capturable.is_zero()).then(|| format!("{} is held.", money(figures.capturable)));
            let in_flight = (!figures.in_flight.is_zero()).then(|| format!("{} is asked for and not answered yet.", money(figures.in_flight)));
            [Some(captured), held, in_flight].into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
    }
}

fn next(admin: &AdminOrder, figures: Figures) -> String {
    let last = last_attempt(admin).map(|attempt| attempt.state);
    if let Some(failed) = failed_capture(admin, figures).filter(|_| admin.order.state == OrderState::Placed && figures.in_flight.is_zero()) {
        let why = failed.failure_code.as_deref().map(|code| format!(": {}", words(code).to_lowercase())).unwrap_or_default();
        return format!("The capture of {} failed{why}. Try it again, or find out why before the goods leave.", money(failed.amount));
    }
    match (admin.order.state, last) {
        (OrderState::Pending, Some(AttemptState::RequiresAction)) => "The shopper has to confirm the payment. Nothing to do here.".to_owned(),
        (OrderState::Pending, Some(AttemptState::Created | AttemptState::Processing)) => {
            "The payment provider has not answered yet. It settles by itself.".to_owned()
        }
        (OrderState::Pending, _) => "Waiting for the payment.".to_owned(),
        (OrderState::Placed, _) if !figures.in_flight.is_zero() => "A capture has no answer yet. It settles by itself.".to_owned(),
        (OrderState::Placed, _) if !figures.capturable.is_zero() => format!("Capture {} when the goods leave.", money(figures.capturable)),
        (OrderState::Placed, _) if admin.payment.status == PaymentStatus::Paid => "Nothing to do: all of it is captured.".to_owned(),
        (OrderState::Placed, _) => "No money is held. Find out why before the goods leave.".to_owned(),
        (OrderState::Closed, _) => "Nothing to do: the order is closed.".to_owned(),
        (OrderState::Canceled, _) => "Nothing to do: the order is canceled.".to_owned(),
        (OrderState::Draft, _) => "The draft is not sent yet.".to_owned(),
    }
}

fn cancel_consequence(admin: &AdminOrder) -> String {
    let units = counted(admin.order.totals.item_count, "unit becomes", "units become");
    let money = money(admin.payment.authorized);
    format!("{units} available again and the hold on {money} is let go. It counts as no sale any more.")
}

fn line(line: &OrderLineAnswer) -> Line {
    Line {
        product_id: line.product_id.to_string(),
        title: line.title.clone(),
        options: line.options.values().cloned().collect::<Vec<_>>().join(", "),
        sku: line.sku.clone(),
        image: line.image.as_ref().map(picture::thumb),
        quantity: count(line.quantity.into()),
        unit_price: amount(line.unit_price),
        total: amount(line.total),
    }
}

/// What is captured and what is owed, below the total.
fn account(admin: &AdminOrder, figures: Figures) -> Vec<AccountRow> {
    if !matches!(admin.order.state, OrderState::Placed | OrderState::Closed) {
        return Vec::new();
    }
    let total = admin.order.totals.total;
    let negative = |money: Money| amount(less(Money::zero(money.currency()), money));
    let captured = AccountRow { class: "thin", label: "Captured", amount: negative(figures.captured) };
    let in_flight = AccountRow { class: "", label: "Asked for, not answered yet", amount: negative(figures.in_flight) };
    let owed = AccountRow { class: "owed", label: "Not captured", amount: amount(less(less(total, figures.captured), figures.in_flight)) };
    [Some(captured), (!figures.in_flight.is_zero()).then_some(in_flight), Some(owed)].into_iter().flatten().collect()
}

/// Each attempt with what was captured of it or let go below it.
fn payments(admin: &AdminOrder) -> Vec<PaymentRow> {
    admin.payment.attempts.iter().zip(1_i64..).flat_map(|(attempt, number)| attempt_rows(attempt, number)).collect()
}

fn attempt_rows(attempt: &AttemptAnswer, number: i64) -> Vec<PaymentRow> {
    let rows = std::iter::once(attempt_row(attempt, number)).chain(attempt.captures.iter().map(capture_row));
    rows.chain(attempt.void.as_ref().map(|void| void_row(attempt, void))).chain(held_row(attempt)).collect()
}

fn attempt_row(attempt: &AttemptAnswer, number: i64) -> PaymentRow {
    let ended = matches!(attempt.state, AttemptState::Failed | AttemptState::Canceled | AttemptState::Expired);
    PaymentRow {
        class: if ended { "parent off" } else { "parent" },
        is_attempt: true,
        what: format!("{}, attempt {number}", words(&attempt.provider)),
        detail: joined([attempt.failure_code.as_deref().map(words), attempt.provider_reference.clone()]),
        state: attempt.state.into(),
        at: Some(moment(attempt.created_at)),
        amount: amount(attempt.amount),
    }
}

fn capture_row(capture: &CaptureAnswer) -> PaymentRow {
    let settles = (capture.state == CaptureState::Unknown).then(|| "settles by itself".to_owned());
    let detail = joined([capture.failure_code.as_deref().map(words), settles]);
    child("Capture", detail, capture.state.into(), Some(moment(capture.created_at)), capture.amount)
}

fn void_row(attempt: &AttemptAnswer, void: &VoidAnswer) -> PaymentRow {
    let settles = (void.state == VoidState::Unknown).then(|| "settles by itself".to_owned());
    let detail = joined([void.failure_code.as_deref().map(words), settles]);
    child("Let go", detail, void.state.into(), Some(moment(void.created_at)), less(attempt.amount, taken_of(attempt)))
}

/// What is held of an attempt and neither captured nor let go.
fn held_row(attempt: &AttemptAnswer) -> Option<PaymentRow> {
    let rest = less(attempt.amount, taken_of(attempt));
    let is_let_go = attempt.void.as_ref().is_some_and(|void| void.state != VoidState::Failed);
    let is_held = attempt.state == AttemptState::Authorized && rest.amount_minor() > 0 && !is_let_go;
    is_held.then(|| child("Still held", None, HELD, None, rest))
}

fn taken_of(attempt: &AttemptAnswer) -> Money {
    sum(attempt.amount.currency(), attempt.captures.iter().filter(|capture| capture.state != CaptureState::Failed))
}

fn child(what: &str, detail: Option<String>, state: Chip, at: Option<Moment>, of: Money) -> PaymentRow {
    PaymentRow { class: "child", is_attempt: false, what: what.to_owned(), detail, state, at, amount: amount(of) }
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// A stable code as a person reads it.
fn words(code: &str) -> String {
    sentence(&code.replace('_', " ")).trim_end_matches('.').to_owned()
}

fn address_lines(address: &Address) -> Vec<String> {
    let town = format!("{} {}", address.postcode, address.city).trim().to_owned();
    [
        Some(address.name.clone()),
        address.company.clone(),
        Some(address.street.clone()),
        address.extra.clone(),
        Some(town),
        address.region.clone(),
        Some(address.country.to_string()),
    ]
    .into_iter()
    .flatten()
    .filter(|line| !line.trim().is_empty())
    .collect()
}

/// What a redirect after a form says, told from the order as it is and not from the address.
fn done_notice(done: &str, order: &AdminOrder) -> Option<Notice> {
    match done {
        "capture" => {
            let captures = order.payment.attempts.iter().flat_map(|attempt| &attempt.captures);
            let last = captures.max_by_key(|capture| (capture.created_at, capture.id))?;
            Some(match last.state {
                CaptureState::Succeeded => Notice::done(format!("Captured {}.", money(last.amount))),
                CaptureState::Requested | CaptureState::Unknown => {
                    Notice::look(format!("The provider has not answered for {} yet.", money(last.amount)), "It settles by itself; there is nothing to repeat.")
                }
                CaptureState::Failed => Notice::refused(format!("The provider refused to capture {}.", money(last.amount)), "Nothing was taken."),
            })
        }
        "cancel" if order.order.state == OrderState::Canceled => Some(Notice::done("The order is canceled.")),
        "comment" => Some(Notice::done("The comment is in the timeline.")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_the_bar_never_leave_it() {
        let euro = |minor| Money::new(minor, Currency::EUR);
        assert_eq!(share(euro(17_315), 23_750), "72.9%");
        assert_eq!(share(euro(5), 0), "0.0%");
        assert_eq!(share(euro(-5), 10), "0.0%");
        assert_eq!(share(euro(i64::MAX), 1), "100.0%");
    }
}
