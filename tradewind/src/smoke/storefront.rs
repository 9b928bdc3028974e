//! The storefront, as a browser without scripts uses it.

use std::sync::Arc;

use anyhow::Context as _;
use http::StatusCode;

use super::load::Script;
use super::pages::{fields, first_option, form, links, own_files};
use super::visitor::{Reply, Visitor, Wrong};
use super::{APPROVED_CARD, CHANNEL, HOST, Trial};

/// How many products are looked at.
const PRODUCTS: usize = 8;
/// How many requests a shopper makes for one purchase; see the API's.
const SCRIPT: usize = 60;
/// What pages of a channel say whose sales are trials.
const IS_TRIAL: &str = "data-channel-kind=\"test\"";
/// How numbers of orders begin, wherever pages show them.
const THANKS: &str = "/checkout/thanks/";

/// Buys once.
///
/// # Errors
/// An answer is not right; the error names the step.
pub(super) async fn buy(mut visitor: Visitor) -> anyhow::Result<Trial> {
    let home = open_home(&mut visitor).await.context("opening the home page")?;
    for file in &home.files {
        visitor.get(file).await.and_then(|reply| reply.expect(StatusCode::OK)).with_context(|| format!("loading {file}"))?;
    }
    let slugs = find_products(&mut visitor, "/products?in_stock=on").await.context("looking for something to buy")?;
    if slugs.is_empty() && find_products(&mut visitor.clone().without_headers(), "/products").await.context("looking at the default channel")?.is_empty() {
        return Ok(Trial::Empty);
    }
    let window = Window::of(&mut visitor, home, slugs).await?;
    let mut shopper = Shopper::new(visitor, window, 0);
    shopper.add_line().await.context("putting a product into the cart")?;
    shopper.open_cart().await.context("opening the cart")?;
    shopper.open_checkout().await.context("opening the checkout")?;
    shopper.submit().await.context("buying the cart")?;
    let number = shopper.open_thanks().await.context("opening the page that thanks")?;
    shopper.open_order(&number).await.context("opening the order")?;
    Ok(Trial::Bought(number))
}

async fn open_home(visitor: &mut Visitor) -> Result<Home, Wrong> {
    let reply = visitor.get_at_last("/").await?.expect(StatusCode::OK)?;
    let page = reply.text();
    if !page.contains(IS_TRIAL) {
        return Err(reply.wrong(format_args!("the host {HOST} does not lead to the channel {CHANNEL}; nothing is bought here")));
    }
    Ok(Home { files: own_files(page, "/static/"), categories: links(page, "href", "/categories/") })
}

/// Where products of a list are.
async fn find_products(visitor: &mut Visitor, list: &str) -> Result<Vec<String>, Wrong> {
    let reply = visitor.get(list).await?.expect(StatusCode::OK)?;
    let mut paths = links(reply.text(), "href", "/products/");
    paths.truncate(PRODUCTS);
    Ok(paths)
}

/// What the home page leads to.
struct Home {
    files: Vec<String>,
    categories: Vec<String>,
}

/// What can be looked at and bought.
#[derive(Clone)]
pub(super) struct Window {
    files: Arc<[String]>,
    /// Pages that are the same for everybody.
    pages: Arc<[String]>,
    /// What the forms of products send, by which one is put into the cart.
    offers: Arc<[Vec<(String, String)>]>,
}

impl Window {
    /// Looks at what the channel sells.
    ///
    /// # Errors
    /// There is nothing, or an answer is not right.
    pub(super) async fn look(mut visitor: Visitor) -> anyhow::Result<Self> {
        let home = open_home(&mut visitor).await.context("opening the home page")?;
        let paths = find_products(&mut visitor, "/products?in_stock=on").await.context("looking for something to buy")?;
        Self::of(&mut visitor, home, paths).await
    }

    async fn of(visitor: &mut Visitor, home: Home, paths: Vec<String>) -> anyhow::Result<Self> {
        let mut offers = Vec::new();
        for path in &paths {
            let reply = visitor.get(path).await.and_then(|reply| reply.expect(StatusCode::OK)).with_context(|| format!("opening {path}"))?;
            // What is sold out has no button.
            let offer = form(reply.text(), "/cart/lines").filter(|form| form.contains(" data-add")).map(fields);
            offers.extend(offer.filter(|fields| fields.iter().any(|(name, _)| name == "product")));
        }
        anyhow::ensure!(
            !offers.is_empty(),
            "looking for something to buy: the channel {CHANNEL} has nothing in stock. Products that are sold in every channel are sold in it, too; \
             give the stock location of that channel some units of one (back office, Stock)"
        );
        let pages = ["/", "/products"].into_iter().map(str::to_owned).chain(home.categories).chain(paths).collect();
        Ok(Self { files: home.files.into(), pages, offers: offers.into() })
    }
}

/// Somebody who looks around, and buys now and then.
pub(super) struct Shopper {
    visitor: Visitor,
    window: Window,
    /// Where in the script they are; each begins elsewhere, so that not all buy at once.
    place: usize,
    stage: Stage,
}

/// How far a purchase is.
enum Stage {
    Looking,
    /// There is something in the cart.
    Chosen,
    /// The checkout's form is open; what it sends.
    Paying(Vec<(String, String)>),
    /// Where the order is thanked for.
    Bought(String),
}

impl Shopper {
    pub(super) fn new(visitor: Visitor, window: Window, number: usize) -> Self {
        Self { visitor, window, place: number * SCRIPT / super::VISITORS, stage: Stage::Looking }
    }

    async fn add_line(&mut self) -> Result<StatusCode, Wrong> {
        let offer = self.window.offers.get(self.place.checked_rem(self.window.offers.len()).unwrap_or_default());
        let mut fields = offer.cloned().ok_or_else(|| Wrong::silence("nothing is for sale"))?;
        fields.push(("quantity".to_owned(), "1".to_owned()));
        let reply = self.send("/cart/lines", &fields).await?.expect(StatusCode::SEE_OTHER)?;
        if !reply.location()?.starts_with("/cart?added=") {
            return Err(reply.wrong(format_args!("it leads to {}", reply.location()?)));
        }
        self.stage = Stage::Chosen;
        Ok(reply.status)
    }

    async fn open_cart(&mut self) -> Result<StatusCode, Wrong> {
        let reply = self.visitor.get("/cart").await?.expect(StatusCode::OK)?;
        if reply.text().contains("action=\"/cart/lines/cln_") { Ok(reply.status) } else { Err(reply.wrong("a cart without a line")) }
    }

    async fn count(&mut self) -> Result<StatusCode, Wrong> {
        let reply = self.visitor.get("/cart/count").await?.expect(StatusCode::OK)?;
        if reply.text() == "1" { Ok(reply.status) } else { Err(reply.wrong(format_args!("{} units in a cart of one", reply.text()))) }
    }

    async fn open_checkout(&mut self) -> Result<StatusCode, Wrong> {
        let reply = self.visitor.get("/checkout").await?.expect(StatusCode::OK)?;
        let form = form(reply.text(), "/checkout").ok_or_else(|| reply.wrong("a page without its form"))?;
        if !form.contains(&format!("value=\"{APPROVED_CARD}\"")) {
            return Err(reply.wrong("the sandbox's card that is approved is not offered"));
        }
        let country = first_option(form, "country").ok_or_else(|| reply.wrong("it delivers nowhere"))?;
        let chosen_anew = ["payment", "billed_there"];
        let mut sent: Vec<_> = fields(form).into_iter().filter(|(name, _)| !chosen_anew.contains(&name.as_str())).collect();
        let typed =
            [("email", "smoke@example.com"), ("country", &country), ("name", "Smoke Test"), ("street", "Quay 1"), ("postcode", "1010"), ("city", "Vienna")];
        let paid = [("payment", "sandbox"), ("test_card", APPROVED_CARD), ("billed_there", "on")];
        sent.extend(typed.into_iter().chain(paid).map(|(name, value)| (name.to_owned(), value.to_owned())));
        self.stage = Stage::Paying(sent);
        Ok(reply.status)
    }

    async fn submit(&mut self) -> Result<StatusCode, Wrong> {
        let Stage::Paying(sent) = std::mem::replace(&mut self.stage, Stage::Looking) else { return Err(Wrong::silence("no checkout is open")) };
        let reply = self.send("/checkout", &sent).await?.expect(StatusCode::SEE_OTHER)?;
        let thanks = reply.location()?;
        if !thanks.starts_with(THANKS) {
            return Err(reply.wrong(format_args!("it leads to {thanks}, not to the page that thanks")));
        }
        self.stage = Stage::Bought(thanks.to_owned());
        Ok(reply.status)
    }

    /// The number of the order.
    async fn open_thanks(&mut self) -> Result<String, Wrong> {
        let Stage::Bought(thanks) = &self.stage else { return Err(Wrong::silence("nothing was bought")) };
        let reply = self.visitor.get(thanks).await?.expect(StatusCode::OK)?;
        number_in(reply.text()).ok_or_else(|| reply.wrong("a page without the number of the order"))
    }

    async fn open_order(&mut self, number: &str) -> Result<StatusCode, Wrong> {
        let Stage::Bought(thanks) = &self.stage else { return Err(Wrong::silence("nothing was bought")) };
        let reply = self.visitor.get(&thanks.replace(THANKS, "/orders/")).await?.expect(StatusCode::OK)?;
        if reply.text().contains(number) { Ok(reply.status) } else { Err(reply.wrong("a page of another order")) }
    }

    async fn browse(&mut self) -> Result<StatusCode, Wrong> {
        let from = if self.place.is_multiple_of(4) { &self.window.files } else { &self.window.pages };
        let path = from.get(self.place.checked_rem(from.len()).unwrap_or_default()).cloned().unwrap_or_else(|| "/".to_owned());
        Ok(self.visitor.get(&path).await?.expect(StatusCode::OK)?.status)
    }

    async fn send(&mut self, path: &str, fields: &[(String, String)]) -> Result<Reply, Wrong> {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.visitor.send_form(path, &fields).await
    }
}

impl Script for Shopper {
    async fn next(&mut self) -> Result<StatusCode, Wrong> {
        self.place += 1;
        match (self.place % SCRIPT, &self.stage) {
            (10, _) => self.add_line().await,
            (14 | 18, Stage::Chosen) => self.open_cart().await,
            (16 | 20 | 22, Stage::Chosen) => self.count().await,
            (30, Stage::Chosen) => self.open_checkout().await,
            (34, Stage::Paying(_)) => self.submit().await,
            (36, Stage::Bought(_)) => {
                let thanked = self.open_thanks().await;
                self.stage = Stage::Looking;
                thanked.map(|_| StatusCode::OK)
            }
            _ => self.browse().await,
        }
    }
}

/// The number of an order of the test channel, such as `TEST-1004`.
fn number_in(page: &str) -> Option<String> {
    let rest = page.split_once("TEST-")?.1;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then(|| format!("TEST-{digits}"))
}
