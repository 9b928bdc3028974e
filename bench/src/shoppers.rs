//! Shoppers who buy: a cart, a line, the order. And pgbench, which writes as little as a transaction can, on the same cluster.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cart_api::{AddLine, CartAnswer, CartCreated};
use catalog_api::VariantId;
use checkout_api::{CompleteCart, Completion, CompletionStatus};
use http::StatusCode;
use kernel::{Quantity, Token, headers};
use orders_api::{Address, OrderState};
use payments_api::PaymentChoice;
use serde::Serialize;

use crate::connection::{Connection, post};
use crate::load::{self, Latency, Worker};
use crate::postgres::{Cluster, Rates, Simple};
use crate::process;
use crate::server::Running;

/// How purchases are measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) connections: u32,
    pub(crate) warm_up: Duration,
    pub(crate) lasting: Duration,
    /// How long pgbench runs, each time.
    pub(crate) seconds: u64,
}

/// Purchases beside pgbench.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Purchases {
    /// Whole purchases per second.
    pub(crate) per_second: u64,
    /// How long a whole purchase took: three requests.
    pub(crate) latency: Latency,
    /// Processor time of the server per purchase, in nanoseconds, background work among it.
    pub(crate) cpu_nanos: u64,
    /// What the database did meanwhile.
    pub(crate) database: Rates,
    /// `pgbench -N`, before and after, on average.
    pub(crate) pgbench: Rates,
    /// The same with prepared statements.
    pub(crate) pgbench_prepared: Rates,
    /// Writing transactions as thousandths of those of `pgbench -N`.
    pub(crate) ratio: u64,
    /// How many orders were answered, all in all; as many are in the database.
    pub(crate) placed: u64,
    /// Jobs that waited for a worker at the end.
    pub(crate) backlog: u64,
}

/// Measures them. Every order number must be new, and every sale that was answered must be in the database, and no other.
///
/// # Errors
/// An answer is not right, or pgbench failed.
pub(crate) async fn measure(shop: &Running, cluster: &mut Cluster, variants: &[VariantId], plan: Plan) -> anyhow::Result<Purchases> {
    cluster.prepare_pgbench().await?;
    let simple = Simple { connections: plan.connections, seconds: plan.seconds, prepared: false };
    crate::say(format_args!("  pgbench -N, {} connections ...", plan.connections));
    let before = cluster.run_pgbench(simple).await?;
    let pgbench_prepared = cluster.run_pgbench(Simple { prepared: true, ..simple }).await?;
    crate::say(format_args!("  {} shoppers ...", plan.connections));
    let bought = buy(shop, cluster, variants, plan).await?;
    let pgbench = mean(before, cluster.run_pgbench(simple).await?);
    Ok(Purchases { ratio: bought.database.written * 1_000 / pgbench.written.max(1), pgbench, pgbench_prepared, ..bought })
}

async fn buy(shop: &Running, cluster: &mut Cluster, variants: &[VariantId], plan: Plan) -> anyhow::Result<Purchases> {
    let shoppers = shoppers(shop.address, variants, plan.connections).await?;
    let cpu = process::cpu(shop.pid()?)?;
    let looking = async {
        tokio::time::sleep(plan.warm_up).await;
        let (before, begun) = (cluster.work_of_shop().await?, Instant::now());
        tokio::time::sleep(plan.lasting.saturating_sub(Duration::from_millis(100))).await;
        Ok(cluster.work_of_shop().await?.since(before, begun.elapsed()))
    };
    let ((measured, shoppers), database) = tokio::try_join!(load::closed(shoppers, plan.warm_up, plan.lasting), looking)?;
    let backlog = cluster.backlog().await?;
    let cpu = process::cpu(shop.pid()?)?.saturating_sub(cpu);
    let placed = count_sales(&shoppers)?;
    let stored = cluster.placed().await?;
    anyhow::ensure!(stored == placed, "{placed} sales were answered, {stored} are in the database");
    let cpu_nanos = u64::try_from(cpu.as_nanos())? / placed.max(1);
    Ok(Purchases {
        per_second: measured.per_second(),
        latency: measured.latency(),
        cpu_nanos,
        database,
        pgbench: database,
        pgbench_prepared: database,
        ratio: 0,
        placed,
        backlog,
    })
}

/// As many shoppers as there are connections.
///
/// # Errors
/// Nobody listens there.
pub(crate) async fn shoppers(address: SocketAddr, variants: &[VariantId], connections: u32) -> anyhow::Result<Vec<Shopper>> {
    let mut shoppers = Vec::new();
    for number in 0..connections {
        shoppers.push(Shopper::new(address, variants, number).await?);
    }
    Ok(shoppers)
}

/// How many sales there were; no two have one number.
///
/// # Errors
/// Two have.
pub(crate) fn count_sales(shoppers: &[Shopper]) -> anyhow::Result<u64> {
    let mut numbers = HashSet::new();
    for number in shoppers.iter().flat_map(|shopper| &shopper.numbers) {
        anyhow::ensure!(numbers.insert(number), "order number {number} was given twice");
    }
    Ok(u64::try_from(numbers.len())?)
}

const fn mean(one: Rates, other: Rates) -> Rates {
    Rates {
        written: u64::midpoint(one.written, other.written),
        committed: u64::midpoint(one.committed, other.committed),
        wal_kilobytes: u64::midpoint(one.wal_kilobytes, other.wal_kilobytes),
        syncs: u64::midpoint(one.syncs, other.syncs),
    }
}

/// Somebody who buys one thing after another.
pub(crate) struct Shopper {
    connection: Connection,
    address: SocketAddr,
    variants: Vec<VariantId>,
    email: String,
    random: u64,
    numbers: Vec<String>,
}

impl Shopper {
    async fn new(address: SocketAddr, variants: &[VariantId], number: u32) -> anyhow::Result<Self> {
        let (connection, email) = (Connection::open(address).await?, format!("shopper{number}@example.com"));
        Ok(Self { connection, address, variants: variants.to_vec(), email, random: u64::from(number) + 1, numbers: Vec::new() })
    }

    /// Any variant; the same ones in every run.
    fn choose(&mut self) -> anyhow::Result<VariantId> {
        // Knuth's constants; the high bits are the good ones.
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(self.random >> 33)?.checked_rem(self.variants.len()).context("nothing for sale")?;
        self.variants.get(place).copied().context("nothing for sale")
    }

    fn order(&self, cart: &CartAnswer) -> anyhow::Result<CompleteCart> {
        Ok(CompleteCart {
            email: self.email.clone(),
            shipping_address: address()?,
            billing_address: None,
            payment: PaymentChoice { provider: "manual".to_owned(), test_card: None },
            expected_total: cart.totals.total,
            return_url: None,
        })
    }
}

/// Where everybody who buys here lives.
///
/// # Errors
/// The country's code is not one.
pub(crate) fn address() -> anyhow::Result<Address> {
    Ok(Address {
        name: "Ada Example".to_owned(),
        company: None,
        street: "Quay 1".to_owned(),
        extra: None,
        postcode: "1010".to_owned(),
        city: "Vienna".to_owned(),
        region: None,
        country: "AT".parse().map_err(|_| anyhow::anyhow!("no country"))?,
        phone: None,
    })
}

impl Worker for Shopper {
    async fn work(&mut self) -> anyhow::Result<()> {
        let created: CartCreated = self.connection.exchange(post(self.address, "/store/v1/carts", &[], &())?).await?.json(StatusCode::CREATED)?;
        let (path, token) = (format!("/store/v1/carts/{}", created.cart.id), created.token.reveal());
        let line = AddLine { variant_id: self.choose()?, quantity: Quantity::new(1)? };
        let request = post(self.address, &format!("{path}/lines"), &[(headers::CART_TOKEN, &token)], &line)?;
        let cart: CartAnswer = self.connection.exchange(request).await?.json(StatusCode::OK)?;
        anyhow::ensure!(cart.lines.iter().map(|line| line.variant_id).eq([line.variant_id]), "another line than was put in");

        let key = Token::generate().reveal();
        let request = post(self.address, &format!("{path}/complete"), &[(headers::CART_TOKEN, &token), (headers::IDEMPOTENCY_KEY, &key)], &self.order(&cart)?)?;
        let completion: Completion = self.connection.exchange(request).await?.json(StatusCode::OK)?;
        let order = completion.order;
        anyhow::ensure!(completion.status == CompletionStatus::Placed && order.state == OrderState::Placed, "not placed: {:?}", order.state);
        anyhow::ensure!(order.totals.total == cart.totals.total, "another total than was agreed to");
        self.numbers.push(order.number.context("a sale without a number")?);
        Ok(())
    }
}
