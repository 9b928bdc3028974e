//! What templates are given: texts and addresses ready to show.

use std::collections::BTreeMap;

use cart_api::{CartAnswer, CartLineAnswer, Notice, Totals};
use catalog_api::{ChannelAnswer, MediaReference, ProductSummary, StockBand};
use kernel::{Locale, Money};
use orders_api::Address;
use serde::Serialize;

use crate::countries;
use crate::money;
use crate::shell::price_or_free;

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
    pub(crate) fn of(now: Money, was: Option<Money>, is_from: bool, locale: &Locale) -> Self {
        Self { now: money::format(now, locale), was: was.map(|was| money::format(was, locale)), is_from }
    }
}

impl TileView {
    pub(crate) fn of(product: &ProductSummary, locale: &Locale) -> Self {
        let flag = match (product.stock, product.compare_at) {
            (StockBand::Out, _) => Some("out"),
            (_, Some(_)) => Some("sale"),
            _ => None,
        };
        Self {
            href: format!("/products/{}", product.slug),
            title: product.title.clone(),
            picture: product.image.as_ref().map(PictureView::of),
            price: PriceView::of(product.price, product.compare_at, product.price_varies, locale),
            flag,
        }
    }
}

impl LineView {
    pub(crate) fn of(line: &CartLineAnswer, locale: &Locale) -> Self {
        Self {
            id: line.id.to_string(),
            href: product_address(&line.product_slug, &line.options),
            title: line.title.clone(),
            choice: choice(&line.options),
            picture: line.image.as_ref().map(PictureView::of),
            quantity: line.quantity.get(),
            each: (line.quantity.get() > 1).then(|| money::format(line.unit_price, locale)),
            total: money::format(line.total, locale),
            notices: line.notices.iter().map(|notice| NoticeView::of(*notice, locale)).collect(),
            problem: None,
        }
    }

    pub(crate) fn all(cart: &CartAnswer, locale: &Locale) -> Vec<Self> {
        cart.lines.iter().map(|line| Self::of(line, locale)).collect()
    }
}

impl NoticeView {
    fn of(notice: Notice, locale: &Locale) -> Self {
        match notice {
            Notice::PriceChanged { was, now } => {
                let text = format!("This was {} when you added it. It is {} now.", money::format(was, locale), money::format(now, locale));
                Self { text, available: None, is_blocking: false }
            }
            Notice::InsufficientStock { available } if available > 0 => {
                Self { text: format!("Only {available} left."), available: Some(available), is_blocking: true }
            }
            Notice::InsufficientStock { .. } => {
                Self { text: "Sold out since you added it. Take it out to go on.".to_owned(), available: None, is_blocking: true }
            }
            Notice::Unavailable => Self { text: "We no longer sell this. Take it out to go on.".to_owned(), available: None, is_blocking: true },
        }
    }
}

impl TotalsView {
    pub(crate) fn of(totals: &Totals, channel: &ChannelAnswer, delivery_name: &str) -> Self {
        Self {
            items: items(totals.item_count),
            subtotal: money::format(totals.subtotal, &channel.locale),
            delivery_name: delivery_name.to_owned(),
            delivery: price_or_free(totals.delivery, channel),
            total: money::format(totals.total, &channel.locale),
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
pub(crate) fn address_lines(address: &Address) -> Vec<String> {
    let town = format!("{} {}", address.postcode, address.city);
    let lines = [
        Some(address.name.as_str()),
        address.company.as_deref(),
        Some(address.street.as_str()),
        address.extra.as_deref(),
        Some(town.trim()),
        address.region.as_deref(),
        Some(countries::name(address.country)),
    ];
    lines.into_iter().flatten().filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

pub(crate) fn items(count: i64) -> String {
    if count == 1 { "1 item".to_owned() } else { format!("{count} items") }
}
