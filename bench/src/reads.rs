//! What shoppers read: the shop beside the bare handler, by the same client, in turns.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use catalog_api::{ProductAnswer, ProductSummary, VariantId};
use http::{HeaderValue, StatusCode, header};
use kernel::Page;
use serde::Serialize;

use crate::connection::{Connection, Reply, Sent, get};
use crate::load::{self, Latency, Measured, Worker};
use crate::server::Running;
use crate::{process, reference};

/// What browsers and programs send.
const ACCEPT: [(&str, &str); 2] = [("accept-encoding", "gzip, deflate, br"), ("accept", "*/*")];
/// How many products a listing has.
const LISTED: usize = 24;

/// How reads are measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) connections: u32,
    pub(crate) rounds: u32,
    pub(crate) warm_up: Duration,
    pub(crate) lasting: Duration,
}

/// One thing to read.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) name: &'static str,
    pub(crate) path: String,
    /// The share of the bare handler's rate that it shall reach, in thousandths.
    pub(crate) goal: Option<u64>,
}

/// What one side did.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Side {
    /// The most requests per second.
    pub(crate) per_second: u64,
    /// Latency at that load.
    pub(crate) closed: Latency,
    /// Processor time of the server per request, in nanoseconds.
    pub(crate) cpu_nanos: u64,
    /// Latency when requests arrive at half the shop's rate, counted from when they were due.
    pub(crate) open: Latency,
}

/// A reading, measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) path: String,
    pub(crate) bytes: usize,
    pub(crate) encoding: String,
    /// Arrivals per second in the open loop.
    pub(crate) arrivals: u64,
    pub(crate) shop: Side,
    pub(crate) bare: Side,
    /// The shop's rate as thousandths of the bare handler's.
    pub(crate) ratio: u64,
    pub(crate) goal: Option<u64>,
}

/// What is for sale, as the API says it: what to read, and what to buy.
///
/// # Errors
/// An answer is not as the contract says.
pub(crate) async fn discover(address: SocketAddr) -> anyhow::Result<(Vec<Reading>, Vec<VariantId>)> {
    let mut connection = Connection::open(address).await?;
    let listing = connection.exchange(get(address, "/store/v1/products", &[])?).await?;
    let page: Page<ProductSummary> = listing.json(StatusCode::OK)?;
    anyhow::ensure!(page.items.len() == LISTED, "a listing of {} products", page.items.len());
    let mut variants = Vec::new();
    for summary in &page.items {
        let product: ProductAnswer = connection.exchange(get(address, &format!("/store/v1/products/{}", summary.slug), &[])?).await?.json(StatusCode::OK)?;
        anyhow::ensure!(product.id == summary.id && product.slug == summary.slug, "{} is answered as {}", summary.slug, product.slug);
        variants.extend(product.variants.iter().map(|variant| variant.id));
    }
    let slug = &page.items.first().context("an empty shop")?.slug;
    let reading = |name, path: &str, goal| Reading { name, path: path.to_owned(), goal };
    let readings = vec![
        reading("product, API", &format!("/store/v1/products/{slug}"), Some(600)),
        reading("listing of 24, API", "/store/v1/products", Some(400)),
        reading("product, page", &format!("/products/{slug}"), Some(600)),
        reading("listing of 24, page", "/products", Some(400)),
        reading("home, page", "/", None),
    ];
    Ok((readings, variants))
}

/// Measures all of them.
///
/// # Errors
/// An answer is not right.
pub(crate) async fn measure(shop: &Running, folder: &Path, readings: &[Reading], plan: Plan) -> anyhow::Result<Vec<Row>> {
    let mut answers = Vec::new();
    for reading in readings {
        answers.push((reading.path.clone(), Expected::of(shop.address, &reading.path).await?));
    }
    let replies: Vec<(String, &Reply)> = answers.iter().map(|(path, expected)| (path.clone(), &expected.reply)).collect();
    let bare = reference::start(folder, &replies).await?;
    let mut rows = Vec::new();
    for (reading, (_, expected)) in readings.iter().zip(&answers) {
        crate::say(format_args!("  {} ({} bytes) ...", reading.name, expected.reply.body.len()));
        rows.push(row(shop, &bare, reading, expected, plan).await?);
    }
    bare.kill().await?;
    Ok(rows)
}

async fn row(shop: &Running, bare: &Running, reading: &Reading, expected: &Expected, plan: Plan) -> anyhow::Result<Row> {
    let (mut ours, mut theirs) = (Turn::new()?, Turn::new()?);
    // In turns, so that a machine that is busy for a while is so for both.
    for _ in 0..plan.rounds {
        theirs = theirs.and(bare, reading, expected, plan).await?;
        ours = ours.and(shop, reading, expected, plan).await?;
    }
    let arrivals = (ours.measured.per_second() / 2).max(1);
    let theirs = theirs.finish(bare, reading, expected, plan, arrivals).await?;
    let ours = ours.finish(shop, reading, expected, plan, arrivals).await?;
    Ok(Row {
        name: reading.name,
        path: reading.path.clone(),
        bytes: expected.reply.body.len(),
        encoding: expected.encoding(),
        arrivals,
        ratio: ours.per_second * 1_000 / theirs.per_second.max(1),
        shop: ours,
        bare: theirs,
        goal: reading.goal,
    })
}

/// The turns of one side.
struct Turn {
    measured: Measured,
    cpu: Duration,
    /// How many requests that processor time was for, the warm-up's among them.
    served: u64,
}

impl Turn {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { measured: Measured::nothing()?, cpu: Duration::ZERO, served: 0 })
    }

    async fn and(self, server: &Running, reading: &Reading, expected: &Expected, plan: Plan) -> anyhow::Result<Self> {
        let readers = readers(server.address, reading, expected, plan.connections).await?;
        let before = process::cpu(server.pid()?)?;
        let (measured, readers) = load::closed(readers, plan.warm_up, plan.lasting).await?;
        let cpu = self.cpu + process::cpu(server.pid()?)?.saturating_sub(before);
        let served = self.served + readers.iter().map(|reader| reader.served).sum::<u64>();
        Ok(Self { measured: self.measured.and(&measured)?, cpu, served })
    }

    async fn finish(self, server: &Running, reading: &Reading, expected: &Expected, plan: Plan, arrivals: u64) -> anyhow::Result<Side> {
        let readers = readers(server.address, reading, expected, plan.connections).await?;
        let (open, _) = load::open(readers, arrivals, plan.lasting).await?;
        let cpu_nanos = u64::try_from(self.cpu.as_nanos())? / self.served.max(1);
        Ok(Side { per_second: self.measured.per_second(), closed: self.measured.latency(), cpu_nanos, open: open.latency() })
    }
}

/// What must be answered.
#[derive(Debug)]
pub(crate) struct Expected {
    reply: Reply,
    etag: Option<HeaderValue>,
    /// The body, if it is the same each time.
    body: Option<Bytes>,
}

impl Expected {
    /// Asks, twice.
    ///
    /// # Errors
    /// It is no 200, or an API's answer without an `ETag`.
    pub(crate) async fn of(address: SocketAddr, path: &str) -> anyhow::Result<Self> {
        let mut connection = Connection::open(address).await?;
        let reply = connection.exchange(get(address, path, &ACCEPT)?).await?;
        let again = connection.exchange(get(address, path, &ACCEPT)?).await?;
        anyhow::ensure!(reply.status == StatusCode::OK && again.status == StatusCode::OK, "{path}: {}", reply.status);
        let etag = reply.headers.get(header::ETAG).cloned();
        anyhow::ensure!(etag.is_some() || !path.starts_with("/store/"), "{path}: no ETag");
        let body = (reply.body == again.body).then(|| reply.body.clone());
        Ok(Self { etag, body, reply })
    }

    fn encoding(&self) -> String {
        self.reply.headers.get(header::CONTENT_ENCODING).and_then(|encoding| encoding.to_str().ok()).unwrap_or("identity").to_owned()
    }
}

/// Somebody who reads one thing.
pub(crate) struct Reader {
    connection: Connection,
    request: Sent,
    etag: Option<HeaderValue>,
    body: Option<Bytes>,
    served: u64,
}

/// As many readers as there are connections.
///
/// # Errors
/// Nobody listens there.
pub(crate) async fn readers(address: SocketAddr, reading: &Reading, expected: &Expected, connections: u32) -> anyhow::Result<Vec<Reader>> {
    let mut readers = Vec::new();
    for _ in 0..connections {
        let (connection, request) = (Connection::open(address).await?, get(address, &reading.path, &ACCEPT)?);
        readers.push(Reader { connection, request, etag: expected.etag.clone(), body: expected.body.clone(), served: 0 });
    }
    Ok(readers)
}

impl Worker for Reader {
    async fn work(&mut self) -> anyhow::Result<()> {
        let reply = self.connection.exchange(self.request.clone()).await?;
        self.served += 1;
        let path = self.request.uri();
        anyhow::ensure!(reply.status == StatusCode::OK, "{path}: {}: {}", reply.status, String::from_utf8_lossy(&reply.body));
        anyhow::ensure!(reply.headers.get(header::ETAG) == self.etag.as_ref(), "{path}: another ETag, and nothing was changed");
        match &self.body {
            Some(body) => anyhow::ensure!(reply.body == *body, "{path}: another body, and nothing was changed"),
            None => anyhow::ensure!(!reply.body.is_empty(), "{path}: an empty body"),
        }
        Ok(())
    }
}
