//! The cart: what is in it, what changed meanwhile, and what it comes to.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use cart_api::{CartAnswer, CartLineId, CartState, UpdateLine};
use catalog_api::VariantId;
use catalog_api::endpoints::GET_CHANNEL;
use client::CallError;
use http::{HeaderName, HeaderValue, StatusCode, header};
use kernel::{Problem, Quantity};
use platform::http::Path;
use serde::Serialize;

use crate::asker::Asker;
use crate::cookies::CartKey;
use crate::error::PageError;
use crate::fields::{Fields, QueryFields};
use crate::messages::Tongue;
use crate::pages::{featured, product};
use crate::shell::Shell;
use crate::shop::{Keep, Shop};
use crate::view::{LineView, TileView, TotalsView, is_blocked};
use crate::visit::Visit;

/// Leads a script's page elsewhere.
const REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// What the cart's page and its drawer show.
#[derive(Debug, Default, Serialize)]
pub(crate) struct CartView {
    pub(crate) lines: Vec<LineView>,
    pub(crate) totals: Option<TotalsView>,
    /// The title of what was just put in.
    pub(crate) added: Option<String>,
    /// Whether it is being paid for and cannot be changed.
    pub(crate) is_completing: bool,
    /// Whether something has to be mended before it can be bought.
    pub(crate) is_blocked: bool,
    /// How many units are in it.
    pub(crate) units: i64,
    /// What is said aloud when it has changed.
    pub(crate) announcement: String,
    /// What to look at instead, when it is empty.
    pub(crate) tiles: Vec<TileView>,
}

/// How many units are in the visitor's cart, in digits: what `badge.js` puts on pages that are the same for everybody.
pub(crate) async fn count(State(shop): State<Shop>, visit: Visit) -> Result<Response, PageError> {
    let cart = crate::shell::load_cart(&shop, &visit).await?;
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, crate::shell::count(cart.as_ref()).to_string()).into_response())
}

pub(crate) async fn show(State(shop): State<Shop>, visit: Visit, query: QueryFields) -> Result<Response, PageError> {
    page(&shop, &visit, &query.0, None).await
}

/// Sets a line's quantity, or takes the line out.
pub(crate) async fn change_line(State(shop): State<Shop>, visit: Visit, asker: Asker, Path(line): Path<String>, fields: Fields) -> Result<Response, PageError> {
    let (Some(key), Ok(line)) = (&visit.cart, line.parse::<CartLineId>()) else { return Ok(to_cart(asker)) };
    let outcome = match target(&fields) {
        Ok(Some(quantity)) => set_quantity(&shop, &visit, key, line, quantity).await,
        Ok(None) => delete_line(&shop, &visit, key, line).await,
        Err(problem) => Err(problem.into()),
    };
    match outcome {
        Ok(cart) => {
            let response = match asker {
                Asker::Browser => {
                    // Back to where the shopper was, unless the line is gone.
                    let place = if cart.lines.iter().any(|known| known.id == line) { format!("/cart#{line}") } else { "/cart".to_owned() };
                    Redirect::to(&place).into_response()
                }
                Asker::Drawer => drawer(&shop, &visit, &cart, None, None).await?,
                Asker::Script => page(&shop, &visit, &Fields::default(), None).await?,
            };
            Ok(shop.cookies().keep_cart(response, key))
        }
        // Another tab was faster: the cart as it is now tells more than an error.
        Err(error) if error.problem().is_some_and(|problem| problem.status() == 404) => Ok(to_cart(asker)),
        Err(CallError::Problem(problem)) if problem.status() < 500 && problem.status() != 429 => match (asker, crate::shell::load_cart(&shop, &visit).await?) {
            (Asker::Drawer, Some(cart)) => drawer(&shop, &visit, &cart, None, Some((line, &problem))).await,
            (Asker::Drawer, None) => Ok(to_cart(asker)),
            _ => page(&shop, &visit, &Fields::default(), Some((line, &problem))).await,
        },
        Err(error) => Err(error.into()),
    }
}

/// The way to the cart's page. A script that fills the drawer would put the page into it.
fn to_cart(asker: Asker) -> Response {
    match asker {
        Asker::Browser | Asker::Script => Redirect::to("/cart").into_response(),
        Asker::Drawer => [(REDIRECT, HeaderValue::from_static("/cart"))].into_response(),
    }
}

/// What is in the drawer: a part of a page, for a script to put into it.
pub(crate) async fn drawer(
    shop: &Shop,
    visit: &Visit,
    cart: &CartAnswer,
    added: Option<VariantId>,
    refused: Option<(CartLineId, &Problem)>,
) -> Result<Response, PageError> {
    let channel = shop.call(visit, &GET_CHANNEL).send().await?.body;
    let tongue = shop.tongue(&channel.locale);
    let shell = Shell::of(&channel, &tongue, &[], Some(cart));
    shop.page(status_of(refused), "drawer.html", &shell, &CartView::of(cart, &tongue, added, refused), Keep::Never)
}

fn status_of(refused: Option<(CartLineId, &Problem)>) -> StatusCode {
    refused.and_then(|(_, problem)| StatusCode::from_u16(problem.status()).ok()).unwrap_or(StatusCode::OK)
}

/// The quantity that is wanted; none to take the line out.
fn target(fields: &Fields) -> Result<Option<Quantity>, Problem> {
    if fields.has("remove") {
        return Ok(None);
    }
    let typed: Option<i64> = fields.text(if fields.has("available") { "available" } else { "quantity" }).parse().ok();
    let step = i64::from(fields.has("more")) - i64::from(fields.has("less"));
    match typed.and_then(|typed| typed.checked_add(step)) {
        Some(0) => Ok(None),
        Some(wanted) => Quantity::new(wanted).map(Some).map_err(|_| out_of_range()),
        None => Err(out_of_range()),
    }
}

fn out_of_range() -> Problem {
    Problem::new(422, "quantity", "Quantity")
}

pub(crate) async fn set_quantity(shop: &Shop, visit: &Visit, key: &CartKey, line: CartLineId, quantity: Quantity) -> Result<CartAnswer, CallError> {
    let call = shop.call(visit, &cart_api::endpoints::UPDATE_LINE).param("id", key.id).param("line_id", line).cart_token(&key.token);
    Ok(call.body(&UpdateLine { quantity }).send().await?.body)
}

pub(crate) async fn delete_line(shop: &Shop, visit: &Visit, key: &CartKey, line: CartLineId) -> Result<CartAnswer, CallError> {
    let call = shop.call(visit, &cart_api::endpoints::DELETE_LINE).param("id", key.id).param("line_id", line).cart_token(&key.token);
    Ok(call.send().await?.body)
}

async fn page(shop: &Shop, visit: &Visit, query: &Fields, refused: Option<(CartLineId, &Problem)>) -> Result<Response, PageError> {
    let loaded = Shell::load(shop, visit).await?;
    // The shell goes without a cart that does not answer; this page does not.
    let cart = match loaded.cart {
        Some(cart) => Some(cart),
        None => crate::shell::load_cart(shop, visit).await?,
    };
    let is_gone = visit.cart.is_some() && cart.as_ref().is_none_or(|cart| !matches!(cart.state, CartState::Active | CartState::Completing));
    let cart = cart.filter(|cart| !is_gone && !cart.lines.is_empty());

    let view = match &cart {
        Some(cart) => CartView::of(cart, &loaded.tongue, product::added_variant(query), refused),
        None => CartView { tiles: featured(shop, visit, &loaded.tongue, 4).await?, announcement: loaded.tongue.text("cart-is-empty"), ..CartView::default() },
    };
    let response = shop.page(status_of(refused), "cart.html", &loaded.shell, &view, Keep::Revalidate)?;
    Ok(if is_gone { shop.cookies().forget_cart(response) } else { response })
}

impl CartView {
    fn of(cart: &CartAnswer, tongue: &Tongue, added: Option<VariantId>, refused: Option<(CartLineId, &Problem)>) -> Self {
        let mut lines = LineView::all(cart, tongue);
        if let Some((id, problem)) = refused {
            let id = id.to_string();
            for line in lines.iter_mut().filter(|line| line.id == id) {
                line.problem = Some(words(problem, tongue));
            }
        }
        let totals = Some(TotalsView::of(&cart.totals, tongue, &cart.delivery.name)).filter(|_| !lines.is_empty());
        let announcement = match &totals {
            Some(totals) => tongue.with("cart-now", [("items", totals.items.as_str().into()), ("subtotal", totals.subtotal.as_str().into())]),
            None => tongue.text("cart-is-empty"),
        };
        Self {
            totals,
            added: cart.lines.iter().find(|line| Some(line.variant_id) == added).map(|line| line.title.clone()),
            is_completing: cart.state == CartState::Completing,
            is_blocked: is_blocked(cart),
            units: crate::shell::count(Some(cart)),
            announcement,
            lines,
            tiles: Vec::new(),
        }
    }
}

fn words(problem: &Problem, tongue: &Tongue) -> String {
    let available = problem.context_value().and_then(|context| context.get("available")?.as_i64());
    match (problem.code(), available) {
        ("insufficient_stock", Some(available)) if available > 0 => tongue.with("quantity-kept-only", [("count", available.into())]),
        ("insufficient_stock", _) => tongue.text("quantity-kept"),
        ("quantity", _) => tongue.with("quantity-range", [("most", Quantity::MAX.into())]),
        _ => tongue.text("line-kept"),
    }
}
