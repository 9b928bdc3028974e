//! The routes: completing a cart, and coming back to it.

use axum::extract::{FromRef, State};
use cart_api::CartId;
use catalog::Channels;
use checkout_api::{CompleteCart, Completion};
use kernel::{Problem, headers};
use payments::Payments;
use platform::http::Path;
use service::{Answer, Command, Context, Failure};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::completion::{self, Request, Till};

impl FromRef<Till> for Context {
    fn from_ref(till: &Till) -> Self {
        till.context.clone()
    }
}

/// The routes for shoppers.
pub(crate) fn store_routes(context: &Context, payments: Payments) -> OpenApiRouter {
    let till = Till { context: context.clone(), payments, channels: Channels::new(context) };
    OpenApiRouter::new().routes(routes!(complete_cart)).routes(routes!(resume_cart)).with_state(till)
}

/// Turns the cart into an order and pays it. Send an `Idempotency-Key`: the same key gives the same answer, however often and whenever it is
/// sent within 24 hours. The same cart under another key joins the completion that runs.
#[utoipa::path(
    post,
    path = "/store/v1/carts/{id}/complete",
    tag = "checkout",
    params(("id" = String, Path, description = "The cart's id."), ("X-Cart-Token" = String, Header, description = "The cart's secret."), ("Idempotency-Key" = Option<String>, Header, description = "A key of the client's own.")),
    request_body = CompleteCart,
    responses(
        (status = 200, description = "It is a sale.", body = Completion),
        (status = 202, description = "The shopper has to act, or the provider is still working. Call `resume`.", body = Completion),
        (status = 402, description = "`payment_declined`, `payment_canceled` or `payment_expired`: nothing was charged, the cart is open again.", body = Problem),
        (status = 404, description = "`cart_not_found`", body = Problem),
        (status = 409, description = "`cart_changed` (the context holds the cart as it is now), `insufficient_stock`, `cart_empty`, `nothing_to_pay`, `cart_completed`, `cart_closed`, `in_progress`", body = Problem),
        (status = 422, description = "`invalid_body`, `idempotency_key_reused`", body = Problem),
    )
)]
async fn complete_cart(State(till): State<Till>, Path(cart_id): Path<CartId>, command: Command<CompleteCart>) -> Result<Answer, Failure> {
    let secret = command.call.secret(headers::CART_TOKEN, "cart")?.hash();
    let request = Request { actor: command.call.actor(), key: command.key, cart_id, secret, body: command.body };
    let context = till.context.clone();
    context.detached("complete cart", completion::complete(till, request)).await
}

/// Asks the provider how the cart's newest payment stands, after the shopper came back, and goes on from there.
#[utoipa::path(
    post,
    path = "/store/v1/carts/{id}/resume",
    tag = "checkout",
    params(("id" = String, Path, description = "The cart's id."), ("X-Cart-Token" = String, Header, description = "The cart's secret.")),
    responses(
        (status = 200, description = "It is a sale.", body = Completion),
        (status = 202, description = "The shopper has to act, or the provider is still working. Ask again.", body = Completion),
        (status = 402, description = "`payment_declined`, `payment_canceled` or `payment_expired`: nothing was charged, the cart is open again.", body = Problem),
        (status = 404, description = "`cart_not_found`, or `completion_not_found` when it never was completed", body = Problem),
        (status = 409, description = "`insufficient_stock`, `in_progress`", body = Problem),
    )
)]
async fn resume_cart(State(till): State<Till>, Path(cart_id): Path<CartId>, command: Command<()>) -> Result<Answer, Failure> {
    let secret = command.call.secret(headers::CART_TOKEN, "cart")?.hash();
    let context = till.context.clone();
    let work = completion::resume(till, command.call.actor(), cart_id, secret);
    context.detached("resume cart", work).await
}
