use cart_api::{CartAnswer, CartState};
use catalog_api::{CategoryAnswer, ChannelAnswer, ChannelKind};
use client::CallError;
use serde::Serialize;

use crate::about::About;
use crate::messages::{FALLBACK, Tongue};
use crate::shop::Shop;
use crate::visit::Visit;

/// How many categories the head of a page has room for.
const NAVIGATION: usize = 8;
/// How many of the countries it delivers to a page names.
const NAMED_COUNTRIES: usize = 4;

/// What stands around the content of every page.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Shell {
    /// The shop's name.
    pub(crate) shop_name: String,
    /// The language of its pages (BCP 47).
    pub(crate) language: String,
    /// The top categories.
    pub(crate) categories: Vec<LinkView>,
    /// How many units are in the cart; not known where the page is the same for everybody.
    pub(crate) cart_count: Option<i64>,
    /// What delivery costs, in a sentence.
    pub(crate) delivery: String,
    /// Whether sales here are trials.
    pub(crate) is_test: bool,
    /// The countries the shop delivers to, the first by name.
    pub(crate) destinations: String,
    /// What its amounts count.
    pub(crate) currency: String,
    /// The page's own address, if it is one to be found.
    pub(crate) canonical: Option<String>,
    /// Whether search engines shall leave this page out and find the canonical one.
    pub(crate) is_unlisted: bool,
    /// What the page says about itself.
    pub(crate) about: About,
}

/// A named place.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LinkView {
    pub(crate) name: String,
    pub(crate) href: String,
    pub(crate) is_current: bool,
}

/// The shell together with what it was made of.
pub(crate) struct Loaded {
    pub(crate) shell: Shell,
    pub(crate) channel: ChannelAnswer,
    pub(crate) tongue: Tongue,
    pub(crate) categories: Vec<CategoryAnswer>,
    pub(crate) cart: Option<CartAnswer>,
}

impl Shell {
    /// A page with nothing around it, for when the API is away.
    pub(crate) fn bare() -> Self {
        Self {
            shop_name: String::new(),
            language: FALLBACK.to_owned(),
            categories: Vec::new(),
            cart_count: None,
            delivery: String::new(),
            is_test: false,
            destinations: String::new(),
            currency: String::new(),
            canonical: None,
            is_unlisted: false,
            about: About::default(),
        }
    }

    /// The same with what is remembered of the shop.
    pub(crate) fn remembered(shop: &Shop, visit: &Visit) -> Self {
        let known = shop.remembered(visit);
        known.map_or_else(Self::bare, |known| Self { shop_name: known.name, language: known.language, ..Self::bare() })
    }

    /// Asks for everything around a page at once.
    pub(crate) async fn load(shop: &Shop, visit: &Visit) -> Result<Loaded, CallError> {
        let channel = shop.call(visit, &catalog_api::endpoints::GET_CHANNEL).send();
        let categories = shop.call(visit, &catalog_api::endpoints::LIST_CATEGORIES).send();
        let (channel, categories, cart) = tokio::join!(channel, categories, load_cart(shop, visit));
        let (channel, categories) = (channel?.body, categories?.body.items);
        // A page about something else stays up when the cart does not answer.
        let cart = cart.unwrap_or_default();
        let tongue = shop.tongue(&channel.locale);
        shop.remember(visit, &channel.name, channel.locale.as_str());
        let mut shell = Self::of(&channel, &tongue, &categories, cart.as_ref());
        if visit.is_shared() {
            shell.cart_count = None;
        }
        Ok(Loaded { shell, channel, tongue, categories, cart })
    }

    /// The shell of a channel.
    pub(crate) fn of(channel: &ChannelAnswer, tongue: &Tongue, categories: &[CategoryAnswer], cart: Option<&CartAnswer>) -> Self {
        let top = categories.iter().filter(|category| category.parent_id.is_none()).take(NAVIGATION);
        Self {
            shop_name: channel.name.clone(),
            language: channel.locale.to_string(),
            categories: top.map(LinkView::of).collect(),
            cart_count: Some(count(cart)),
            delivery: delivery(channel, tongue),
            is_test: channel.kind == ChannelKind::Test,
            destinations: destinations(channel, tongue),
            currency: channel.currency.to_string(),
            canonical: None,
            is_unlisted: false,
            about: About::default(),
        }
    }

    /// Marks the category that the page belongs to.
    pub(crate) fn at(mut self, href: &str) -> Self {
        for category in &mut self.categories {
            category.is_current = category.href == href;
        }
        self
    }

    /// Names the page's own address, and what it is about: this page is one to be found.
    pub(crate) fn canonical(mut self, shop: &Shop, path: &str, about: About) -> Self {
        self.canonical = Some(format!("{}{path}", shop.public_url()));
        self.about = about;
        self
    }

    /// Leaves this page to those who were led to it: it is a view of its canonical one.
    pub(crate) fn unlisted(mut self) -> Self {
        self.is_unlisted = true;
        self
    }
}

impl LinkView {
    pub(crate) fn of(category: &CategoryAnswer) -> Self {
        Self { name: category.name.clone(), href: format!("/categories/{}", category.slug), is_current: false }
    }
}

/// How many units are in a cart that can still change.
pub(crate) fn count(cart: Option<&CartAnswer>) -> i64 {
    cart.filter(|cart| cart.state == CartState::Active).map_or(0, |cart| cart.totals.item_count)
}

/// The visitor's cart; nothing if there is none or it is gone.
pub(crate) async fn load_cart(shop: &Shop, visit: &Visit) -> Result<Option<CartAnswer>, CallError> {
    let Some(key) = &visit.cart else { return Ok(None) };
    match shop.call(visit, &cart_api::endpoints::GET_CART).param("id", key.id).cart_token(&key.token).send().await {
        Ok(answer) => Ok(Some(answer.body)),
        Err(error) if error.problem().is_some_and(|problem| problem.status() == 404) => Ok(None),
        Err(error) => Err(error),
    }
}

fn delivery(channel: &ChannelAnswer, tongue: &Tongue) -> String {
    let name = channel.delivery.name.as_str().into();
    if channel.delivery.price.is_zero() {
        return tongue.with("delivery-free", [("name", name)]);
    }
    tongue.with("delivery-for", [("name", name), ("price", tongue.money(channel.delivery.price).into())])
}

fn destinations(channel: &ChannelAnswer, tongue: &Tongue) -> String {
    let named: Vec<&str> = channel.countries.iter().take(NAMED_COUNTRIES).map(|country| tongue.country(*country)).collect();
    let named = named.join(", ");
    match channel.countries.len().saturating_sub(NAMED_COUNTRIES) {
        0 => named,
        more => tongue.with("destinations-more", [("named", named.into()), ("count", more.into())]),
    }
}
