//! The routes of the cart. All but the first need the cart's secret.

use axum::extract::{FromRef, State};
use cart_api::{AddLine, CartAnswer, CartCreated, CartId, CartLineId, CartState, UpdateLine};
use catalog::{Channel, Channels};
use db::Tx;
use kernel::{Problem, Token, TokenHash, headers};
use platform::http::Path;
use service::{Answer, BoxFuture, Call, Command, Context, Failure};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::CART_LIFE;
use crate::lines::Changed;
use crate::{LockedCart, lines, store};

/// The routes of shoppers.
pub(crate) fn routes(context: &Context) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(create_cart))
        .routes(routes!(get_cart))
        .routes(routes!(add_line))
        .routes(routes!(update_line, delete_line))
        .with_state(Desk { context: context.clone(), channels: Channels::new(context) })
}

/// What every route needs.
#[derive(Clone)]
struct Desk {
    context: Context,
    channels: Channels,
}

impl FromRef<Desk> for Context {
    fn from_ref(desk: &Desk) -> Self {
        desk.context.clone()
    }
}

/// Makes an empty cart in the request's channel and tells its secret once. The answer is never kept, so `Idempotency-Key` has no effect here:
/// an empty cart too many is harmless.
#[utoipa::path(
    post,
    path = "/store/v1/carts",
    tag = "cart",
    params(("X-Channel" = Option<String>, Header, description = "The channel's code; the host's channel, or the default one, if absent.")),
    responses((status = 201, body = CartCreated), (status = 404, description = "`channel_not_found`", body = Problem))
)]
async fn create_cart(State(Desk { context, channels }): State<Desk>, command: Command<()>) -> Result<Answer, Failure> {
    let channel = channels.of(&command.call).await?;
    context
        .mutate(&command.call, None, move |tx| {
            Box::pin(async move {
                let (cart, token) = create(tx, channel).await?;
                let version = cart.version;
                Ok(Answer::created(&CartCreated { cart, token })?.version(version))
            })
        })
        .await
}

async fn create(tx: &mut Tx, channel: Channel) -> Result<(CartAnswer, Token), Failure> {
    let now = tx.now();
    let (id, token, expires_at) = (CartId::new(now), Token::generate(), now + CART_LIFE);
    let token_hash = token.hash();
    store::insert_cart(tx.conn(), id, &token_hash, channel.id, now, expires_at).await?;
    let cart = LockedCart { id, channel, state: CartState::Active, version: 1, token_hash, lines: Vec::new(), completing_until: None, expires_at };
    Ok((crate::price(tx.conn(), &cart).await?, token))
}

/// The cart with present prices, stock and notices.
#[utoipa::path(
    get,
    path = "/store/v1/carts/{id}",
    tag = "cart",
    params(("id" = CartId, Path), ("X-Cart-Token" = Token, Header, description = "The cart's secret.")),
    responses((status = 200, body = CartAnswer), (status = 404, description = "`cart_not_found`: unknown, forgotten, or the wrong secret.", body = Problem))
)]
async fn get_cart(State(Desk { context, channels }): State<Desk>, Path(id): Path<CartId>, call: Call) -> Result<Answer, Failure> {
    let secret = secret(&call)?;
    let channels = channels.known().await?;
    // The writer: a shopper who has just put something in must see it.
    let mut conn = context.db().read_latest().await?;
    let cart = crate::find(&mut conn, &channels, id, &secret, context.now()).await?.ok_or_else(not_found)?;
    let answer = crate::price(&mut conn, &cart).await?;
    Ok(Answer::ok(&answer)?.version(answer.version))
}

/// Adds units of a variant: a new line, or more of the line that has it. The line's present price counts as confirmed.
#[utoipa::path(
    post,
    path = "/store/v1/carts/{id}/lines",
    tag = "cart",
    params(
        ("id" = CartId, Path),
        ("X-Cart-Token" = Token, Header, description = "The cart's secret."),
        ("If-Match" = Option<String>, Header, description = "The version the change is meant for; any if absent."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless.")
    ),
    request_body = AddLine,
    responses(
        (status = 200, body = CartAnswer),
        (status = 404, description = "`cart_not_found`", body = Problem),
        (status = 409, description = "`insufficient_stock` (`context.available` says how many there are), `cart_full`, `cart_completing`, `cart_completed`", body = Problem),
        (status = 412, description = "`stale_version`", body = Problem),
        (status = 422, description = "`invalid_body`, `variant_unavailable`, `quantity_too_large`", body = Problem),
    )
)]
async fn add_line(State(desk): State<Desk>, Path(id): Path<CartId>, command: Command<AddLine>) -> Result<Answer, Failure> {
    change(&desk, id, command, |tx, cart, wanted| Box::pin(async move { Ok(lines::add(tx, cart, wanted).await?) })).await
}

/// Sets a line's quantity. Its present price counts as confirmed.
#[utoipa::path(
    patch,
    path = "/store/v1/carts/{id}/lines/{line_id}",
    tag = "cart",
    params(
        ("id" = CartId, Path),
        ("line_id" = CartLineId, Path),
        ("X-Cart-Token" = Token, Header, description = "The cart's secret."),
        ("If-Match" = Option<String>, Header, description = "The version the change is meant for; any if absent."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless.")
    ),
    request_body = UpdateLine,
    responses(
        (status = 200, body = CartAnswer),
        (status = 404, description = "`cart_not_found`, `cart_line_not_found`", body = Problem),
        (status = 409, description = "`insufficient_stock` (`context.available` says how many there are), `cart_completing`, `cart_completed`", body = Problem),
        (status = 412, description = "`stale_version`", body = Problem),
        (status = 422, description = "`invalid_body`, `variant_unavailable`", body = Problem),
    )
)]
async fn update_line(State(desk): State<Desk>, Path((id, line)): Path<(CartId, CartLineId)>, command: Command<UpdateLine>) -> Result<Answer, Failure> {
    change(&desk, id, command, move |tx, cart, wanted| Box::pin(async move { Ok(lines::update(tx, cart, line, wanted).await?) })).await
}

/// Takes a line out.
#[utoipa::path(
    delete,
    path = "/store/v1/carts/{id}/lines/{line_id}",
    tag = "cart",
    params(
        ("id" = CartId, Path),
        ("line_id" = CartLineId, Path),
        ("X-Cart-Token" = Token, Header, description = "The cart's secret."),
        ("If-Match" = Option<String>, Header, description = "The version the change is meant for; any if absent."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless.")
    ),
    responses(
        (status = 200, body = CartAnswer),
        (status = 404, description = "`cart_not_found`, `cart_line_not_found`", body = Problem),
        (status = 409, description = "`cart_completing`, `cart_completed`", body = Problem),
        (status = 412, description = "`stale_version`", body = Problem),
    )
)]
async fn delete_line(State(desk): State<Desk>, Path((id, line)): Path<(CartId, CartLineId)>, command: Command<()>) -> Result<Answer, Failure> {
    change(&desk, id, command, move |tx, cart, ()| Box::pin(async move { Ok(lines::delete(tx, cart, line).await?) })).await
}

/// Changes an active cart with its row locked, and answers it anew.
async fn change<T, F>(desk: &Desk, id: CartId, command: Command<T>, work: F) -> Result<Answer, Failure>
where
    T: Send + Sync + 'static,
    F: for<'a> FnOnce(&'a mut Tx, &'a LockedCart, &'a T) -> BoxFuture<'a, Result<Changed, Failure>> + Send + 'static,
{
    let secret = secret(&command.call)?;
    let expected = command.call.if_match()?;
    let Command { body, call, key } = command;
    let channels = desk.channels.known().await?;
    desk.context
        .mutate(&call, key, move |tx| {
            Box::pin(async move {
                let cart = crate::lock(tx, &channels, id, &secret).await?.ok_or_else(not_found)?;
                lines::require_active(&cart)?;
                if expected.is_some_and(|version| version != cart.version) {
                    return Err(Problem::stale(cart.version).into());
                }
                let (changed, present) = work(tx, &cart, &body).await?;
                let answer = crate::price_with(&changed, &present)?;
                Ok(Answer::ok(&answer)?.version(answer.version))
            })
        })
        .await
}

fn secret(call: &Call) -> Result<TokenHash, Problem> {
    call.secret(headers::CART_TOKEN, "cart").map(|token| token.hash())
}

fn not_found() -> Problem {
    Problem::not_found("cart")
}
