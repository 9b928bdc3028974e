//! A product: its pictures, the picker of its options, and the way into the cart.

mod picker;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use cart_api::{AddLine, CartAnswer};
use catalog_api::endpoints::{GET_CHANNEL, GET_PRODUCT};
use catalog_api::{ProductAnswer, StockBand, VariantAnswer, VariantId};
use client::{Answer, CallError};
use http::{HeaderName, HeaderValue, StatusCode};
use kernel::{Problem, Quantity};
use platform::http::Path;
use serde::Serialize;

use crate::about::{self, About, Offers};
use crate::asker::Asker;
use crate::cookies::CartKey;
use crate::error::PageError;
use crate::fields::{Fields, QueryFields};
use crate::messages::Tongue;
use crate::pages::cart;
use crate::shell::{LinkView, Shell};
use crate::shop::{Keep, Shop};
use crate::view::{PictureView, PriceView, product_address};
use crate::visit::Visit;
use picker::{OptionView, Selection};

/// Where a script puts the reason of a refusal, instead of into the drawer.
const REASON: (HeaderName, HeaderValue) = (HeaderName::from_static("hx-retarget"), HeaderValue::from_static("#refused"));

/// The code of our own refusal of values that do not go together.
const NOT_MADE: &str = "not_made";

#[derive(Debug, Serialize)]
pub(crate) struct ProductView {
    pub(crate) slug: String,
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) category: Option<LinkView>,
    pub(crate) pictures: Vec<PictureView>,
    pub(crate) price: PriceView,
    pub(crate) options: Vec<OptionView>,
    pub(crate) stock: StockView,
    /// Whether there is nothing of it to buy, in any choice.
    pub(crate) is_sold_out: bool,
    pub(crate) quantity: i32,
    pub(crate) sku: Option<String>,
    pub(crate) paragraphs: Vec<String>,
    pub(crate) facts: Vec<String>,
    /// Why it was not put into the cart.
    pub(crate) problem: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct StockView {
    /// `in`, `low` or `out`.
    pub(crate) band: &'static str,
    pub(crate) text: String,
}

pub(crate) async fn show(State(shop): State<Shop>, visit: Visit, Path(slug): Path<String>, query: QueryFields) -> Result<Response, PageError> {
    let product = shop.call(&visit, &GET_PRODUCT).param("slug", &slug).send().await?.body;
    if product.slug != slug {
        // It has moved: whoever comes by its old address is sent on for good.
        return Ok(Redirect::permanent(&product_address(&product.slug, &wanted(&query.0))).into_response());
    }
    page(&shop, &visit, &product, &query.0, None).await
}

/// Why something was not put into the cart, as a part of a page.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedView {
    pub(crate) problem: String,
}

/// Puts the chosen variant into the cart, makes the cart if there is none, and shows it.
pub(crate) async fn add_to_cart(State(shop): State<Shop>, visit: Visit, asker: Asker, fields: Fields) -> Result<Response, PageError> {
    let product = shop.call(&visit, &GET_PRODUCT).param("slug", fields.text("product")).send().await?.body;
    let selection = Selection::of(&product, &wanted(&fields));
    let Some(variant) = selection.variant() else {
        let problem = Problem::new(422, NOT_MADE, "Not made");
        return refuse(&shop, &visit, asker, &product, &fields, &problem).await;
    };
    let Some(quantity) = quantity(&fields).and_then(|quantity| Quantity::new(quantity).ok()) else {
        let problem = Problem::new(422, "quantity", "Quantity");
        return refuse(&shop, &visit, asker, &product, &fields, &problem).await;
    };
    match add(&shop, &visit, &AddLine { variant_id: variant.id, quantity }).await {
        Ok((key, cart)) => {
            let response = match asker {
                Asker::Drawer => cart::drawer(&shop, &visit, &cart, Some(variant.id), None).await?,
                Asker::Browser | Asker::Script => Redirect::to(&format!("/cart?added={}", variant.id)).into_response(),
            };
            Ok(shop.cookies().keep_cart(response, &key))
        }
        Err(CallError::Problem(problem)) if problem.status() < 500 && problem.status() != 429 => {
            refuse(&shop, &visit, asker, &product, &fields, &problem).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Says why nothing was put in: on the product's page, or in a part of it for a script that has the page.
async fn refuse(shop: &Shop, visit: &Visit, asker: Asker, product: &ProductAnswer, fields: &Fields, problem: &Problem) -> Result<Response, PageError> {
    if asker != Asker::Drawer {
        return page(shop, visit, product, fields, Some(problem)).await;
    }
    let channel = shop.call(visit, &GET_CHANNEL).send().await?.body;
    let tongue = shop.tongue(&channel.locale);
    let view = RefusedView { problem: words(problem, &tongue) };
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    let mut response = shop.page(status, "refused.html", &Shell::of(&channel, &tongue, &[], None), &view, Keep::Never)?;
    let (name, value) = REASON;
    response.headers_mut().insert(name, value);
    Ok(response)
}

async fn add(shop: &Shop, visit: &Visit, line: &AddLine) -> Result<(CartKey, CartAnswer), CallError> {
    if let Some(key) = &visit.cart {
        match add_line(shop, visit, key, line).await {
            // The cart is gone or has become an order: the next one begins.
            Err(error) if error.is("cart_not_found") || error.is("cart_completed") || error.is("cart_closed") => {}
            answer => return Ok((CartKey { pending_order: None, ..key.clone() }, answer?.body)),
        }
    }
    let created = shop.call(visit, &cart_api::endpoints::CREATE_CART).send().await?.body;
    let key = CartKey { id: created.cart.id, token: created.token, pending_order: None };
    let cart = add_line(shop, visit, &key, line).await?.body;
    Ok((key, cart))
}

async fn add_line(shop: &Shop, visit: &Visit, key: &CartKey, line: &AddLine) -> Result<Answer<CartAnswer>, CallError> {
    shop.call(visit, &cart_api::endpoints::ADD_LINE).param("id", key.id).cart_token(&key.token).body(line).send().await
}

async fn page(shop: &Shop, visit: &Visit, product: &ProductAnswer, fields: &Fields, problem: Option<&Problem>) -> Result<Response, PageError> {
    let loaded = Shell::load(shop, visit).await?;
    let selection = Selection::of(product, &wanted(fields));
    let shown = selection.shown().ok_or(PageError::NotFound)?;
    let tongue = &loaded.tongue;
    let view = ProductView {
        slug: product.slug.clone(),
        title: product.title.clone(),
        summary: product.summary.clone(),
        category: product.category.as_ref().map(LinkView::of),
        pictures: selection.pictures(),
        price: PriceView::of(shown.price, shown.compare_at, false, tongue),
        options: selection.options(tongue),
        stock: stock(&selection, tongue),
        is_sold_out: product.variants.iter().all(|variant| variant.stock == StockBand::Out),
        quantity: quantity(fields).and_then(|quantity| Quantity::new(quantity).ok()).unwrap_or(Quantity::ONE).get(),
        sku: selection.variant().map(|variant| variant.sku.clone()),
        paragraphs: product.description.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned).collect(),
        facts: product.facts.clone(),
        problem: problem.map(|problem| words(problem, tongue)),
    };
    let status = problem.and_then(|problem| StatusCode::from_u16(problem.status()).ok()).unwrap_or(StatusCode::OK);
    let category = view.category.as_ref().map(|category| category.href.clone()).unwrap_or_default();
    let path = format!("/products/{}", product.slug);
    let about = about(shop, &loaded.tongue, product, &view);
    let shell = loaded.shell.at(&category).canonical(shop, &path, about);
    shop.page(status, "product.html", &shell, &view, Keep::Revalidate)
}

/// What the page says about the product. It is the same whatever is chosen.
fn about(shop: &Shop, tongue: &Tongue, product: &ProductAnswer, view: &ProductView) -> About {
    let href = format!("/products/{}", product.slug);
    let here = LinkView { name: product.title.clone(), href: href.clone(), is_current: true };
    let picture = product.media.first().map(PictureView::of);
    let about =
        About::product(&product.summary).picture(shop, picture.as_ref()).fact(&about::trail(shop, &tongue.text("home"), view.category.iter().chain([&here])));
    let by_price = |variant: &&VariantAnswer| variant.price.amount_minor();
    let Some((lowest, highest)) = product.variants.iter().min_by_key(by_price).zip(product.variants.iter().max_by_key(by_price)) else { return about };
    let offers = Offers {
        address: about::whole(shop, &href),
        lowest: lowest.price,
        highest: highest.price,
        count: product.variants.len(),
        is_available: !view.is_sold_out,
    };
    let pictures: Vec<String> = product.media.iter().map(|media| about::whole(shop, &media.url)).collect();
    let sku = Some(lowest.sku.as_str()).filter(|_| product.variants.len() == 1);
    about.fact(&about::product(&product.title, &product.summary, sku, &pictures, &offers))
}

/// The option values a form or an address names: `option.Size=M`.
fn wanted(fields: &Fields) -> BTreeMap<String, String> {
    fields.below("option.").map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The quantity that was typed, one more or less where that button was pressed.
fn quantity(fields: &Fields) -> Option<i64> {
    let typed: i64 = fields.get("quantity").map_or(Some(1), |typed| typed.trim().parse().ok())?;
    let step = i64::from(fields.has("more")) - i64::from(fields.has("less"));
    Some(if step == 0 { typed } else { typed.saturating_add(step).max(1) })
}

fn stock(selection: &Selection, tongue: &Tongue) -> StockView {
    let (band, text) = match selection.variant().map(|variant| variant.stock) {
        Some(StockBand::In) => ("in", "stock-in"),
        Some(StockBand::Low) => ("low", "stock-low"),
        Some(StockBand::Out) => ("out", "sold-out"),
        None => ("out", "not-made"),
    };
    StockView { band, text: tongue.text(text) }
}

/// Why something was not put into the cart, in words for the shopper.
fn words(problem: &Problem, tongue: &Tongue) -> String {
    let available = problem.context_value().and_then(|context| context.get("available")?.as_i64());
    match (problem.code(), available) {
        ("insufficient_stock", Some(available)) if available > 0 => tongue.with("only-left-with-cart", [("count", available.into())]),
        ("insufficient_stock", _) => tongue.text("choice-sold-out"),
        ("variant_unavailable", _) => tongue.text("choice-not-sold"),
        ("cart_completing", _) => tongue.text("cart-being-paid"),
        ("quantity", _) => tongue.with("quantity-range", [("most", Quantity::MAX.into())]),
        (NOT_MADE, _) => tongue.text("not-made-choose"),
        _ => tongue.text("not-added"),
    }
}

/// So that a line of the cart can be found again after it was added.
pub(crate) fn added_variant(query: &Fields) -> Option<VariantId> {
    query.get("added").and_then(|id| id.parse().ok())
}

#[cfg(test)]
pub(crate) mod samples {
    use super::picker::ValueView;
    use super::*;

    /// A product with everything there can be, or with as little as there can be.
    pub(crate) fn product(is_full: bool) -> ProductView {
        let text = |text: &str| text.to_owned();
        let picture = PictureView { url: text("/media/a.svg"), srcset: String::new(), alt: text("A"), width: 1000, height: 1250 };
        let value = |id: &str, remark: Option<&str>, is_disabled| ValueView {
            id: text(id),
            value: text("1.2 litre"),
            is_chosen: true,
            is_out: remark.is_some(),
            is_disabled,
            remark: remark.map(text),
            brief: remark.map(|_| text("Sold out")),
            picture: Some(picture.clone()),
            colour: Some(text("#3f6f73")),
        };
        let option = |name: &str, is_pictured| OptionView {
            name: text(name),
            field: format!("option.{name}"),
            chosen: text("1.2 litre"),
            is_pictured,
            values: vec![value(&format!("{name}-0"), None, false), value(&format!("{name}-1"), Some("Sold out in Sea"), true)],
        };
        let view = ProductView {
            slug: text("harbour-pitcher"),
            title: text("Harbour Pitcher"),
            summary: text("Pours without a drip."),
            category: Some(LinkView { name: text("Ceramics"), href: text("/categories/ceramics"), is_current: true }),
            pictures: vec![picture.clone(), picture.clone()],
            price: PriceView { now: text("€48.00"), was: Some(text("€56.00")), is_from: false },
            options: vec![option("Glaze", true), option("Size", false)],
            stock: StockView { band: "in", text: text("stock-in") },
            is_sold_out: false,
            quantity: 1,
            sku: Some(text("CER-1")),
            paragraphs: vec![text("Thrown in two parts.")],
            facts: vec![text("Stoneware")],
            problem: Some(text("Only 2 left.")),
        };
        if is_full {
            return view;
        }
        ProductView {
            category: None,
            pictures: Vec::new(),
            options: Vec::new(),
            is_sold_out: true,
            sku: None,
            paragraphs: Vec::new(),
            facts: Vec::new(),
            problem: None,
            ..view
        }
    }
}
