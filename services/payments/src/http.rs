//! The route of payments on the store surface.

use axum::extract::{Extension, State};
use kernel::Problem;
use payments_api::PaymentMethods;
use service::{Answer, Call, Context, Failure};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Payments;

/// The routes under `/store/v1`.
pub(crate) fn store_routes(payments: &Payments) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list_payment_methods)).layer(Extension(payments.clone())).with_state(payments.context().clone())
}

/// How one can pay in this channel, the preferred way first. The sandbox's test cards are shown in test channels and demo shops only.
#[utoipa::path(
    get,
    path = "/store/v1/payment-methods",
    tag = "payments",
    params(("X-Channel" = Option<String>, Header, description = "The channel's code; without it the host decides.")),
    responses(
        (status = 200, body = PaymentMethods),
        (status = 404, description = "`channel_not_found`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`.", body = Problem),
    )
)]
async fn list_payment_methods(State(context): State<Context>, Extension(payments): Extension<Payments>, call: Call) -> Result<Answer, Failure> {
    let mut conn = context.db().read().await?;
    let channel = catalog::channel_of(&mut conn, &call).await?;
    Answer::ok(&PaymentMethods { items: payments.methods(channel.kind) })
}
