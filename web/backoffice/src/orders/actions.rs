//! What staff do to an order. A refusal shows the order as it is now and keeps what was typed.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use kernel::Problem;
use orders_api::{CancelOrder, CaptureOrder, CommentOrder, OrderId, endpoints};
use platform::http::Path;

use super::detail::{Rendering, find, show_again};
use super::path_of;
use crate::Office;
use crate::carried::{key, version};
use crate::fields::Fields;
use crate::format::parse_amount;
use crate::notice::{Notice, field_error};
use crate::session::{Session, answer};

/// How often a comment follows an order that keeps changing.
const COMMENT_TRIES: usize = 4;

pub(crate) async fn capture(State(office): State<Office>, session: Session, Path(id): Path<OrderId>, fields: Fields) -> Result<Response, Problem> {
    let typed = fields.get("amount").unwrap_or_default();
    let currency = find(&session, id).await?.order.currency;
    let amount = match parse_amount(&typed, currency) {
        Ok(amount) => amount,
        Err(error) => {
            let rendering = Rendering {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                open: Some("capture"),
                amount: Some(typed),
                amount_error: Some(error.to_string()),
                ..Rendering::default()
            };
            return show_again(&office, &session, id, rendering).await;
        }
    };
    let call = session.call(&endpoints::ADMIN_CAPTURE_ORDER).param("id", id).if_match(version(&fields)).idempotency_key(&key(&fields));
    match answer(call.body(&CaptureOrder { amount: Some(amount) })).await {
        Ok(_) => Ok(done(id, "capture")),
        Err(problem) => {
            let rendering = Rendering {
                open: Some("capture"),
                amount: Some(typed),
                amount_error: field_error(&problem, "/amount/amount"),
                ..refused(problem, &fields, &["/amount/amount"])?
            };
            show_again(&office, &session, id, rendering).await
        }
    }
}

pub(crate) async fn cancel(State(office): State<Office>, session: Session, Path(id): Path<OrderId>, fields: Fields) -> Result<Response, Problem> {
    let reason = fields.filled("reason");
    let call = session.call(&endpoints::ADMIN_CANCEL_ORDER).param("id", id).if_match(version(&fields)).idempotency_key(&key(&fields));
    match answer(call.body(&CancelOrder { reason: reason.clone() })).await {
        Ok(_) => Ok(done(id, "cancel")),
        Err(problem) => {
            let rendering =
                Rendering { open: Some("cancel"), reason, reason_error: field_error(&problem, "/reason"), ..refused(problem, &fields, &["/reason"])? };
            show_again(&office, &session, id, rendering).await
        }
    }
}

/// A comment contradicts nobody: when the order changed meanwhile, it is added to the order as it is.
pub(crate) async fn comment(State(office): State<Office>, session: Session, Path(id): Path<OrderId>, fields: Fields) -> Result<Response, Problem> {
    let text = fields.get("text").unwrap_or_default();
    let mut on_version = version(&fields);
    for _ in 0..COMMENT_TRIES {
        // A refusal may be kept for its key, so each version has its own.
        let key = format!("{}.{on_version}", key(&fields));
        let call = session.call(&endpoints::ADMIN_COMMENT_ORDER).param("id", id).if_match(on_version).idempotency_key(&key);
        match answer(call.body(&CommentOrder { text: text.clone() })).await {
            Ok(_) => return Ok(done(id, "comment")),
            Err(problem) if problem.status() == 412 => on_version = find(&session, id).await?.version,
            Err(problem) => {
                let comment_error = field_error(&problem, "/text");
                let rendering = Rendering { comment: Some(text), comment_error, ..refused(problem, &fields, &["/text"])? };
                return show_again(&office, &session, id, rendering).await;
            }
        }
    }
    let rendering = Rendering { comment: Some(text), ..refused(Problem::stale(on_version), &fields, &[])? };
    show_again(&office, &session, id, rendering).await
}

fn done(id: OrderId, what: &str) -> Response {
    Redirect::to(&format!("{}?done={what}", path_of(id))).into_response()
}

/// How a refusal is shown. Without a session, or without the order, there is no page to show it on.
fn refused(problem: Problem, fields: &Fields, shown: &[&str]) -> Result<Rendering, Problem> {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match problem.status() {
        401 | 404 => Err(problem),
        412 => Ok(Rendering {
            status,
            notice: Some(Notice::refused(
                "This order changed while you had it open.",
                "Nothing was done. What happened is listed here, what you typed is kept: check it and send it again.",
            )),
            conflict: Some(fields.parsed("seen")),
            ..Rendering::default()
        }),
        _ => Ok(Rendering {
            status,
            notice: Some(Notice::of(&problem, shown)),
            // Whether it was done is not known: the same key makes sending it again harmless.
            key: (problem.status() >= 500).then(|| key(fields)),
            ..Rendering::default()
        }),
    }
}
