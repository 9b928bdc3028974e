//! The API as the storefront sees it, made by hand: it answers the contracts from memory. This is the outside of the web tier.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use bytes::Bytes;
use cart_api::{AddLine, CartAnswer, CartCreated, CartId, CartLineAnswer, CartLineId, CartState, Notice, Totals, UpdateLine};
use catalog_api::{
    CategoryAnswer, ChannelAnswer, ChannelKind, DeliveryMethod, FacetQuery, List, MediaReference, OptionFacet, OptionFacetValue, OptionFilter, OptionValue,
    PriceRange, ProductAnswer, ProductFacets, ProductOption, ProductPage, ProductQuery, ProductSort, ProductSummary, StockBand, VariantAnswer, VariantId,
};
use checkout_api::{CompleteCart, Completion, CompletionStatus};
use http::{HeaderMap, StatusCode, header};
use kernel::{Currency, Id, Kind, Money, Problem, Quantity, Timestamp, Token};
use orders_api::{OrderAnswer, OrderId, OrderLineAnswer, OrderState, OrderTotals};
use payments_api::{NextAction, PaymentMethod, PaymentMethods, PaymentStatus, TestCard};
use platform::http::{Path, Query};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) const APPROVED: &str = "0000000000001000";
pub(crate) const DECLINED: &str = "0000000000002001";
pub(crate) const SECOND_STEP: &str = "0000000000003000";
pub(crate) const LATE: &str = "0000000000005000";
/// No answer to the first try, as when the API is cut off; placed by the second with the same key.
pub(crate) const LOST: &str = "0000000000004000";

/// The API and what it remembers.
#[derive(Clone)]
pub(crate) struct FakeApi(Arc<Mutex<Memory>>);

pub(crate) struct Memory {
    pub(crate) channel: ChannelAnswer,
    pub(crate) categories: Vec<CategoryAnswer>,
    pub(crate) products: Vec<ProductAnswer>,
    /// How many there are of a variant; plenty if it is not in here.
    pub(crate) stock: HashMap<VariantId, i64>,
    pub(crate) carts: HashMap<CartId, Cart>,
    pub(crate) orders: HashMap<OrderId, (Token, OrderAnswer)>,
    pub(crate) keys: HashMap<String, OrderId>,
    /// Every request: method and path, headers.
    pub(crate) requests: Vec<(String, HeaderMap)>,
    /// Whether every answer is a failure.
    pub(crate) is_down: bool,
    /// Whether a running payment is confirmed.
    pub(crate) is_confirmed: bool,
    pub(crate) resumes: usize,
}

pub(crate) struct Cart {
    pub(crate) token: Token,
    pub(crate) state: CartState,
    pub(crate) lines: Vec<(CartLineId, VariantId, Quantity, Money)>,
    pub(crate) order: Option<OrderId>,
}

impl FakeApi {
    pub(crate) fn new(products: Vec<ProductAnswer>, categories: Vec<CategoryAnswer>) -> Self {
        Self(Arc::new(Mutex::new(Memory {
            channel: channel(),
            categories,
            products,
            stock: HashMap::new(),
            carts: HashMap::new(),
            orders: HashMap::new(),
            keys: HashMap::new(),
            requests: Vec::new(),
            is_down: false,
            is_confirmed: false,
            resumes: 0,
        })))
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap()
    }

    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/store/v1/channel", get(async |State(api): State<Self>| json(&api.memory().channel)))
            .route("/store/v1/categories", get(async |State(api): State<Self>| json(&List { items: api.memory().categories.clone() })))
            .route("/store/v1/products", get(list_products))
            .route("/store/v1/products/{slug}", get(get_product))
            .route("/store/v1/product-facets", get(get_facets))
            .route("/store/v1/payment-methods", get(async || json(&methods())))
            .route("/store/v1/carts", post(create_cart))
            .route("/store/v1/carts/{id}", get(get_cart))
            .route("/store/v1/carts/{id}/lines", post(add_line))
            .route("/store/v1/carts/{id}/lines/{line_id}", patch(update_line).delete(delete_line))
            .route("/store/v1/carts/{id}/complete", post(complete))
            .route("/store/v1/carts/{id}/resume", post(resume))
            .route("/store/v1/orders/{id}", get(get_order))
            .layer(axum::middleware::from_fn_with_state(self.clone(), watch))
            .with_state(self.clone())
    }

    /// The variant of a product by its option values.
    pub(crate) fn variant(&self, slug: &str, values: &[&str]) -> VariantId {
        let memory = self.memory();
        let product = memory.products.iter().find(|product| product.slug == slug).unwrap();
        product.variants.iter().find(|variant| values.iter().all(|value| variant.options.values().any(|known| known == value))).unwrap().id
    }

    pub(crate) fn set_price(&self, id: VariantId, amount_minor: i64) {
        let mut memory = self.memory();
        memory.products.iter_mut().flat_map(|product| &mut product.variants).find(|variant| variant.id == id).unwrap().price = eur(amount_minor);
    }

    pub(crate) fn orders(&self) -> Vec<OrderAnswer> {
        self.memory().orders.values().map(|(_, order)| order.clone()).collect()
    }
}

async fn watch(State(api): State<FakeApi>, request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let is_down = {
        let mut memory = api.memory();
        memory.requests.push((format!("{} {}", request.method(), request.uri()), request.headers().clone()));
        memory.is_down
    };
    if is_down {
        return Problem::unavailable(5).into_response();
    }
    let is_catalogue = ["/store/v1/channel", "/store/v1/categories", "/store/v1/product"].iter().any(|start| request.uri().path().starts_with(start));
    let mut response = next.run(request).await;
    if is_catalogue {
        response.headers_mut().insert("surrogate-key", http::HeaderValue::from_static("catalogue channel:1"));
    }
    response
}

async fn list_products(State(api): State<FakeApi>, Query(query): Query<ProductQuery>) -> Result<Response, Problem> {
    let memory = api.memory();
    let limit = usize::try_from(query.limit.unwrap_or(24)).unwrap();
    let place = |text: &str| text.parse::<usize>().map_err(|_| Problem::invalid_query("after", "must come from another page"));
    let start = match (&query.after, &query.before) {
        (Some(after), _) => place(after)?,
        (None, Some(before)) => place(before)?.saturating_sub(limit),
        (None, None) => 0,
    };
    let asked = FacetQuery {
        category: query.category.clone(),
        in_stock: query.in_stock,
        reduced: query.reduced,
        price_min: query.price_min,
        price_max: query.price_max,
        options: query.options.clone(),
    };
    let mut items: Vec<ProductSummary> = memory.products.iter().filter(|product| fits(product, &asked)).map(summary).collect();
    match query.sort.unwrap_or_default() {
        ProductSort::PriceAscending => items.sort_by_key(|product| product.price.amount_minor()),
        ProductSort::PriceDescending => items.sort_by_key(|product| std::cmp::Reverse(product.price.amount_minor())),
        ProductSort::Title => items.sort_by(|one, other| one.title.cmp(&other.title)),
        ProductSort::Newest => items.reverse(),
        ProductSort::Featured => {}
    }
    let next = (items.len() > start + limit).then(|| (start + limit).to_string());
    let previous = (start > 0).then(|| start.to_string());
    Ok(json(&ProductPage { items: items.into_iter().skip(start).take(limit).collect(), next, previous }))
}

/// Whether a product is listed.
fn fits(product: &ProductAnswer, query: &FacetQuery) -> bool {
    let listed = summary(product);
    let amount = listed.price.amount_minor();
    let is_chosen = |variant: &VariantAnswer| {
        let has = |(name, values): (&str, &BTreeSet<String>)| variant.options.get(name).is_some_and(|value| values.contains(value));
        query.options.iter().flat_map(OptionFilter::options).all(has) && (query.in_stock != Some(true) || variant.stock != StockBand::Out)
    };
    query.category.as_ref().is_none_or(|slug| product.category.as_ref().is_some_and(|category| category.slug == *slug))
        && (query.reduced != Some(true) || listed.compare_at.is_some())
        && (query.price_min.unwrap_or(0)..=query.price_max.unwrap_or(i64::MAX)).contains(&amount)
        && product.variants.iter().any(is_chosen)
}

async fn get_facets(State(api): State<FakeApi>, Query(query): Query<FacetQuery>) -> Response {
    let memory = api.memory();
    let count = |query: &FacetQuery| i64::try_from(memory.products.iter().filter(|product| fits(product, query)).count()).unwrap();
    let options: BTreeMap<&str, Vec<&OptionValue>> = memory.products.iter().flat_map(|product| &product.options).fold(BTreeMap::new(), |mut known, option| {
        let values: &mut Vec<&OptionValue> = known.entry(option.name.as_str()).or_default();
        for value in &option.values {
            if values.iter().all(|other| other.value != value.value) {
                values.push(value);
            }
        }
        known
    });
    let instead = |name: &str, value: &str| {
        let others = query.options.iter().flat_map(OptionFilter::pairs).filter(|(other, _)| *other != name);
        let pairs = others.chain([(name, value)]).map(|(name, value)| (name.to_owned(), value.to_owned()));
        count(&FacetQuery { options: OptionFilter::of(pairs).ok(), ..query.clone() })
    };
    let facet = |(name, values): (&str, Vec<&OptionValue>)| {
        let counted =
            values.into_iter().map(|value| OptionFacetValue { value: value.value.clone(), swatch: value.swatch.clone(), count: instead(name, &value.value) });
        OptionFacet { name: name.to_owned(), values: counted.filter(|value| value.count > 0).collect() }
    };
    let prices: Vec<i64> = memory
        .products
        .iter()
        .filter(|product| fits(product, &FacetQuery { price_min: None, price_max: None, ..query.clone() }))
        .map(|product| summary(product).price.amount_minor())
        .collect();
    json(&ProductFacets {
        total: count(&query),
        in_stock: count(&FacetQuery { in_stock: Some(true), ..query.clone() }),
        reduced: count(&FacetQuery { reduced: Some(true), ..query.clone() }),
        prices: prices.iter().min().zip(prices.iter().max()).map(|(lowest, highest)| PriceRange { lowest: eur(*lowest), highest: eur(*highest) }),
        options: options.into_iter().map(facet).filter(|option| !option.values.is_empty()).collect(),
        is_partial: false,
    })
}

async fn get_product(State(api): State<FakeApi>, Path(slug): Path<String>) -> Result<Response, Problem> {
    let memory = api.memory();
    let slug = if slug == "old-pitcher" { "harbour-pitcher" } else { &slug };
    memory.products.iter().find(|product| product.slug == slug).map(json).ok_or_else(|| Problem::not_found("product"))
}

async fn create_cart(State(api): State<FakeApi>) -> Response {
    let mut memory = api.memory();
    let (id, token) = (new_id(), Token::generate());
    memory.carts.insert(id, Cart { token: token.clone(), state: CartState::Active, lines: Vec::new(), order: None });
    let cart = answer(&memory, id);
    (StatusCode::CREATED, json(&CartCreated { cart, token })).into_response()
}

async fn get_cart(State(api): State<FakeApi>, Path(id): Path<CartId>, headers: HeaderMap) -> Result<Response, Problem> {
    let mut memory = api.memory();
    open(&mut memory, id, &headers)?;
    Ok(json(&answer(&memory, id)))
}

async fn add_line(State(api): State<FakeApi>, Path(id): Path<CartId>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let mut memory = api.memory();
    let AddLine { variant_id, quantity } = read(&body)?;
    let price = price(&memory, variant_id).ok_or_else(|| Problem::new(422, "variant_unavailable", "Not for sale"))?;
    let available = available(&memory, variant_id);
    let cart = open_active(&mut memory, id, &headers)?;
    let known = cart.lines.iter().position(|(_, variant, ..)| *variant == variant_id);
    let before = known.map_or(0, |index| cart.lines[index].2.get());
    let wanted = i64::from(before) + i64::from(quantity.get());
    if wanted > available {
        let context = serde_json::json!({ "variant_id": variant_id, "requested": wanted, "available": available });
        return Err(Problem::new(409, "insufficient_stock", "Not enough in stock").detail(format!("There are {available}.")).context(context));
    }
    let quantity = Quantity::new(wanted).map_err(|_| Problem::invalid_body())?;
    match known {
        Some(index) => cart.lines[index] = (cart.lines[index].0, variant_id, quantity, price),
        None => cart.lines.push((new_id(), variant_id, quantity, price)),
    }
    Ok((StatusCode::CREATED, json(&answer(&memory, id))).into_response())
}

async fn update_line(State(api): State<FakeApi>, Path((id, line)): Path<(CartId, CartLineId)>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let mut memory = api.memory();
    let UpdateLine { quantity } = read(&body)?;
    let variant = open_active(&mut memory, id, &headers)?.lines.iter().find(|known| known.0 == line).ok_or_else(|| Problem::not_found("cart_line"))?.1;
    let available = available(&memory, variant);
    if i64::from(quantity.get()) > available {
        let context = serde_json::json!({ "variant_id": variant, "requested": quantity, "available": available });
        return Err(Problem::new(409, "insufficient_stock", "Not enough in stock").detail(format!("There are {available}.")).context(context));
    }
    let cart = memory.carts.get_mut(&id).unwrap();
    cart.lines.iter_mut().find(|known| known.0 == line).unwrap().2 = quantity;
    Ok(json(&answer(&memory, id)))
}

async fn delete_line(State(api): State<FakeApi>, Path((id, line)): Path<(CartId, CartLineId)>, headers: HeaderMap) -> Result<Response, Problem> {
    let mut memory = api.memory();
    open_active(&mut memory, id, &headers)?.lines.retain(|known| known.0 != line);
    Ok(json(&answer(&memory, id)))
}

async fn complete(State(api): State<FakeApi>, Path(id): Path<CartId>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let mut memory = api.memory();
    let command: CompleteCart = read(&body)?;
    platform::http::validate(&command)?;
    let key = headers.get("idempotency-key").unwrap().to_str().unwrap().to_owned();
    if let Some(order) = memory.keys.get(&key) {
        return Ok(json(&completion(&memory, *order, CompletionStatus::Placed)));
    }
    open(&mut memory, id, &headers)?;
    let cart = answer(&memory, id);
    if cart.state == CartState::Completed {
        return Err(Problem::new(409, "cart_completed", "This cart has become an order"));
    }
    if !memory.channel.countries.contains(&command.shipping_address.country) {
        return Err(Problem::invalid_body().field("/shipping_address/country", "not_delivered", "is not delivered to"));
    }
    if cart.lines.iter().flat_map(|line| &line.notices).any(|notice| matches!(notice, Notice::Unavailable)) || cart.totals.total != command.expected_total {
        return Err(Problem::new(409, "cart_changed", "The cart has changed").context(serde_json::json!({ "cart": cart })));
    }
    if cart.lines.iter().flat_map(|line| &line.notices).any(|notice| matches!(notice, Notice::InsufficientStock { .. })) {
        return Err(Problem::new(409, "insufficient_stock", "Not enough in stock").detail("There are fewer than the cart asks for."));
    }
    if command.payment.provider == "sandbox" && !methods().items[1].test_cards.iter().any(|card| Some(&card.number) == command.payment.test_card.as_ref()) {
        return Err(Problem::invalid_body().field("/payment/test_card", "unknown_test_card", "must be one of the test cards"));
    }
    let order = pending_order(&memory, &cart, &command);
    let token = memory.carts.get(&id).unwrap().token.clone();
    let (order_id, cart) = (order.id, memory.carts.get_mut(&id).unwrap());
    cart.order = Some(order_id);
    match command.payment.test_card.as_deref() {
        Some(DECLINED) => {
            return Err(
                Problem::new(402, "payment_declined", "The payment was declined").detail("Nothing was charged. Try another card or another way to pay.")
            );
        }
        Some(SECOND_STEP | LATE) => cart.state = CartState::Completing,
        _ => {}
    }
    memory.orders.insert(order_id, (token, order));
    match command.payment.test_card.as_deref() {
        Some(SECOND_STEP) => Ok((StatusCode::ACCEPTED, json(&completion(&memory, order_id, CompletionStatus::RequiresAction))).into_response()),
        Some(LATE) => Ok((StatusCode::ACCEPTED, json(&completion(&memory, order_id, CompletionStatus::Processing))).into_response()),
        Some(LOST) => {
            place(&mut memory, id, order_id);
            memory.keys.insert(key, order_id);
            Err(Problem::new(503, "timeout", "This took too long"))
        }
        _ => {
            place(&mut memory, id, order_id);
            memory.keys.insert(key, order_id);
            Ok(json(&completion(&memory, order_id, CompletionStatus::Placed)))
        }
    }
}

async fn resume(State(api): State<FakeApi>, Path(id): Path<CartId>, headers: HeaderMap) -> Result<Response, Problem> {
    let mut memory = api.memory();
    memory.resumes += 1;
    let order = open(&mut memory, id, &headers)?.order.ok_or_else(|| Problem::not_found("completion"))?;
    let is_declined = memory.channel.name == "declines";
    if is_declined {
        memory.carts.get_mut(&id).unwrap().state = CartState::Active;
        return Err(Problem::new(402, "payment_canceled", "The payment was canceled").detail("Nothing was charged. The cart is as it was."));
    }
    if !memory.is_confirmed {
        let needs_action = memory.orders.get(&order).unwrap().1.payment_provider.as_deref() == Some("sandbox") && memory.resumes < 2;
        let status = if needs_action { CompletionStatus::RequiresAction } else { CompletionStatus::Processing };
        return Ok((StatusCode::ACCEPTED, json(&completion(&memory, order, status))).into_response());
    }
    place(&mut memory, id, order);
    Ok(json(&completion(&memory, order, CompletionStatus::Placed)))
}

async fn get_order(State(api): State<FakeApi>, Path(id): Path<OrderId>, headers: HeaderMap) -> Result<Response, Problem> {
    let memory = api.memory();
    let (token, order) = memory.orders.get(&id).ok_or_else(|| Problem::not_found("order"))?;
    let is_open = headers.get("x-order-token").is_some_and(|sent| sent.as_bytes() == token.reveal().as_bytes());
    if is_open { Ok(json(order)) } else { Err(Problem::not_found("order")) }
}

fn place(memory: &mut Memory, cart: CartId, order: OrderId) {
    memory.carts.get_mut(&cart).unwrap().state = CartState::Completed;
    let number = format!("TW-{}", 20_480 + memory.orders.len());
    let order = &mut memory.orders.get_mut(&order).unwrap().1;
    order.state = OrderState::Placed;
    order.number.get_or_insert(number);
    order.placed_at = Some(order.created_at);
}

fn completion(memory: &Memory, order: OrderId, status: CompletionStatus) -> Completion {
    let next_action = (status == CompletionStatus::RequiresAction).then(|| NextAction::Redirect { url: "/sandbox/payments/pay_1".to_owned() });
    Completion { status, order: memory.orders.get(&order).unwrap().1.clone(), next_action }
}

fn pending_order(memory: &Memory, cart: &CartAnswer, command: &CompleteCart) -> OrderAnswer {
    let line = |line: &CartLineAnswer| OrderLineAnswer {
        id: new_id(),
        product_id: line.product_id,
        variant_id: line.variant_id,
        product_slug: line.product_slug.clone(),
        sku: line.sku.clone(),
        title: line.title.clone(),
        options: line.options.clone(),
        image: line.image.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        total: line.total,
    };
    let Totals { item_count, subtotal, delivery, total } = cart.totals;
    OrderAnswer {
        id: new_id(),
        number: None,
        state: OrderState::Pending,
        payment_status: if command.payment.provider == "manual" { PaymentStatus::Pending } else { PaymentStatus::Authorized },
        payment_provider: Some(command.payment.provider.clone()),
        cancel_reason: None,
        currency: cart.currency,
        lines: cart.lines.iter().map(line).collect(),
        totals: OrderTotals { item_count, subtotal, delivery, total },
        delivery_name: memory.channel.delivery.name.clone(),
        email: command.email.clone(),
        shipping_address: command.shipping_address.clone(),
        billing_address: command.billing_address.clone().unwrap_or_else(|| command.shipping_address.clone()),
        created_at: "2026-11-23T11:04:00Z".parse().unwrap(),
        placed_at: None,
    }
}

fn answer(memory: &Memory, id: CartId) -> CartAnswer {
    let cart = memory.carts.get(&id).unwrap();
    let lines: Vec<CartLineAnswer> = cart.lines.iter().map(|line| line_answer(memory, line)).collect();
    let subtotal = Money::sum(Currency::EUR, lines.iter().map(|line| line.total)).unwrap();
    let delivery = if lines.is_empty() { eur(0) } else { memory.channel.delivery.price };
    CartAnswer {
        id,
        version: 1,
        state: cart.state,
        channel: memory.channel.code.clone(),
        currency: Currency::EUR,
        delivery: memory.channel.delivery.clone(),
        totals: Totals {
            item_count: lines.iter().map(|line| i64::from(line.quantity.get())).sum(),
            subtotal,
            delivery,
            total: subtotal.checked_add(delivery).unwrap(),
        },
        lines,
        expires_at: Timestamp::UNIX_EPOCH,
    }
}

fn line_answer(memory: &Memory, (id, variant_id, quantity, noted): &(CartLineId, VariantId, Quantity, Money)) -> CartLineAnswer {
    let has = |product: &&ProductAnswer| product.variants.iter().any(|variant| variant.id == *variant_id);
    let product = memory.products.iter().find(has).unwrap();
    let variant = product.variants.iter().find(|variant| variant.id == *variant_id).unwrap();
    let mut notices = Vec::new();
    if variant.price != *noted {
        notices.push(Notice::PriceChanged { was: *noted, now: variant.price });
    }
    let available = available(memory, *variant_id);
    if available < i64::from(quantity.get()) {
        notices.push(Notice::InsufficientStock { available });
    }
    CartLineAnswer {
        id: *id,
        product_id: product.id,
        product_slug: product.slug.clone(),
        variant_id: *variant_id,
        sku: variant.sku.clone(),
        title: product.title.clone(),
        options: variant.options.clone(),
        image: product.media.first().cloned(),
        quantity: *quantity,
        unit_price: variant.price,
        total: variant.price.checked_mul(i64::from(quantity.get())).unwrap(),
        notices,
    }
}

fn available(memory: &Memory, variant: VariantId) -> i64 {
    memory.stock.get(&variant).copied().unwrap_or(100)
}

fn price(memory: &Memory, id: VariantId) -> Option<Money> {
    memory.products.iter().flat_map(|product| &product.variants).find(|variant| variant.id == id).map(|variant| variant.price)
}

fn open<'memory>(memory: &'memory mut Memory, id: CartId, headers: &HeaderMap) -> Result<&'memory mut Cart, Problem> {
    let sent = headers.get("x-cart-token").map(|token| token.as_bytes().to_vec());
    memory.carts.get_mut(&id).filter(|cart| sent == Some(cart.token.reveal().into_bytes())).ok_or_else(|| Problem::not_found("cart"))
}

fn open_active<'memory>(memory: &'memory mut Memory, id: CartId, headers: &HeaderMap) -> Result<&'memory mut Cart, Problem> {
    let cart = open(memory, id, headers)?;
    match cart.state {
        CartState::Active => Ok(cart),
        CartState::Completing => Err(Problem::new(409, "cart_completing", "The cart is being bought")),
        _ => Err(Problem::new(409, "cart_completed", "The cart has become an order")),
    }
}

fn summary(product: &ProductAnswer) -> ProductSummary {
    let cheapest = product.variants.iter().min_by_key(|variant| variant.price.amount_minor()).unwrap();
    ProductSummary {
        id: product.id,
        slug: product.slug.clone(),
        title: product.title.clone(),
        summary: product.summary.clone(),
        price: cheapest.price,
        price_varies: product.variants.iter().any(|variant| variant.price != cheapest.price),
        compare_at: cheapest.compare_at,
        image: product.media.first().cloned(),
        stock: product.variants.iter().map(|variant| variant.stock).max().unwrap(),
        swatches: product.options.iter().flat_map(|option| &option.values).filter_map(|value| value.swatch.clone()).collect(),
    }
}

fn methods() -> PaymentMethods {
    let card = |number: &str, behaviour: &str| TestCard { number: number.to_owned(), behaviour: behaviour.to_owned() };
    let method = |provider: &str, name: &str, description: &str, test_cards| PaymentMethod {
        provider: provider.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        test_cards,
    };
    let cards = vec![
        card(APPROVED, "Approved at once"),
        card(DECLINED, "Declined: the bank says no"),
        card(SECOND_STEP, "Asks for a second step"),
        card(LATE, "Approves after about two seconds"),
        card(LOST, "Answers nothing in time"),
    ];
    PaymentMethods {
        items: vec![
            method("manual", "Bank transfer", "We send your order once the transfer has arrived.", Vec::new()),
            method("sandbox", "Test card", "Tries out a payment; no money moves.", cards),
        ],
    }
}

fn channel() -> ChannelAnswer {
    ChannelAnswer {
        id: new_id(),
        code: "default".to_owned(),
        name: "Saltmarsh Supply".to_owned(),
        kind: ChannelKind::Live,
        hosts: Vec::new(),
        currency: Currency::EUR,
        locale: "en".parse().unwrap(),
        countries: ["AT", "DE", "IT", "SI"].map(|code| code.parse().unwrap()).to_vec(),
        delivery: DeliveryMethod { name: "Standard delivery".to_owned(), price: eur(490) },
        order_number_prefix: "TW-".to_owned(),
        features: Vec::new(),
        version: 1,
    }
}

pub(crate) fn category(slug: &str, name: &str, description: &str) -> CategoryAnswer {
    CategoryAnswer { id: new_id(), slug: slug.to_owned(), name: name.to_owned(), description: description.to_owned(), parent_id: None, image: None }
}

/// A product with one variant for each of `variants`: option values in the order of `options`, price, stock.
pub(crate) fn product(
    slug: &str,
    title: &str,
    category: &CategoryAnswer,
    options: &[(&str, &[&str])],
    variants: &[(&[&str], i64, StockBand)],
) -> ProductAnswer {
    let named = |values: &[&str]| -> BTreeMap<String, String> {
        options.iter().zip(values).map(|((name, _), value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let variant = |(index, (values, price, stock)): (usize, &(&[&str], i64, StockBand))| VariantAnswer {
        id: new_id(),
        sku: format!("{}-{index}", slug.to_uppercase()),
        options: named(values),
        price: eur(*price),
        compare_at: None,
        stock: *stock,
    };
    let option = |(name, values): &(&str, &[&str])| ProductOption {
        name: (*name).to_owned(),
        values: values.iter().map(|value| OptionValue { value: (*value).to_owned(), swatch: None }).collect(),
    };
    ProductAnswer {
        id: new_id(),
        slug: slug.to_owned(),
        title: title.to_owned(),
        summary: format!("{title}, in one sentence."),
        description: "First paragraph.\n\nSecond paragraph.".to_owned(),
        facts: vec!["Dishwasher safe".to_owned()],
        category: Some(category.clone()),
        media: vec![MediaReference {
            url: format!("/media/{slug}.svg"),
            alt: title.to_owned(),
            width: 1000,
            height: 1250,
            option_value: None,
            sources: Vec::new(),
        }],
        options: options.iter().map(option).collect(),
        variants: variants.iter().enumerate().map(variant).collect(),
        version: 1,
    }
}

pub(crate) fn eur(amount_minor: i64) -> Money {
    Money::new(amount_minor, Currency::EUR)
}

pub(crate) fn new_id<K: Kind>() -> Id<K> {
    Id::new(Timestamp::UNIX_EPOCH)
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    platform::http::parse_json(body)
}

fn json(body: &impl Serialize) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], serde_json::to_vec(body).unwrap()).into_response()
}
