//! The routes: a guest's order; staff's list, sales, detail, capture, cancel and comment.

use axum::extract::{Extension, State};
use chrono::TimeDelta;
use kernel::{Page, PageQuery, Problem, Timestamp, Token, headers};
use orders_api::{AdminOrder, CancelOrder, CaptureOrder, CommentOrder, OrderAnswer, OrderFigures, OrderId, OrderQuery, OrderSummary, SalesAnswer, SalesQuery};
use payments::Payments;
use platform::http::{Path, Query};
use service::{Answer, Call, Command, Context, Failure, Permission, Staff};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actions::{self, Request};
use crate::store::OrderFilter;
use crate::{answer, domain, store};

/// The longest search and channel code that are looked for.
const MAX_QUERY_CHARS: usize = 254;

/// The routes of shoppers.
pub(crate) fn store_routes(context: &Context) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(get_order)).with_state(context.clone())
}

/// The routes of staff.
pub(crate) fn admin_routes(context: &Context, payments: &Payments) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_orders))
        .routes(routes!(get_order_figures))
        .routes(routes!(get_sales))
        .routes(routes!(get_admin_order))
        .routes(routes!(capture_order))
        .routes(routes!(cancel_order))
        .routes(routes!(comment_order))
        .layer(Extension(payments.clone()))
        .with_state(context.clone())
}

/// A guest's order; it opens with the secret of the cart it was made of.
#[utoipa::path(
    get,
    path = "/store/v1/orders/{id}",
    tag = "orders",
    params(("id" = OrderId, Path), ("X-Order-Token" = Token, Header, description = "The secret of the order's cart.")),
    responses((status = 200, body = OrderAnswer), (status = 404, description = "`order_not_found`: unknown, or the wrong secret.", body = Problem))
)]
async fn get_order(State(context): State<Context>, Path(id): Path<OrderId>, call: Call) -> Result<Answer, Failure> {
    let secret = call.secret(headers::ORDER_TOKEN, "order")?.hash();
    // The writer: a shopper is led here in the moment after the commit.
    let mut conn = context.db().read_latest().await?;
    let row = store::find_order(&mut conn, id).await?.filter(|row| secret.matches(&row.token_hash)).ok_or_else(not_found)?;
    Answer::ok(&answer::order(&mut conn, row).await?)
}

/// Orders, newest first; of live channels only, unless a channel or a kind is named.
#[utoipa::path(
    get,
    path = "/admin/v1/orders",
    tag = "orders",
    params(OrderQuery),
    responses(
        (status = 200, body = Page<OrderSummary>),
        (status = 400, description = "`invalid_query`", body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    )
)]
async fn list_orders(State(context): State<Context>, staff: Staff, Query(query): Query<OrderQuery>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let page = PageQuery { limit: query.limit, after: query.after };
    let payment = searched("payment_status", query.payment_status)?.map_or(Some(Vec::new()), |text| domain::payment_statuses(&text));
    let filter = OrderFilter {
        q: searched("q", query.q)?,
        state: query.state,
        channel: searched("channel", query.channel)?,
        kind: query.kind,
        payment: payment.ok_or_else(|| Problem::invalid_query("payment_status", "must be one status or several, parted by commas"))?,
        capture_failed: query.capture_failed,
        from: day("from", query.from)?,
        before: day("until", query.until)?.map(|day| day + TimeDelta::days(1)),
        sort: query.sort.unwrap_or_default(),
        after: answer::after(&page)?,
    };
    let mut conn = context.db().read_latest().await?;
    Answer::ok(&answer::list(&mut conn, &filter, page.limit()?).await?)
}

/// How many orders of live channels wait for somebody.
#[utoipa::path(
    get,
    path = "/admin/v1/order-figures",
    tag = "orders",
    responses((status = 200, body = OrderFigures), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn get_order_figures(State(context): State<Context>, staff: Staff) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    // The writer, as for the list: whoever captured a moment ago sees it counted.
    let mut conn = context.db().read_latest().await?;
    Answer::ok(&store::figures(&mut conn).await?)
}

/// The sales of a day and of the same weekday before, by hour; of live channels only.
#[utoipa::path(
    get,
    path = "/admin/v1/sales",
    tag = "orders",
    params(SalesQuery),
    responses(
        (status = 200, body = SalesAnswer),
        (status = 400, description = "`invalid_query`", body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    )
)]
async fn get_sales(State(context): State<Context>, staff: Staff, Query(query): Query<SalesQuery>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let now = context.now();
    let begins_at = query.day.as_deref().map_or(Some(domain::first_moment(now)), domain::day).ok_or_else(|| not_a_day("day"))?;
    let (day, week) = (TimeDelta::days(1), TimeDelta::days(7));
    let mut conn = context.db().read().await?;
    let sales = SalesAnswer {
        begins_at,
        now,
        day: store::list_sales(&mut conn, begins_at, begins_at + day).await?,
        week_before: store::list_sales(&mut conn, begins_at - week, begins_at - week + day).await?,
    };
    Answer::ok(&sales)
}

/// One order with payments and timeline.
#[utoipa::path(
    get,
    path = "/admin/v1/orders/{id}",
    tag = "orders",
    params(("id" = OrderId, Path)),
    responses((status = 200, body = AdminOrder), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem))
)]
async fn get_admin_order(State(context): State<Context>, staff: Staff, Path(id): Path<OrderId>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let mut conn = context.db().read_latest().await?;
    let row = store::find_order(&mut conn, id).await?.ok_or_else(not_found)?;
    let order = answer::admin_order(&mut conn, row).await?;
    Ok(Answer::ok(&order)?.version(order.version))
}

/// Captures held money, the whole or a part. What the provider has not answered in time stands as `unknown` and settles by itself.
#[utoipa::path(
    post,
    path = "/admin/v1/orders/{id}/capture",
    tag = "orders",
    params(
        ("id" = OrderId, Path),
        ("If-Match" = String, Header, description = "The version the decision was made on."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless.")
    ),
    request_body = CaptureOrder,
    responses(
        (status = 200, body = AdminOrder),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, description = "`order_not_found`", body = Problem),
        (status = 409, description = "`order_not_placed`, `nothing_to_capture`, `capture_exceeds_authorized` (`context.available`), `in_progress`", body = Problem),
        (status = 412, description = "`stale_version`", body = Problem),
        (status = 422, description = "`invalid_body`, `idempotency_key_reused`", body = Problem),
        (status = 428, description = "`version_required`", body = Problem),
    )
)]
async fn capture_order(
    State(context): State<Context>,
    Extension(payments): Extension<Payments>,
    staff: Staff,
    Path(id): Path<OrderId>,
    command: Command<CaptureOrder>,
) -> Result<Answer, Failure> {
    let (request, body) = request(&staff, id, command)?;
    let work = actions::perform(context.clone(), payments, request, move |tx, id, version| {
        Box::pin(async move { actions::write_capture(tx, id, version, &body).await })
    });
    context.detached("capture", work).await
}

/// Cancels an order of which nothing is captured: its stock is for sale again, its money is let go.
#[utoipa::path(
    post,
    path = "/admin/v1/orders/{id}/cancel",
    tag = "orders",
    params(
        ("id" = OrderId, Path),
        ("If-Match" = String, Header, description = "The version the decision was made on."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless.")
    ),
    request_body = CancelOrder,
    responses(
        (status = 200, body = AdminOrder),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, description = "`order_not_found`", body = Problem),
        (status = 409, description = "`order_not_placed`, `already_captured`, `in_progress`", body = Problem),
        (status = 412, description = "`stale_version`", body = Problem),
        (status = 422, description = "`invalid_body`, `idempotency_key_reused`", body = Problem),
        (status = 428, description = "`version_required`", body = Problem),
    )
)]
async fn cancel_order(
    State(context): State<Context>,
    Extension(payments): Extension<Payments>,
    staff: Staff,
    Path(id): Path<OrderId>,
    command: Command<CancelOrder>,
) -> Result<Answer, Failure> {
    let (request, body) = request(&staff, id, command)?;
    let work = actions::perform(context.clone(), payments, request, move |tx, id, version| {
        Box::pin(async move { actions::write_cancel(tx, id, version, body.reason.as_deref()).await })
    });
    context.detached("cancel", work).await
}

/// Adds a comment to the timeline.
#[utoipa::path(
    post,
    path = "/admin/v1/orders/{id}/comments",
    tag = "orders",
    params(
        ("id" = OrderId, Path),
        ("If-Match" = String, Header, description = "The version that was commented on."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless.")
    ),
    request_body = CommentOrder,
    responses(
        (status = 200, body = AdminOrder),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, description = "`order_not_found`", body = Problem),
        (status = 412, description = "`stale_version`", body = Problem),
        (status = 422, description = "`invalid_body`, `idempotency_key_reused`", body = Problem),
        (status = 428, description = "`version_required`", body = Problem),
    )
)]
async fn comment_order(State(context): State<Context>, staff: Staff, Path(id): Path<OrderId>, command: Command<CommentOrder>) -> Result<Answer, Failure> {
    staff.require(Permission::HandleOrders)?;
    let version = command.call.require_match()?;
    let Command { body, call, key } = command;
    context
        .mutate(&call, key, move |tx| {
            Box::pin(async move {
                actions::comment(tx, id, version, &body.text).await?;
                actions::answer_order(tx, id).await
            })
        })
        .await
}

/// What every request of staff that ends at the provider needs.
fn request<T>(staff: &Staff, order: OrderId, command: Command<T>) -> Result<(Request, T), Problem> {
    staff.require(Permission::HandleOrders)?;
    let version = command.call.require_match()?;
    Ok((Request { actor: command.call.actor(), key: command.key, order, version }, command.body))
}

/// A text to look for; nothing if it is blank, as forms send it.
fn searched(name: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > MAX_QUERY_CHARS || text.chars().any(char::is_control) => {
            Err(Problem::invalid_query(name, format!("must hold {MAX_QUERY_CHARS} characters at most, and no control characters")))
        }
        text => Ok(text),
    }
}

/// The first moment of a day; nothing if it is blank, as forms send it.
fn day(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = searched(name, text)? else { return Ok(None) };
    domain::day(&text).map(Some).ok_or_else(|| not_a_day(name))
}

fn not_a_day(name: &str) -> Problem {
    Problem::invalid_query(name, "must be a day such as 2026-11-23")
}

fn not_found() -> Problem {
    Problem::not_found("order")
}
