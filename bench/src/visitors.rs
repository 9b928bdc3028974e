//! Who visits the shop: some look around, some buy by the API, some by the pages, and some stay all the time with a cart, a checkout that
//! waits for its second step, or an order that they send again and again.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use cart_api::{AddLine, CartAnswer, CartCreated};
use catalog_api::{ProductAnswer, ProductPage, StockBand, VariantId};
use checkout_api::{CompleteCart, Completion, CompletionStatus};
use http::StatusCode;
use kernel::{Problem, Quantity, Token, headers};
use orders_api::{OrderAnswer, OrderState};
use payments_api::{NextAction, PaymentChoice, PaymentMethods};
use serde::Serialize;

use crate::connection::{Connection, Reply, get};
use crate::crowd::{Done, Visitor};
use crate::line::{Cookies, Fault, Line, expect, hidden, json, page, redirect, unescaped};
use crate::shoppers::address;

/// A card that asks for a second step.
const SECOND_STEP: &str = "0000000000003000";
/// A card that the bank refuses.
const DECLINED: &str = "0000000000002001";
/// How often somebody tries to finish before giving up.
const TRIES: u32 = 12;
/// What a browser says.
const BROWSER: (&str, &str) = ("accept", "text/html");

/// Something one can buy.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    slug: String,
    title: String,
    variant: VariantId,
    options: Vec<(String, String)>,
}

/// What the shop has, as it was before anybody came.
#[derive(Debug)]
pub(crate) struct Shop {
    address: SocketAddr,
    items: Vec<Item>,
    /// Whether test cards are taken, so that there are second steps and refusals.
    has_cards: bool,
    /// Names this run in the addresses of its shoppers.
    run: String,
}

impl Shop {
    /// Looks at what is for sale and how one pays.
    ///
    /// # Errors
    /// The shop does not answer as its contract says: there is nothing to begin with.
    pub(crate) async fn discover(address: SocketAddr, run: &str) -> anyhow::Result<Self> {
        let mut connection = Connection::open(address).await?;
        let mut ask = async |path: &str| connection.exchange(get(address, path, &[])?).await;
        let listing: ProductPage = ask("/store/v1/products").await?.json(StatusCode::OK)?;
        let mut items = Vec::new();
        for summary in &listing.items {
            let product: ProductAnswer = ask(&format!("/store/v1/products/{}", summary.slug)).await?.json(StatusCode::OK)?;
            for variant in product.variants.iter().filter(|variant| variant.stock == StockBand::In) {
                let options = variant.options.iter().map(|(name, value)| (format!("option.{name}"), value.clone())).collect();
                items.push(Item { slug: product.slug.clone(), title: product.title.clone(), variant: variant.id, options });
            }
        }
        anyhow::ensure!(!items.is_empty(), "nothing of what is listed first is in stock");
        let methods: PaymentMethods = ask("/store/v1/payment-methods").await?.json(StatusCode::OK)?;
        let has_cards = methods.items.iter().any(|method| method.test_cards.iter().any(|card| card.number == SECOND_STEP));
        anyhow::ensure!(methods.items.iter().any(|method| method.provider == "manual"), "one cannot pay by bank transfer");
        Ok(Self { address, items, has_cards, run: run.to_owned() })
    }
}

/// A sale that was answered to a shopper.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sale {
    pub(crate) id: String,
    /// Its number; pages of a checkout do not tell it.
    pub(crate) number: Option<String>,
    pub(crate) email: String,
    /// How often the shopper had to send it.
    pub(crate) tries: u32,
}

/// What the visitors who stayed have seen.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Kept {
    /// How often somebody looked at a cart that was there from the beginning.
    pub(crate) carts_looked_at: u64,
    /// How often it was not as it was left.
    pub(crate) carts_lost: u64,
    /// How often an order was sent again with the same key.
    pub(crate) keys_repeated: u64,
    /// How often the answer was another.
    pub(crate) keys_answered_otherwise: u64,
    /// Checkouts that waited for their second step until the end.
    pub(crate) checkouts_in_flight: u64,
    /// How many of them could not be finished.
    pub(crate) checkouts_lost: u64,
}

impl Kept {
    /// Both together.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            carts_looked_at: self.carts_looked_at + other.carts_looked_at,
            carts_lost: self.carts_lost + other.carts_lost,
            keys_repeated: self.keys_repeated + other.keys_repeated,
            keys_answered_otherwise: self.keys_answered_otherwise + other.keys_answered_otherwise,
            checkouts_in_flight: self.checkouts_in_flight + other.checkouts_in_flight,
            checkouts_lost: self.checkouts_lost + other.checkouts_lost,
        }
    }
}

/// Any visitor.
pub(crate) enum Anybody {
    Looker(Looker),
    Buyer(Box<Buyer>),
    Browser(Box<Browser>),
}

/// As many as are asked for: of ten six look around, two buy by the API, one by the pages, one stays.
pub(crate) fn crowd(shop: &Arc<Shop>, count: u32) -> anyhow::Result<Vec<Anybody>> {
    (0..count)
        .map(|number| {
            let shop = Arc::clone(shop);
            let visitor = Dice(u64::from(number) + 1);
            Ok(match (number % 10, number % 40) {
                (0..=5, _) => Anybody::Looker(Looker { line: Line::new(shop.address), shop, dice: visitor, turn: number, style: None }),
                (6 | 7, _) => Anybody::Buyer(Box::new(Buyer::new(shop, number, None))),
                (8, _) => Anybody::Browser(Box::new(Browser::new(shop, number, false)?)),
                (_, 9) => Anybody::Buyer(Box::new(Buyer::new(shop, number, Some(Rest::Cart)))),
                (_, 19) => Anybody::Browser(Box::new(Browser::new(shop, number, true)?)),
                (_, 29) => Anybody::Buyer(Box::new(Buyer::new(shop, number, Some(Rest::Repeat)))),
                _ if shop.has_cards => Anybody::Buyer(Box::new(Buyer::new(shop, number, Some(Rest::InFlight)))),
                _ => Anybody::Buyer(Box::new(Buyer::new(shop, number, Some(Rest::Cart)))),
            })
        })
        .collect()
}

impl Anybody {
    /// The sales that were answered to this one.
    pub(crate) fn sales(&self) -> &[Sale] {
        match self {
            Self::Looker(_) => &[],
            Self::Buyer(buyer) => &buyer.sales,
            Self::Browser(browser) => &browser.sales,
        }
    }

    /// Who sent an order and was never told what became of it.
    pub(crate) fn unanswered(&self) -> Option<String> {
        match self {
            Self::Looker(_) => None,
            Self::Buyer(buyer) => buyer.has_sent().then(|| buyer.email()),
            Self::Browser(browser) => browser.has_sent().then(|| browser.email()),
        }
    }

    /// What this one has seen.
    pub(crate) fn kept(&self) -> Kept {
        match self {
            Self::Looker(_) => Kept::default(),
            Self::Buyer(buyer) => Kept { checkouts_lost: u64::from(buyer.rest == Some(Rest::InFlight) && buyer.has_sent()), ..buyer.kept },
            Self::Browser(browser) => browser.kept,
        }
    }
}

impl Visitor for Anybody {
    async fn step(&mut self) -> Done {
        match self {
            Self::Looker(looker) => looker.step().await,
            Self::Buyer(buyer) => buyer.step().await,
            Self::Browser(browser) => browser.step().await,
        }
    }

    async fn finish(&mut self) -> Option<Done> {
        match self {
            Self::Looker(_) => None,
            Self::Buyer(buyer) => buyer.finish().await,
            Self::Browser(browser) => browser.finish().await,
        }
    }
}

/// Chance that is the same in every run.
struct Dice(u64);

impl Dice {
    fn choose<'of, T>(&mut self, of: &'of [T]) -> Result<&'of T, Fault> {
        // Knuth's constants; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(self.0 >> 33).ok().and_then(|number| number.checked_rem(of.len()));
        place.and_then(|place| of.get(place)).ok_or_else(|| Fault::wrong("nothing to choose from"))
    }
}

/// Somebody who looks around.
pub(crate) struct Looker {
    line: Line,
    shop: Arc<Shop>,
    dice: Dice,
    turn: u32,
    style: Option<String>,
}

impl Looker {
    async fn step(&mut self) -> Done {
        self.turn += 1;
        let (name, outcome) = match self.turn % 7 {
            0 => ("home, page", self.home().await),
            1 => ("style sheet", self.style().await),
            2 => ("list, page", self.list("/products").await),
            3 => ("list, API", self.list_by_api("/store/v1/products").await),
            4 => ("product, page", self.product().await),
            5 => ("product, API", self.product_by_api().await),
            _ => ("narrowed list, API", self.list_by_api("/store/v1/products?in_stock=true&sort=price_ascending&limit=12").await),
        };
        Done { name, outcome }
    }

    async fn home(&mut self) -> Result<(), Fault> {
        let reply = self.line.ask(self.line.get("/", &[BROWSER])?).await?;
        let text = page(&reply, StatusCode::OK)?;
        let style = text.split('"').find(|part| part.starts_with("/static/") && part.ends_with(".css"));
        self.style = Some(style.ok_or_else(|| Fault::wrong("a home page without a style sheet"))?.to_owned());
        Ok(())
    }

    /// What the page before named, as a browser asks for it a moment later.
    async fn style(&mut self) -> Result<(), Fault> {
        let Some(style) = self.style.take() else { return self.home().await };
        let reply = self.line.ask(self.line.get(&style, &[])?).await?;
        expect(&reply, StatusCode::OK)?;
        if reply.body.is_empty() { Err(Fault::wrong("an empty style sheet")) } else { Ok(()) }
    }

    async fn list(&mut self, path: &str) -> Result<(), Fault> {
        let reply = self.line.ask(self.line.get(path, &[BROWSER])?).await?;
        let text = page(&reply, StatusCode::OK)?;
        if text.contains("href=\"/products/") { Ok(()) } else { Err(Fault::wrong("a list without products")) }
    }

    async fn list_by_api(&mut self, path: &str) -> Result<(), Fault> {
        let reply = self.line.ask(self.line.get(path, &[])?).await?;
        let list: ProductPage = json(&reply, StatusCode::OK)?;
        if list.items.is_empty() { Err(Fault::wrong("an empty list")) } else { Ok(()) }
    }

    async fn product(&mut self) -> Result<(), Fault> {
        let item = self.dice.choose(&self.shop.items)?;
        let reply = self.line.ask(self.line.get(&format!("/products/{}", item.slug), &[BROWSER])?).await?;
        let text = unescaped(&page(&reply, StatusCode::OK)?);
        if text.contains(&item.title) { Ok(()) } else { Err(Fault::wrong(format_args!("the page of {} does not name it", item.slug))) }
    }

    async fn product_by_api(&mut self) -> Result<(), Fault> {
        let item = self.dice.choose(&self.shop.items)?;
        let reply = self.line.ask(self.line.get(&format!("/store/v1/products/{}", item.slug), &[])?).await?;
        let product: ProductAnswer = json(&reply, StatusCode::OK)?;
        if product.slug == item.slug { Ok(()) } else { Err(Fault::wrong(format_args!("{} instead of {}", product.slug, item.slug))) }
    }
}

/// Where somebody stays until the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// With a filled cart.
    Cart,
    /// With a checkout that waits for its second step.
    InFlight,
    /// With an order that is sent again and again.
    Repeat,
}

/// Where a purchase by the API stands.
enum Stage {
    Begin,
    Fill,
    Look,
    Complete { tries: u32 },
    Wait { url: String, tries: u32 },
    Resume { tries: u32 },
    Read { order: String },
}

/// Somebody who buys by the API.
pub(crate) struct Buyer {
    line: Line,
    shop: Arc<Shop>,
    dice: Dice,
    number: u32,
    rest: Option<Rest>,
    stage: Stage,
    /// The cart's path, its secret, and the key of the order.
    path: String,
    token: String,
    key: String,
    variant: Option<VariantId>,
    cart: Option<CartAnswer>,
    /// What was sent and answered, to send it again.
    sent: Option<(CompleteCart, Bytes)>,
    purchases: u32,
    card: Option<&'static str>,
    is_finishing: bool,
    tries_to_finish: u32,
    sales: Vec<Sale>,
    kept: Kept,
}

impl Buyer {
    fn new(shop: Arc<Shop>, number: u32, rest: Option<Rest>) -> Self {
        Self {
            line: Line::new(shop.address),
            dice: Dice(u64::from(number) + 1),
            shop,
            number,
            rest,
            stage: Stage::Begin,
            path: String::new(),
            token: String::new(),
            key: String::new(),
            variant: None,
            cart: None,
            sent: None,
            purchases: 0,
            card: None,
            is_finishing: false,
            tries_to_finish: 0,
            sales: Vec::new(),
            kept: Kept::default(),
        }
    }

    fn email(&self) -> String {
        format!("{}-{}@load.example", self.shop.run, self.number)
    }

    const fn has_sent(&self) -> bool {
        matches!(self.stage, Stage::Complete { tries: 1.. } | Stage::Wait { .. } | Stage::Resume { .. })
    }

    fn rests(&self, rest: Rest) -> bool {
        !self.is_finishing && self.rest == Some(rest)
    }

    async fn finish(&mut self) -> Option<Done> {
        self.is_finishing = true;
        self.tries_to_finish += 1;
        let is_open = self.has_sent() || (self.rest == Some(Rest::Cart) && matches!(self.stage, Stage::Look | Stage::Complete { .. }));
        if is_open && self.tries_to_finish <= TRIES { Some(self.step().await) } else { None }
    }

    async fn step(&mut self) -> Done {
        let (name, outcome) = match &self.stage {
            Stage::Begin => ("cart, new", self.begin().await),
            Stage::Fill => ("cart, add", self.fill().await),
            Stage::Look => ("cart, read", self.look().await),
            &Stage::Complete { tries } => ("checkout", self.complete(tries + 1).await),
            Stage::Wait { url, tries } => {
                let (url, tries) = (url.clone(), *tries);
                if self.rests(Rest::InFlight) { ("checkout, ask again", self.ask_again().await) } else { ("second step", self.approve(&url, tries).await) }
            }
            &Stage::Resume { tries } => ("checkout, resume", self.resume(tries).await),
            Stage::Read { order } => {
                let order = order.clone();
                if self.rests(Rest::Repeat) { ("checkout, same key", self.repeat().await) } else { ("order, read", self.read(&order).await) }
            }
        };
        Done { name, outcome }
    }

    async fn begin(&mut self) -> Result<(), Fault> {
        let reply = self.line.ask(self.line.post("/store/v1/carts", &[], &())?).await?;
        let created: CartCreated = json(&reply, StatusCode::CREATED)?;
        self.path = format!("/store/v1/carts/{}", created.cart.id);
        (self.token, self.key) = (created.token.reveal(), Token::generate().reveal());
        self.purchases += 1;
        self.card = match (self.shop.has_cards, self.rest, self.purchases % 8) {
            (true, Some(Rest::InFlight), _) | (true, None, 3) => Some(SECOND_STEP),
            (true, None, 6) => Some(DECLINED),
            _ => None,
        };
        self.variant = Some(self.dice.choose(&self.shop.items)?.variant);
        self.stage = Stage::Fill;
        Ok(())
    }

    async fn fill(&mut self) -> Result<(), Fault> {
        let variant_id = self.variant.ok_or_else(|| Fault::wrong("nothing chosen"))?;
        let line = AddLine { variant_id, quantity: Quantity::ONE };
        let request = self.line.post(&format!("{}/lines", self.path), &[(headers::CART_TOKEN, &self.token)], &line)?;
        // Whether it was put in when no answer came is not known: a shopper looks, or begins anew.
        let reply = self.line.ask(request).await.inspect_err(|_| self.stage = Stage::Begin)?;
        let cart: CartAnswer = json(&reply, StatusCode::OK).inspect_err(|_| self.stage = Stage::Begin)?;
        self.check(&cart)?;
        self.cart = Some(cart);
        self.stage = Stage::Look;
        Ok(())
    }

    fn check(&self, cart: &CartAnswer) -> Result<(), Fault> {
        let is_right = cart.lines.iter().map(|line| Some(line.variant_id)).eq([self.variant]) && cart.lines.iter().all(|line| line.quantity == Quantity::ONE);
        if is_right { Ok(()) } else { Err(Fault::wrong("the cart does not hold what was put in")) }
    }

    async fn look(&mut self) -> Result<(), Fault> {
        let reply = self.line.ask(self.line.get(&self.path, &[(headers::CART_TOKEN, &self.token)])?).await?;
        let stays = self.rests(Rest::Cart);
        self.kept.carts_looked_at += u64::from(stays);
        let seen = json::<CartAnswer>(&reply, StatusCode::OK).and_then(|cart| self.check(&cart));
        // A server that cannot answer has lost nothing.
        self.kept.carts_lost += u64::from(stays && matches!(seen, Err(Fault::Wrong(_))));
        seen?;
        if !stays {
            self.stage = Stage::Complete { tries: 0 };
        }
        Ok(())
    }

    fn order(&self) -> Result<CompleteCart, Fault> {
        let cart = self.cart.as_ref().ok_or_else(|| Fault::wrong("no cart"))?;
        let provider = if self.card.is_some() { "sandbox" } else { "manual" };
        Ok(CompleteCart {
            email: self.email(),
            shipping_address: address().map_err(Fault::wrong)?,
            billing_address: None,
            payment: PaymentChoice { provider: provider.to_owned(), test_card: self.card.map(ToOwned::to_owned) },
            expected_total: cart.totals.total,
            return_url: self.card.map(|_| "/checkout/return".to_owned()),
        })
    }

    /// Sends the order. Whatever happens it is sent again with the same key until there is an answer.
    async fn complete(&mut self, tries: u32) -> Result<(), Fault> {
        self.stage = Stage::Complete { tries };
        let order = self.order()?;
        let headers = [(headers::CART_TOKEN, self.token.as_str()), (headers::IDEMPOTENCY_KEY, self.key.as_str())];
        let reply = self.line.ask(self.line.post(&format!("{}/complete", self.path), &headers, &order)?).await?;
        if tries > 1 && is_problem(&reply, "in_progress") {
            return Ok(());
        }
        if self.card == Some(DECLINED) && reply.status == StatusCode::PAYMENT_REQUIRED {
            // Another way to pay, which is another order.
            (self.card, self.key) = (None, Token::generate().reveal());
            self.stage = Stage::Complete { tries: 0 };
            return Ok(());
        }
        if self.card == Some(SECOND_STEP) {
            let completion: Completion = json(&reply, StatusCode::ACCEPTED)?;
            let Some(NextAction::Redirect { url }) = completion.next_action else { return Ok(()) };
            self.kept.checkouts_in_flight += u64::from(self.rest == Some(Rest::InFlight));
            self.stage = Stage::Wait { url, tries };
            return Ok(());
        }
        let completion: Completion = json(&reply, StatusCode::OK)?;
        self.sent = Some((order, reply.body));
        self.sold(&completion, tries)
    }

    fn sold(&mut self, completion: &Completion, tries: u32) -> Result<(), Fault> {
        let order = &completion.order;
        if completion.status != CompletionStatus::Placed || order.state != OrderState::Placed || order.number.is_none() {
            return Err(Fault::wrong(format_args!("not placed: {:?}, {:?}", completion.status, order.state)));
        }
        let agreed = self.cart.as_ref().map(|cart| cart.totals.total);
        self.sales.push(Sale { id: order.id.to_string(), number: order.number.clone(), email: self.email(), tries });
        self.stage = Stage::Read { order: order.id.to_string() };
        if Some(order.totals.total) == agreed { Ok(()) } else { Err(Fault::wrong("another total than was agreed to")) }
    }

    /// How the checkout stands that waits for its second step: it still does.
    async fn ask_again(&mut self) -> Result<(), Fault> {
        let reply = self.line.ask(self.line.post(&format!("{}/resume", self.path), &[(headers::CART_TOKEN, &self.token)], &())?).await?;
        let completion: Completion = json(&reply, StatusCode::ACCEPTED)?;
        if completion.status == CompletionStatus::RequiresAction { Ok(()) } else { Err(Fault::wrong("the second step is no longer asked for")) }
    }

    async fn approve(&mut self, url: &str, tries: u32) -> Result<(), Fault> {
        let path = url.find("/sandbox/").and_then(|start| url.get(start..)).unwrap_or(url);
        let decision = [("decision".to_owned(), "approve".to_owned())];
        let reply = self.line.ask(self.line.form(path, &[BROWSER], &decision)?).await?;
        redirect(&reply)?;
        self.stage = Stage::Resume { tries };
        Ok(())
    }

    async fn resume(&mut self, tries: u32) -> Result<(), Fault> {
        let reply = self.line.ask(self.line.post(&format!("{}/resume", self.path), &[(headers::CART_TOKEN, &self.token)], &())?).await?;
        if is_problem(&reply, "in_progress") {
            return Ok(());
        }
        let completion: Completion = json(&reply, StatusCode::OK)?;
        self.sold(&completion, tries)
    }

    async fn repeat(&mut self) -> Result<(), Fault> {
        let Some((order, answered)) = &self.sent else { return Err(Fault::wrong("nothing was sent")) };
        let headers = [(headers::CART_TOKEN, self.token.as_str()), (headers::IDEMPOTENCY_KEY, self.key.as_str())];
        let reply = self.line.ask(self.line.post(&format!("{}/complete", self.path), &headers, order)?).await?;
        self.kept.keys_repeated += 1;
        expect(&reply, StatusCode::OK).inspect_err(|fault| self.kept.keys_answered_otherwise += u64::from(matches!(fault, Fault::Wrong(_))))?;
        if reply.body == *answered {
            return Ok(());
        }
        self.kept.keys_answered_otherwise += 1;
        Err(Fault::wrong("the same key was answered otherwise"))
    }

    async fn read(&mut self, order: &str) -> Result<(), Fault> {
        let reply = self.line.ask(self.line.get(&format!("/store/v1/orders/{order}"), &[(headers::ORDER_TOKEN, &self.token)])?).await?;
        let read: OrderAnswer = json(&reply, StatusCode::OK)?;
        self.stage = Stage::Begin;
        if read.id.to_string() == order && read.state == OrderState::Placed { Ok(()) } else { Err(Fault::wrong("another order, or no longer placed")) }
    }
}

fn is_problem(reply: &Reply, code: &str) -> bool {
    reply.status == StatusCode::CONFLICT && serde_json::from_slice::<Problem>(&reply.body).is_ok_and(|problem| problem.code() == code)
}

/// Where a purchase by the pages stands.
enum Place {
    Product,
    Cart,
    Checkout,
    Send { fields: Vec<(String, String)>, tries: u32 },
    Thanks { path: String },
}

/// Somebody who buys as people do: by pages, forms and cookies, without scripts.
pub(crate) struct Browser {
    line: Line,
    shop: Arc<Shop>,
    dice: Dice,
    number: u32,
    stays: bool,
    place: Place,
    item: Item,
    cookies: Cookies,
    is_finishing: bool,
    tries_to_finish: u32,
    sales: Vec<Sale>,
    kept: Kept,
}

impl Browser {
    fn new(shop: Arc<Shop>, number: u32, stays: bool) -> anyhow::Result<Self> {
        let item = shop.items.first().context("nothing for sale")?.clone();
        Ok(Self {
            line: Line::new(shop.address),
            dice: Dice(u64::from(number) + 1),
            shop,
            number,
            stays,
            place: Place::Product,
            item,
            cookies: Cookies::default(),
            is_finishing: false,
            tries_to_finish: 0,
            sales: Vec::new(),
            kept: Kept::default(),
        })
    }

    fn email(&self) -> String {
        format!("{}-{}@load.example", self.shop.run, self.number)
    }

    const fn has_sent(&self) -> bool {
        matches!(self.place, Place::Send { tries: 1.., .. })
    }

    async fn finish(&mut self) -> Option<Done> {
        self.is_finishing = true;
        self.tries_to_finish += 1;
        let is_open = self.has_sent() || (self.stays && matches!(self.place, Place::Cart | Place::Checkout | Place::Send { .. }));
        if is_open && self.tries_to_finish <= TRIES { Some(self.step().await) } else { None }
    }

    async fn step(&mut self) -> Done {
        let (name, outcome) = match &self.place {
            Place::Product => ("put in cart, page", self.put_in().await),
            Place::Cart => ("cart, page", self.cart().await),
            Place::Checkout => ("checkout form, page", self.checkout().await),
            Place::Send { fields, tries } => {
                let (fields, tries) = (fields.clone(), *tries);
                ("order, page", self.send(fields, tries + 1).await)
            }
            Place::Thanks { path } => {
                let path = path.clone();
                ("thanks, page", self.thanks(&path).await)
            }
        };
        Done { name, outcome }
    }

    async fn load(&mut self, path: &str) -> Result<String, Fault> {
        let request = self.line.get(path, &[BROWSER, ("cookie", &self.cookies.header())])?;
        let reply = self.line.ask(request).await?;
        let text = page(&reply, StatusCode::OK)?;
        self.cookies.keep(&reply.headers);
        Ok(text)
    }

    async fn submit(&mut self, path: &str, fields: &[(String, String)]) -> Result<String, Fault> {
        let request = self.line.form(path, &[BROWSER, ("cookie", &self.cookies.header())], fields)?;
        let reply = self.line.ask(request).await?;
        let location = redirect(&reply)?;
        self.cookies.keep(&reply.headers);
        Ok(location)
    }

    async fn put_in(&mut self) -> Result<(), Fault> {
        self.item = self.dice.choose(&self.shop.items)?.clone();
        // Whoever does not know whether something was put in begins with an empty cart.
        self.cookies = Cookies::default();
        let mut fields = vec![("product".to_owned(), self.item.slug.clone()), ("quantity".to_owned(), "1".to_owned())];
        fields.extend(self.item.options.iter().cloned());
        let location = self.submit("/cart/lines", &fields).await?;
        if !location.starts_with("/cart") {
            return Err(Fault::wrong(format_args!("not put in, but led to {location}")));
        }
        self.place = Place::Cart;
        Ok(())
    }

    async fn cart(&mut self) -> Result<(), Fault> {
        let stays = self.stays && !self.is_finishing;
        let text = self.load("/cart").await?;
        self.kept.carts_looked_at += u64::from(stays);
        if !unescaped(&text).contains(&self.item.title) {
            self.kept.carts_lost += u64::from(stays);
            return Err(Fault::wrong("the cart does not hold what was put in"));
        }
        if !stays {
            self.place = Place::Checkout;
        }
        Ok(())
    }

    async fn checkout(&mut self) -> Result<(), Fault> {
        let text = self.load("/checkout").await?;
        let mut fields = Vec::new();
        for name in ["key", "cart", "expected_amount", "expected_currency"] {
            fields.push((name.to_owned(), hidden(&text, name)?));
        }
        let typed = [
            ("email", self.email()),
            ("country", "AT".to_owned()),
            ("name", "Ada Example".to_owned()),
            ("street", "Quay 1".to_owned()),
            ("postcode", "1010".to_owned()),
            ("city", "Vienna".to_owned()),
            ("payment", "manual".to_owned()),
            ("billed_there", "on".to_owned()),
        ];
        fields.extend(typed.map(|(name, value)| (name.to_owned(), value)));
        self.place = Place::Send { fields, tries: 0 };
        Ok(())
    }

    /// Sends the form; the same form again if there was no answer.
    async fn send(&mut self, fields: Vec<(String, String)>, tries: u32) -> Result<(), Fault> {
        self.place = Place::Send { fields: fields.clone(), tries };
        let location = self.submit("/checkout", &fields).await?;
        // The one before has not ended yet; the waiting page leads on.
        if tries > 1 && location.starts_with("/checkout/return") {
            return Ok(());
        }
        let Some(order) = location.strip_prefix("/checkout/thanks/") else { return Err(Fault::wrong(format_args!("not placed, but led to {location}"))) };
        self.sales.push(Sale { id: order.to_owned(), number: None, email: self.email(), tries });
        self.place = Place::Thanks { path: location };
        Ok(())
    }

    async fn thanks(&mut self, path: &str) -> Result<(), Fault> {
        let text = self.load(path).await?;
        self.place = Place::Product;
        if unescaped(&text).contains(&self.item.title) { Ok(()) } else { Err(Fault::wrong("the confirmation does not name what was bought")) }
    }
}
