//! The checkout on one page: from a cart to an order, without losing anything that was typed.

mod form;
mod page;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use cart_api::{CartState, Notice};
use checkout_api::endpoints::{COMPLETE_CART, RESUME_CART};
use checkout_api::{Completion, CompletionStatus};
use client::CallError;
use http::{HeaderValue, StatusCode};
use kernel::{Money, Problem, Quantity};
use orders_api::OrderId;
use payments_api::NextAction;
use serde::Serialize;

use crate::cookies::{CartKey, OrderKey};
use crate::error::PageError;
use crate::fields::Fields;
use crate::messages::Messages;
use crate::pages::cart::{delete_line, set_quantity};
use crate::shell::{Shell, load_cart};
use crate::shop::{Keep, Shop};
use crate::visit::Visit;
use form::CheckoutForm;
use page::{Message, Scene};

/// Where a provider's page leads back to.
const RETURN_PATH: &str = "/checkout/return";
/// How often the waiting page looks again.
const LOOK_AGAIN_SECONDS: &str = "3";

/// What the waiting page shows.
#[derive(Debug, Serialize)]
pub(crate) struct WaitingView {
    pub(crate) title: String,
    pub(crate) text: String,
    /// Where the shopper goes on, if something is to be done.
    pub(crate) action: Option<String>,
}

/// The empty form.
pub(crate) async fn show(State(shop): State<Shop>, visit: Visit) -> Result<Response, PageError> {
    let Some(key) = &visit.cart else { return Ok(to("/cart")) };
    let Some(cart) = load_cart(&shop, &visit).await? else { return Ok(to("/cart")) };
    match cart.state {
        CartState::Completing => return Ok(to(RETURN_PATH)),
        CartState::Active if !cart.lines.is_empty() && !crate::view::is_blocked(&cart) => {}
        // The cart page says what is to be done.
        _ => return Ok(to("/cart")),
    }
    let scene = Scene::load(&shop, &visit, key).await?;
    let form = CheckoutForm::blank(&scene.channel, &scene.methods);
    scene.render(&shop, StatusCode::OK, &form, None)
}

/// Buys the cart, or shows the form again with what is to be mended.
pub(crate) async fn submit(State(shop): State<Shop>, visit: Visit, fields: Fields) -> Result<Response, PageError> {
    let sent_for = fields.text("cart");
    let Some(key) = visit.cart.as_ref().filter(|key| key.id.to_string() == sent_for) else {
        // The form was sent twice, and the first one has become an order.
        let made = visit.orders.iter().find(|order| order.cart_id.to_string() == sent_for);
        return Ok(made.map_or_else(|| to("/cart"), |order| to(&thanks(order.id))));
    };
    if fields.has("adjust") {
        return adjust(&shop, &visit, key, &fields).await;
    }
    let form = CheckoutForm::of(&fields);
    let command = match form.command(RETURN_PATH) {
        Ok(command) => command,
        Err(errors) => {
            let scene = Scene::load(&shop, &visit, key).await?;
            let form = form.renewed().with_errors(errors, &scene.tongue);
            return scene.render(&shop, StatusCode::UNPROCESSABLE_ENTITY, &form, None);
        }
    };
    let call = shop.call(&visit, &COMPLETE_CART).param("id", key.id).cart_token(&key.token).idempotency_key(&form.key);
    match call.body(&command).send().await {
        Ok(answer) => finish(&shop, &visit, key, &answer.body),
        Err(error) => refused(&shop, &visit, key, form, error, Some(command.expected_total)).await,
    }
}

/// Asks how the running payment stands: after the provider's page, and while it works.
pub(crate) async fn come_back(State(shop): State<Shop>, visit: Visit) -> Result<Response, PageError> {
    let Some(key) = &visit.cart else {
        // A page that was reloaded after it had led on.
        return Ok(visit.orders.first().map_or_else(|| to("/cart"), |order| to(&thanks(order.id))));
    };
    let resumed = shop.call(&visit, &RESUME_CART).param("id", key.id).cart_token(&key.token).send().await;
    let error = match resumed {
        Ok(answer) if answer.body.status == CompletionStatus::Placed => return finish(&shop, &visit, key, &answer.body),
        Ok(answer) => return waiting(&shop, &visit, key, &answer.body).await,
        Err(error) => error,
    };
    let status = error.problem().map(Problem::status);
    if error.is("in_progress") || status.is_none_or(|status| status >= 500 || status == 429) {
        return wait(&shop, &visit, None).await;
    }
    if status == Some(404) {
        return Ok(to("/checkout"));
    }
    let form = match key.pending_order {
        Some(order) => CheckoutForm::from_order(&crate::pages::order::find(&shop, &visit, order, &key.token).await?),
        None => CheckoutForm::default(),
    };
    refused(&shop, &visit, key, form, error, None).await
}

/// Leads on from an answered completion.
fn finish(shop: &Shop, visit: &Visit, key: &CartKey, completion: &Completion) -> Result<Response, PageError> {
    let order = completion.order.id;
    match completion.status {
        CompletionStatus::Placed => {
            let made = OrderKey { id: order, cart_id: key.id, token: key.token.clone() };
            let response = shop.cookies().keep_order(to(&thanks(order)), &made, &visit.orders);
            Ok(shop.cookies().forget_cart(response))
        }
        CompletionStatus::Processing => Ok(shop.cookies().keep_cart(to(RETURN_PATH), &pending(key, order))),
        CompletionStatus::RequiresAction => {
            let url = action_url(completion).ok_or(PageError::Internal)?;
            Ok(shop.cookies().keep_cart(to(url), &pending(key, order)))
        }
    }
}

async fn waiting(shop: &Shop, visit: &Visit, key: &CartKey, completion: &Completion) -> Result<Response, PageError> {
    let action = action_url(completion).filter(|_| completion.status == CompletionStatus::RequiresAction);
    let response = wait(shop, visit, action).await?;
    Ok(shop.cookies().keep_cart(response, &pending(key, completion.order.id)))
}

/// The waiting page. It looks again by itself, unless the shopper is the one to act.
async fn wait(shop: &Shop, visit: &Visit, action: Option<&str>) -> Result<Response, PageError> {
    // It goes on waiting also while the API does not even tell the shop's name.
    let channel = shop.call(visit, &catalog_api::endpoints::GET_CHANNEL).send().await;
    let shell = channel.map_or_else(|_| Shell::bare(), |answer| Shell::of(&answer.body, &shop.tongue(&answer.body.locale), &[], None));
    let view = WaitingView::of(action, &shop.messages(&shell.language));
    let mut response = shop.page(StatusCode::OK, "waiting.html", &shell, &view, Keep::Never)?;
    if view.action.is_none() {
        response.headers_mut().insert("refresh", HeaderValue::from_static(LOOK_AGAIN_SECONDS));
    }
    Ok(response)
}

impl WaitingView {
    /// The shopper's turn, if there is an address to go on at; else the provider's.
    pub(crate) fn of(action: Option<&str>, messages: &Messages) -> Self {
        let (title, text) = match action {
            Some(_) => ("payment-unconfirmed-title", "payment-unconfirmed"),
            None => ("payment-working-title", "payment-working"),
        };
        Self { title: messages.text(title), text: messages.text(text), action: action.map(ToOwned::to_owned) }
    }
}

/// Shows the form again with the reason, or leads to where the shopper can go on.
async fn refused(shop: &Shop, visit: &Visit, key: &CartKey, form: CheckoutForm, error: CallError, agreed: Option<Money>) -> Result<Response, PageError> {
    let problem = match error {
        CallError::Problem(problem) if problem.status() < 500 => problem,
        // Nobody knows whether it was done. The form keeps its key, so sending it again cannot buy twice.
        error => {
            let scene = Scene::load(shop, visit, key).await.map_err(|_| PageError::from(error))?;
            let message = Message::of("order-unknown-title", "order-unknown", &scene.tongue);
            return scene.render(shop, StatusCode::SERVICE_UNAVAILABLE, &form, Some(message));
        }
    };
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::CONFLICT);
    match problem.code() {
        "in_progress" => return Ok(to(RETURN_PATH)),
        "cart_empty" => return Ok(to("/cart")),
        "cart_completed" | "cart_closed" | "cart_not_found" => return Ok(shop.cookies().forget_cart(to("/cart"))),
        _ => {}
    }
    let scene = Scene::load(shop, visit, key).await?;
    let form = form.renewed();
    let (form, message) = match problem.code() {
        "cart_changed" => (form, Some(changed(&scene, agreed))),
        "insufficient_stock" => (form, Some(short(&scene, &problem))),
        _ if problem.status() == 402 => (form, Some(Message::refused(&problem, &scene.tongue))),
        _ => match form.mended(&problem, &scene.tongue) {
            (form, true) => (form, None),
            (form, false) => (form, Some(Message::refused(&problem, &scene.tongue))),
        },
    };
    scene.render(shop, status, &form, message)
}

fn changed(scene: &Scene, agreed: Option<Money>) -> Message {
    let tongue = &scene.tongue;
    let now = scene.cart.totals.total;
    let text = match agreed.filter(|agreed| *agreed != now) {
        Some(agreed) => tongue.with("order-changed-total", [("now", tongue.money(now).into()), ("was", tongue.money(agreed).into())]),
        None => tongue.text("order-changed"),
    };
    Message { title: tongue.text("order-changed-title"), text, can_adjust: crate::view::is_blocked(&scene.cart) }
}

fn short(scene: &Scene, problem: &Problem) -> Message {
    if crate::view::is_blocked(&scene.cart) {
        return Message { can_adjust: true, ..Message::of("order-short-title", "order-short", &scene.tongue) };
    }
    Message::refused(problem, &scene.tongue)
}

/// Brings the cart down to what there is, at the shopper's word, and shows the form again.
async fn adjust(shop: &Shop, visit: &Visit, key: &CartKey, fields: &Fields) -> Result<Response, PageError> {
    let Some(cart) = load_cart(shop, visit).await? else { return Ok(to("/cart")) };
    for line in &cart.lines {
        for notice in &line.notices {
            let outcome = match notice {
                Notice::PriceChanged { .. } => continue,
                Notice::InsufficientStock { available } => match Quantity::new(*available) {
                    Ok(quantity) => set_quantity(shop, visit, key, line.id, quantity).await,
                    Err(_) => delete_line(shop, visit, key, line.id).await,
                },
                Notice::Unavailable => delete_line(shop, visit, key, line.id).await,
            };
            // What still does not fit shows in the form that follows.
            if let Err(CallError::Unreachable(reason)) = outcome {
                return Err(CallError::from(reason).into());
            }
        }
    }
    let scene = Scene::load(shop, visit, key).await?;
    if scene.cart.lines.is_empty() {
        return Ok(to("/cart"));
    }
    scene.render(shop, StatusCode::OK, &CheckoutForm::of(fields).renewed(), None)
}

/// The provider's page, if it is one a shopper may be sent to.
fn action_url(completion: &Completion) -> Option<&str> {
    let NextAction::Redirect { url } = completion.next_action.as_ref()?;
    let is_here = url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\");
    Some(url.as_str()).filter(|url| is_here || url.starts_with("https://"))
}

fn pending(key: &CartKey, order: OrderId) -> CartKey {
    CartKey { pending_order: Some(order), ..key.clone() }
}

fn thanks(order: OrderId) -> String {
    format!("/checkout/thanks/{order}")
}

fn to(address: &str) -> Response {
    Redirect::to(address).into_response()
}

#[cfg(test)]
pub(crate) mod samples {
    use super::page::{CardView, CheckoutView, CountryView, MethodView};
    use super::*;
    use crate::messages::Tongue;
    use crate::templates::samples::{lines, totals};

    /// The page with everything that can be wrong, or as one comes to it.
    pub(crate) fn checkout(is_refused: bool, tongue: &Tongue) -> CheckoutView {
        let text = |text: &str| text.to_owned();
        let country = |code: &str, name| CountryView { code: text(code), name };
        let method = |code: &str, cards| MethodView { code: text(code), name: text("Card"), text: text("At once"), icon: "card", is_chosen: true, cards };
        let form = CheckoutForm::of(&Fields::default());
        let errors = ["email", "country", "postcode", "billing_city", "payment", "test_card"].map(|field| (text(field), form::FieldError::Unfit));
        CheckoutView {
            form: if is_refused { form.with_errors(errors.into(), tongue) } else { form },
            message: is_refused.then(|| Message { title: text("Not everything is there"), text: text("Someone was faster."), can_adjust: true }),
            cart_id: text("crt_1"),
            expected_amount: 14_890,
            expected_currency: text("EUR"),
            lines: lines(),
            totals: totals(),
            countries: vec![country("AT", "Austria")],
            all_countries: vec![country("AT", "Austria"), country("DE", "Germany")],
            has_region: is_refused,
            methods: if is_refused {
                vec![method("manual", Vec::new()), method("sandbox", vec![CardView { number: text("1"), text: text("1 · Approved") }])]
            } else {
                Vec::new()
            },
        }
    }

    pub(crate) fn waiting(is_to_act: bool, messages: &Messages) -> WaitingView {
        WaitingView::of(is_to_act.then_some("/sandbox/payments/1"), messages)
    }
}
