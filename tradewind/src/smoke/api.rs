//! The API, as a front end of somebody else calls it.

use std::sync::Arc;

use anyhow::Context as _;
use cart_api::{AddLine, CartAnswer, CartCreated, CartId, UpdateLine};
use catalog_api::{ChannelAnswer, ChannelKind, ProductAnswer, ProductPage, StockBand, VariantId};
use checkout_api::{CompleteCart, Completion, CompletionStatus};
use http::{Method, StatusCode};
use kernel::{Country, Quantity, Token, headers};
use orders_api::{Address, OrderAnswer, OrderState};
use payments_api::PaymentChoice;

use super::load::Script;
use super::visitor::{Reply, Sent, Visitor, Wrong};
use super::{APPROVED_CARD, CHANNEL, Trial};

/// How many products are looked at.
const PRODUCTS: usize = 12;
/// How many requests a shopper makes for one purchase. With so many, the load of a minute stays below what one address may change and buy in a
/// minute (`limits`), wherever it comes from.
const SCRIPT: usize = 60;

/// Buys once.
///
/// # Errors
/// An answer is not right; the error names the step.
pub(super) async fn buy(mut visitor: Visitor) -> anyhow::Result<Trial> {
    let channel = find_channel(&mut visitor).await.context("asking for the channel")?;
    let shelf = match find_products(&mut visitor).await.context("looking for something to buy")? {
        slugs if slugs.is_empty() && sells_nothing(&visitor).await.context("looking at the default channel")? => return Ok(Trial::Empty),
        slugs => Shelf::of(&mut visitor, &channel, slugs).await?,
    };
    let mut shopper = Shopper::new(visitor, shelf, 0);
    shopper.create_cart().await.context("beginning a cart")?;
    shopper.add_line().await.context("putting a product into the cart")?;
    shopper.change_line().await.context("changing the quantity")?;
    shopper.look().await.context("looking at the cart")?;
    let key = Token::generate().reveal();
    let order = shopper.complete(&key).await.context("buying the cart")?;
    let number = order.number.clone().context("buying the cart: a sale without a number")?;
    anyhow::ensure!(number.starts_with(&channel.order_number_prefix), "buying the cart: order {number} is none of the channel {CHANNEL}");
    let again = shopper.complete(&key).await.context("sending the purchase a second time")?;
    anyhow::ensure!(again.id == order.id, "sending the purchase a second time: another order than the first was made");
    shopper.find_order(&order).await.context("looking at the order")?;
    Ok(Trial::Bought(number))
}

async fn find_channel(visitor: &mut Visitor) -> Result<ChannelAnswer, Wrong> {
    let reply = visitor.get_at_last("/store/v1/channel").await?.expect(StatusCode::OK)?;
    let channel: ChannelAnswer = reply.read()?;
    if channel.code != CHANNEL || channel.kind != ChannelKind::Test {
        return Err(reply.wrong(format_args!("the channel {} is not the one for trials; nothing is bought there", channel.code)));
    }
    Ok(channel)
}

async fn find_products(visitor: &mut Visitor) -> Result<Vec<String>, Wrong> {
    let page: ProductPage = visitor.get(&format!("/store/v1/products?in_stock=true&limit={PRODUCTS}")).await?.expect(StatusCode::OK)?.read()?;
    Ok(page.items.into_iter().map(|product| product.slug).collect())
}

/// Whether not even the default channel has a product: the shop is new.
async fn sells_nothing(visitor: &Visitor) -> Result<bool, Wrong> {
    let page: ProductPage = visitor.clone().without_headers().get("/store/v1/products?limit=1").await?.expect(StatusCode::OK)?.read()?;
    Ok(page.items.is_empty())
}

/// What is for sale.
#[derive(Clone)]
pub(super) struct Shelf {
    slugs: Arc<[String]>,
    variants: Arc<[VariantId]>,
    /// Where the channel delivers to.
    country: Country,
}

impl Shelf {
    /// Looks at what the channel sells.
    ///
    /// # Errors
    /// There is nothing, or an answer is not right.
    pub(super) async fn look(mut visitor: Visitor) -> anyhow::Result<Self> {
        let channel = find_channel(&mut visitor).await.context("asking for the channel")?;
        let slugs = find_products(&mut visitor).await.context("looking for something to buy")?;
        Self::of(&mut visitor, &channel, slugs).await
    }

    async fn of(visitor: &mut Visitor, channel: &ChannelAnswer, slugs: Vec<String>) -> anyhow::Result<Self> {
        let mut variants = Vec::new();
        for slug in &slugs {
            let product = find_product(visitor, slug).await.with_context(|| format!("looking at the product {slug}"))?;
            variants.extend(product.variants.into_iter().filter(|variant| variant.stock == StockBand::In).map(|variant| variant.id));
        }
        anyhow::ensure!(
            !variants.is_empty(),
            "looking for something to buy: the channel {CHANNEL} has nothing in stock. Products that are sold in every channel are sold in it, too; \
             give the stock location of that channel some units of one (back office, Stock)"
        );
        let country = *channel.countries.first().context("asking for the channel: it delivers nowhere")?;
        Ok(Self { slugs: slugs.into(), variants: variants.into(), country })
    }
}

async fn find_product(visitor: &mut Visitor, slug: &str) -> Result<ProductAnswer, Wrong> {
    let reply = visitor.get(&format!("/store/v1/products/{slug}")).await?.expect(StatusCode::OK)?;
    let product: ProductAnswer = reply.read()?;
    if product.slug == slug { Ok(product) } else { Err(reply.wrong(format_args!("the product {} instead of {slug}", product.slug))) }
}

/// Somebody who looks around, and buys now and then.
pub(super) struct Shopper {
    visitor: Visitor,
    shelf: Shelf,
    /// Where in the script they are; each begins elsewhere, so that not all buy at once.
    place: usize,
    cart: Option<Cart>,
}

struct Cart {
    id: CartId,
    token: String,
    content: CartAnswer,
}

impl Shopper {
    pub(super) fn new(visitor: Visitor, shelf: Shelf, number: usize) -> Self {
        Self { visitor, shelf, place: number * SCRIPT / super::VISITORS, cart: None }
    }

    async fn create_cart(&mut self) -> Result<StatusCode, Wrong> {
        self.cart = None;
        let reply = self.visitor.exchange(Method::POST, "/store/v1/carts", &[], Sent::Nothing).await?.expect(StatusCode::CREATED)?;
        let CartCreated { cart, token } = reply.read()?;
        if cart.channel != CHANNEL {
            return Err(reply.wrong(format_args!("a cart of the channel {}", cart.channel)));
        }
        self.cart = Some(Cart { id: cart.id, token: token.reveal(), content: cart });
        Ok(reply.status)
    }

    async fn add_line(&mut self) -> Result<StatusCode, Wrong> {
        let variant = self.shelf.variants.get(self.place.checked_rem(self.shelf.variants.len()).unwrap_or_default()).copied();
        let variant_id = variant.ok_or_else(|| Wrong::silence("nothing is for sale"))?;
        let line = Sent::json(&AddLine { variant_id, quantity: Quantity::ONE })?;
        let reply = self.at_cart(Method::POST, "/lines", line).await?;
        self.keep(&reply, |cart| cart.lines.iter().map(|line| (line.variant_id, line.quantity)).eq([(variant_id, Quantity::ONE)]))
    }

    async fn change_line(&mut self) -> Result<StatusCode, Wrong> {
        let line = self.cart.as_ref().and_then(|cart| cart.content.lines.first()).map(|line| line.id).ok_or_else(no_cart)?;
        let quantity = Quantity::new(2).map_err(Wrong::silence)?;
        let reply = self.at_cart(Method::PATCH, &format!("/lines/{line}"), Sent::json(&UpdateLine { quantity })?).await?;
        self.keep(&reply, |cart| cart.lines.iter().map(|line| line.quantity).eq([quantity]))
    }

    async fn look(&mut self) -> Result<StatusCode, Wrong> {
        let before = self.cart.as_ref().map(|cart| cart.content.totals.total).ok_or_else(no_cart)?;
        let reply = self.at_cart(Method::GET, "", Sent::Nothing).await?;
        self.keep(&reply, |cart| cart.totals.total == before)
    }

    async fn complete(&mut self, key: &str) -> Result<OrderAnswer, Wrong> {
        let cart = self.cart.as_ref().ok_or_else(no_cart)?;
        let agreed = cart.content.totals.total;
        let command = CompleteCart {
            email: "smoke@example.com".to_owned(),
            shipping_address: somewhere(self.shelf.country),
            billing_address: None,
            payment: PaymentChoice { provider: "sandbox".to_owned(), test_card: Some(APPROVED_CARD.to_owned()) },
            expected_total: agreed,
            return_url: None,
        };
        let path = format!("/store/v1/carts/{}/complete", cart.id);
        let headers = [(headers::CART_TOKEN, cart.token.as_str()), (headers::IDEMPOTENCY_KEY, key)];
        let reply = self.visitor.exchange(Method::POST, &path, &headers, Sent::json(&command)?).await?.expect(StatusCode::OK)?;
        let Completion { status, order, .. } = reply.read()?;
        if status != CompletionStatus::Placed || order.state != OrderState::Placed {
            return Err(reply.wrong(format_args!("not placed, but {status:?} and {:?}", order.state)));
        }
        if order.totals.total != agreed {
            return Err(reply.wrong("another total than was agreed to"));
        }
        Ok(order)
    }

    async fn find_order(&mut self, order: &OrderAnswer) -> Result<StatusCode, Wrong> {
        let token = self.cart.as_ref().map(|cart| cart.token.clone()).ok_or_else(no_cart)?;
        let path = format!("/store/v1/orders/{}", order.id);
        let reply = self.visitor.exchange(Method::GET, &path, &[(headers::ORDER_TOKEN, &token)], Sent::Nothing).await?.expect(StatusCode::OK)?;
        let found: OrderAnswer = reply.read()?;
        if (&found.number, found.totals.total) == (&order.number, order.totals.total) { Ok(reply.status) } else { Err(reply.wrong("another order")) }
    }

    async fn browse(&mut self) -> Result<StatusCode, Wrong> {
        let path = match self.place % 6 {
            0 => "/store/v1/channel".to_owned(),
            1 => "/store/v1/categories".to_owned(),
            2 => "/store/v1/products".to_owned(),
            turn => match self.shelf.slugs.get((self.place + turn).checked_rem(self.shelf.slugs.len()).unwrap_or_default()) {
                Some(slug) => return find_product(&mut self.visitor, slug).await.map(|_| StatusCode::OK),
                None => "/store/v1/products".to_owned(),
            },
        };
        Ok(self.visitor.get(&path).await?.expect(StatusCode::OK)?.status)
    }

    async fn at_cart(&mut self, method: Method, action: &str, body: Sent) -> Result<Reply, Wrong> {
        let cart = self.cart.as_ref().ok_or_else(no_cart)?;
        let path = format!("/store/v1/carts/{}{action}", cart.id);
        self.visitor.exchange(method, &path, &[(headers::CART_TOKEN, &cart.token)], body).await?.expect(StatusCode::OK)
    }

    /// Keeps the cart that was answered, if it is as it has to be.
    fn keep(&mut self, reply: &Reply, is_right: impl Fn(&CartAnswer) -> bool) -> Result<StatusCode, Wrong> {
        let content: CartAnswer = reply.read()?;
        if !is_right(&content) {
            return Err(reply.wrong("the cart holds something else"));
        }
        if let Some(cart) = &mut self.cart {
            cart.content = content;
        }
        Ok(reply.status)
    }
}

impl Script for Shopper {
    async fn next(&mut self) -> Result<StatusCode, Wrong> {
        self.place += 1;
        let has_line = self.cart.as_ref().is_some_and(|cart| !cart.content.lines.is_empty());
        match self.place % SCRIPT {
            10 => self.create_cart().await,
            14 if self.cart.is_some() => self.add_line().await,
            20 if has_line => self.change_line().await,
            16 | 18 | 24 | 30 | 36 if has_line => self.look().await,
            40 if has_line => {
                let bought = self.complete(&Token::generate().reveal()).await;
                self.cart = None;
                bought.map(|_| StatusCode::OK)
            }
            _ => self.browse().await,
        }
    }
}

fn no_cart() -> Wrong {
    Wrong::silence("there is no cart to go on with")
}

fn somewhere(country: Country) -> Address {
    let text = str::to_owned;
    Address {
        name: text("Smoke Test"),
        company: None,
        street: text("Quay 1"),
        extra: None,
        postcode: text("1010"),
        city: text("Vienna"),
        region: None,
        country,
        phone: None,
    }
}
