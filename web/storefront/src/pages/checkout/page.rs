//! The checkout page: the form, the ways to pay, the order in view.

use axum::response::Response;
use cart_api::CartAnswer;
use catalog_api::ChannelAnswer;
use client::CallError;
use http::StatusCode;
use kernel::{Country, Problem};
use payments_api::PaymentMethod;
use serde::Serialize;

use super::form::CheckoutForm;
use crate::cookies::CartKey;
use crate::countries;
use crate::error::PageError;
use crate::shell::Shell;
use crate::shop::{Keep, Shop};
use crate::view::{LineView, TotalsView};
use crate::visit::Visit;

/// Countries whose addresses need a state or province.
const WITH_REGION: [&str; 8] = ["AU", "BR", "CA", "CN", "IN", "JP", "MX", "US"];

/// Everything the page is made of, besides the form.
pub(super) struct Scene {
    pub(super) channel: ChannelAnswer,
    pub(super) cart: CartAnswer,
    pub(super) methods: Vec<PaymentMethod>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CheckoutView {
    pub(crate) form: CheckoutForm,
    pub(crate) message: Option<Message>,
    pub(crate) cart_id: String,
    pub(crate) expected_amount: i64,
    pub(crate) expected_currency: String,
    pub(crate) lines: Vec<LineView>,
    pub(crate) totals: TotalsView,
    pub(crate) countries: Vec<CountryView>,
    /// All of them, for the billing address.
    pub(crate) all_countries: Vec<CountryView>,
    pub(crate) has_region: bool,
    pub(crate) methods: Vec<MethodView>,
}

/// What stands above the form.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    pub(crate) title: String,
    pub(crate) text: String,
    /// Whether the cart can be brought down to what there is.
    pub(crate) can_adjust: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct CountryView {
    pub(crate) code: String,
    pub(crate) name: &'static str,
}

/// A way to pay.
#[derive(Debug, Serialize)]
pub(crate) struct MethodView {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) icon: &'static str,
    pub(crate) is_chosen: bool,
    pub(crate) cards: Vec<CardView>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CardView {
    pub(crate) number: String,
    /// The number in groups of four, and what it does.
    pub(crate) text: String,
}

impl Scene {
    /// Asks for everything at once.
    pub(super) async fn load(shop: &Shop, visit: &Visit, key: &CartKey) -> Result<Self, CallError> {
        let channel = shop.call(visit, &catalog_api::endpoints::GET_CHANNEL).send();
        let methods = shop.call(visit, &payments_api::endpoints::LIST_PAYMENT_METHODS).send();
        let cart = shop.call(visit, &cart_api::endpoints::GET_CART).param("id", key.id).cart_token(&key.token).send();
        let (channel, methods, cart) = tokio::join!(channel, methods, cart);
        Ok(Self { channel: channel?.body, methods: methods?.body.items, cart: cart?.body })
    }

    pub(super) fn render(self, shop: &Shop, status: StatusCode, form: &CheckoutForm, message: Option<Message>) -> Result<Response, PageError> {
        let shell = Shell::of(&self.channel, &[], Some(&self.cart));
        let view = self.view(form.clone(), message);
        shop.page(status, "checkout.html", &shell, &view, Keep::Revalidate)
    }

    fn view(&self, form: CheckoutForm, message: Option<Message>) -> CheckoutView {
        let total = self.cart.totals.total;
        let chosen = form.values.get("payment").filter(|code| self.methods.iter().any(|method| method.provider == **code));
        let chosen = chosen.or_else(|| self.methods.first().map(|method| &method.provider)).cloned();
        CheckoutView {
            message,
            cart_id: self.cart.id.to_string(),
            expected_amount: total.amount_minor(),
            expected_currency: total.currency().to_string(),
            lines: LineView::all(&self.cart, &self.channel.locale),
            totals: TotalsView::of(&self.cart.totals, &self.channel, &self.cart.delivery.name),
            countries: country_views(self.channel.countries.iter().copied()),
            all_countries: country_views(Country::all()),
            has_region: self.channel.countries.iter().any(|country| WITH_REGION.contains(&country.code())),
            methods: self.methods.iter().map(|method| MethodView::of(method, chosen.as_deref())).collect(),
            form,
        }
    }
}

impl Message {
    /// A refusal in the API's words.
    pub(super) fn of(problem: &Problem) -> Self {
        Self { title: problem.title().to_owned(), text: problem.detail_text().unwrap_or("Nothing was ordered.").to_owned(), can_adjust: false }
    }

    /// Nobody knows whether the order was made.
    pub(super) fn unknown() -> Self {
        Self {
            title: "We did not hear back in time".to_owned(),
            text: "Your order may already be in. Send the form once more: it counts once, and you are charged once.".to_owned(),
            can_adjust: false,
        }
    }
}

impl MethodView {
    fn of(method: &PaymentMethod, chosen: Option<&str>) -> Self {
        let grouped = |number: &str| number.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
        let cards = method.test_cards.iter();
        Self {
            code: method.provider.clone(),
            name: method.name.clone(),
            text: method.description.clone(),
            icon: if method.provider == "manual" { "bank" } else { "card" },
            is_chosen: chosen == Some(method.provider.as_str()),
            cards: cards.map(|card| CardView { number: card.number.clone(), text: format!("{} · {}", grouped(&card.number), card.behaviour) }).collect(),
        }
    }
}

fn country_views(countries: impl Iterator<Item = Country>) -> Vec<CountryView> {
    let mut views: Vec<_> = countries.map(|country| CountryView { code: country.to_string(), name: countries::name(country) }).collect();
    views.sort_by_key(|country| country.name);
    views
}
