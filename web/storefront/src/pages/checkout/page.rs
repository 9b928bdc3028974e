//! The checkout page: the form, the ways to pay, the order in view.

use axum::response::Response;
use cart_api::CartAnswer;
use catalog_api::ChannelAnswer;
use client::CallError;
use http::StatusCode;
use kernel::{Country, Problem};
use payments_api::{PaymentMethod, TestCard};
use serde::Serialize;

use super::form::CheckoutForm;
use crate::cookies::CartKey;
use crate::error::PageError;
use crate::messages::Tongue;
use crate::shell::Shell;
use crate::shop::{Keep, Shop};
use crate::view::{LineView, TotalsView, method_name, method_text};
use crate::visit::Visit;

/// Countries whose addresses need a state or province.
const WITH_REGION: [&str; 8] = ["AU", "BR", "CA", "CN", "IN", "JP", "MX", "US"];

/// Everything the page is made of, besides the form.
pub(super) struct Scene {
    pub(super) channel: ChannelAnswer,
    pub(super) tongue: Tongue,
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
    /// What it does, and the end of its number.
    pub(crate) text: String,
}

impl Scene {
    /// Asks for everything at once.
    pub(super) async fn load(shop: &Shop, visit: &Visit, key: &CartKey) -> Result<Self, CallError> {
        let channel = shop.call(visit, &catalog_api::endpoints::GET_CHANNEL).send();
        let methods = shop.call(visit, &payments_api::endpoints::LIST_PAYMENT_METHODS).send();
        let cart = shop.call(visit, &cart_api::endpoints::GET_CART).param("id", key.id).cart_token(&key.token).send();
        let (channel, methods, cart) = tokio::join!(channel, methods, cart);
        let channel = channel?.body;
        Ok(Self { tongue: shop.tongue(&channel.locale), channel, methods: methods?.body.items, cart: cart?.body })
    }

    pub(super) fn render(self, shop: &Shop, status: StatusCode, form: &CheckoutForm, message: Option<Message>) -> Result<Response, PageError> {
        let shell = Shell::of(&self.channel, &self.tongue, &[], Some(&self.cart));
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
            lines: LineView::all(&self.cart, &self.tongue),
            totals: TotalsView::of(&self.cart.totals, &self.tongue, &self.cart.delivery.name),
            countries: country_views(self.channel.countries.iter().copied(), &self.tongue),
            all_countries: country_views(Country::all(), &self.tongue),
            has_region: self.channel.countries.iter().any(|country| WITH_REGION.contains(&country.code())),
            methods: self.methods.iter().map(|method| MethodView::of(method, chosen.as_deref(), &self.tongue)).collect(),
            form,
        }
    }
}

impl Message {
    pub(super) fn of(title: &str, text: &str, tongue: &Tongue) -> Self {
        Self { title: tongue.text(title), text: tongue.text(text), can_adjust: false }
    }

    /// Why the API refused the order.
    pub(super) fn refused(problem: &Problem, tongue: &Tongue) -> Self {
        let (title, text) = match problem.code() {
            "payment_declined" => ("payment-declined-title", "payment-declined"),
            "payment_canceled" => ("payment-canceled-title", "payment-canceled"),
            "payment_expired" => ("payment-expired-title", "payment-expired"),
            "insufficient_stock" => ("order-short-title", "order-short"),
            code => {
                tracing::warn!(code, "the API refused an order for a reason the checkout has no words for");
                ("order-refused-title", "order-refused")
            }
        };
        Self::of(title, text, tongue)
    }
}

impl MethodView {
    fn of(method: &PaymentMethod, chosen: Option<&str>, tongue: &Tongue) -> Self {
        let cards = method.test_cards.iter();
        Self {
            code: method.provider.clone(),
            name: method_name(method, tongue),
            text: method_text(method, tongue),
            icon: if method.provider == "manual" { "bank" } else { "card" },
            is_chosen: chosen == Some(method.provider.as_str()),
            cards: cards.map(|card| CardView::of(card, tongue)).collect(),
        }
    }
}

impl CardView {
    fn of(card: &TestCard, tongue: &Tongue) -> Self {
        let behaviour = tongue.find(&format!("card-{}", card.number)).unwrap_or_else(|| card.behaviour.clone());
        let end = card.number.get(card.number.len().saturating_sub(4)..).unwrap_or(&card.number);
        Self { number: card.number.clone(), text: format!("{behaviour} · {end}") }
    }
}

fn country_views(countries: impl Iterator<Item = Country>, tongue: &Tongue) -> Vec<CountryView> {
    let mut views: Vec<_> = countries.map(|country| CountryView { code: country.to_string(), name: tongue.country(country) }).collect();
    // Letters with marks stand by their plain ones: Österreich between Oman and Pakistan.
    views.sort_by_key(|country| country.name.replace(['Ä', 'Å'], "A").replace('Ö', "O").replace('Ü', "U"));
    views
}
