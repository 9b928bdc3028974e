//! What templates are given: texts and addresses ready to show.

use std::collections::BTreeMap;

use cart_api::{CartAnswer, CartLineAnswer, Notice, Totals};
use catalog_api::{MediaReference, ProductSummary, StockBand};
use kernel::Money;
use orders_api::Address;
use payments_api::PaymentMethod;
use serde::Serialize;

use crate::messages::Tongue;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PictureView {
    pub(crate) url: String,
    /// The addresses of its widths, as a `srcset` has them; empty if there is only one.
    pub(crate) srcset: String,
    pub(crate) alt: String,
    pub(crate) width: i32,
    pub(crate) height: i32,
}

/// A price, and what it was before.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PriceView {
    pub(crate) now: String,
    pub(crate) was: Option<String>,
    pub(crate) is_from: bool,
}

/// A product in a list.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TileView {
    pub(crate) href: String,
    pub(crate) title: String,
    pub(crate) picture: Option<PictureView>,
    pub(crate) price: PriceView,
    /// `out`, `sale`, or nothing: one flag at most, the weightier first.
    pub(crate) flag: Option<&'static str>,
    /// The colours there are, if there are several.
    pub(crate) swatches: Vec<String>,
    /// The same in words.
    pub(crate) colours: String,
}

/// A line of a cart or an order.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LineView {
    pub(crate) id: String,
    pub(crate) href: String,
    pub(crate) title: String,
    pub(crate) choice: String,
    pub(crate) picture: Option<PictureView>,
    pub(crate) quantity: i32,
    /// What one costs, where that is not the line's total.
    pub(crate) each: Option<String>,
    pub(crate) total: String,
    pub(crate) notices: Vec<NoticeView>,
    /// Why the last change to this line was not made.
    pub(crate) problem: Option<String>,
}

/// Something that changed under the shopper's hands.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NoticeView {
    pub(crate) text: String,
    /// The quantity there is, where fewer would do.
    pub(crate) available: Option<i64>,
    /// Whether the cart cannot be bought like this.
    pub(crate) is_blocking: bool,
}

/// What a cart or order comes to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TotalsView {
    pub(crate) items: String,
    pub(crate) subtotal: String,
    pub(crate) delivery_name: String,
    pub(crate) delivery: String,
    pub(crate) total: String,
}

impl PictureView {
    pub(crate) fn of(media: &MediaReference) -> Self {
        let sources: Vec<String> = media.sources.iter().map(|source| format!("{} {}w", source.url, source.width)).collect();
        Self { url: media.url.clone(), srcset: sources.join(", "), alt: media.alt.clone(), width: media.width, height: media.height }
    }
}

impl PriceView {
    pub(crate) fn of(now: Money, was: Option<Money>, is_from: bool, tongue: &Tongue) -> Self {
        Self { now: tongue.money(now), was: was.map(|was| tongue.money(was)), is_from }
    }
}

impl TileView {
    pub(crate) fn of(product: &ProductSummary, tongue: &Tongue) -> Self {
        let flag = match (product.stock, product.compare_at) {
            (StockBand::Out, _) => Some("out"),
            (_, Some(_)) => Some("sale"),
            _ => None,
        };
        Self {
            href: format!("/products/{}", product.slug),
            title: product.title.clone(),
            picture: product.image.as_ref().map(PictureView::of),
            price: PriceView::of(product.price, product.compare_at, product.price_varies, tongue),
            flag,
            swatches: if product.swatches.len() > 1 { product.swatches.clone() } else { Vec::new() },
            colours: tongue.with("colours", [("count", product.swatches.len().into())]),
        }
    }
}

impl LineView {
    pub(crate) fn of(line: &CartLineAnswer, tongue: &Tongue) -> Self {
        Self {
            id: line.id.to_string(),
            href: product_address(&line.product_slug, &line.options),
            title: line.title.clone(),
            choice: choice(&line.options),
            picture: line.image.as_ref().map(PictureView::of),
            quantity: line.quantity.get(),
            each: (line.quantity.get() > 1).then(|| tongue.money(line.unit_price)),
            total: tongue.money(line.total),
            notices: line.notices.iter().map(|notice| NoticeView::of(*notice, tongue)).collect(),
            problem: None,
        }
    }

    pub(crate) fn all(cart: &CartAnswer, tongue: &Tongue) -> Vec<Self> {
        cart.lines.iter().map(|line| Self::of(line, tongue)).collect()
    }
}

impl NoticeView {
    fn of(notice: Notice, tongue: &Tongue) -> Self {
        let (text, available, is_blocking) = match notice {
            Notice::PriceChanged { was, now } => {
                (tongue.with("price-changed", [("was", tongue.money(was).into()), ("now", tongue.money(now).into())]), None, false)
            }
            Notice::InsufficientStock { available } if available > 0 => (tongue.with("only-left", [("count", available.into())]), Some(available), true),
            Notice::InsufficientStock { .. } => (tongue.text("sold-out-since"), None, true),
            Notice::Unavailable => (tongue.text("no-longer-sold"), None, true),
        };
        Self { text, available, is_blocking }
    }
}

impl TotalsView {
    pub(crate) fn of(totals: &Totals, tongue: &Tongue, delivery_name: &str) -> Self {
        Self {
            items: items(totals.item_count, tongue),
            subtotal: tongue.money(totals.subtotal),
            delivery_name: delivery_name.to_owned(),
            delivery: tongue.price_or_free(totals.delivery),
            total: tongue.money(totals.total),
        }
    }
}

/// Whether a cart can be bought as it is.
pub(crate) fn is_blocked(cart: &CartAnswer) -> bool {
    cart.lines.iter().flat_map(|line| &line.notices).any(|notice| !matches!(notice, Notice::PriceChanged { .. }))
}

/// The chosen option values in a row.
pub(crate) fn choice(options: &BTreeMap<String, String>) -> String {
    options.values().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// A product's page with its options chosen.
pub(crate) fn product_address(slug: &str, options: &BTreeMap<String, String>) -> String {
    let pairs: Vec<(String, &str)> = options.iter().map(|(name, value)| (format!("option.{name}"), value.as_str())).collect();
    match serde_urlencoded::to_string(pairs) {
        Ok(query) if !query.is_empty() => format!("/products/{slug}?{query}"),
        _ => format!("/products/{slug}"),
    }
}

/// A postal address, a line each.
pub(crate) fn address_lines(address: &Address, tongue: &Tongue) -> Vec<String> {
    let town = format!("{} {}", address.postcode, address.city);
    let lines = [
        Some(address.name.as_str()),
        address.company.as_deref(),
        Some(address.street.as_str()),
        address.extra.as_deref(),
        Some(town.trim()),
        address.region.as_deref(),
        Some(tongue.country(address.country)),
    ];
    lines.into_iter().flatten().filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

/// How many pieces, in words.
pub(crate) fn items(count: i64, tongue: &Tongue) -> String {
    tongue.with("items", [("count", count.into())])
}

/// What a way to pay is called; the API's word for one we have no message for.
pub(crate) fn method_name(method: &PaymentMethod, tongue: &Tongue) -> String {
    tongue.find(&format!("method-{}", method.provider)).unwrap_or_else(|| method.name.clone())
}

/// What happens when one pays this way.
pub(crate) fn method_text(method: &PaymentMethod, tongue: &Tongue) -> String {
    tongue.find(&format!("method-{}-text", method.provider)).unwrap_or_else(|| method.description.clone())
}
