//! What a run was like, second by second: so that the beginning, the end and the length of an outage can be read from it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::crowd::Entry;
use crate::load::{Latency, per_second};
use crate::visitors::{Kept, Sale};

/// How many failures are told one by one.
const TOLD: usize = 300;

/// A run.
#[derive(Debug, Serialize)]
pub(crate) struct Journal {
    pub(crate) address: String,
    /// Names the run in the addresses of its shoppers: `<run>-<number>@load.example`.
    pub(crate) run: String,
    /// Requests per second by schedule; nothing if there was none.
    pub(crate) rate: Option<u64>,
    /// When it began, in milliseconds since 1970.
    pub(crate) began_ms: i64,
    pub(crate) lasted_ms: u64,
    pub(crate) requests: u64,
    pub(crate) per_second: u64,
    pub(crate) failures: u64,
    /// Failures per million requests.
    pub(crate) failed_ppm: u64,
    pub(crate) failed_by_kind: BTreeMap<String, u64>,
    /// The first second in which something failed, and the one after the last.
    pub(crate) failing_from: Option<usize>,
    pub(crate) failing_to: Option<usize>,
    /// In how many seconds something failed.
    pub(crate) failing_seconds: usize,
    /// Of all that was answered, in microseconds, counted from when it was due.
    pub(crate) latency: Latency,
    pub(crate) by_request: Vec<Row>,
    pub(crate) seconds: Vec<Second>,
    /// The first failures.
    pub(crate) told: Vec<Told>,
    pub(crate) sales: Vec<Sale>,
    /// Shoppers who sent an order and never learned what became of it.
    pub(crate) unanswered: Vec<String>,
    pub(crate) kept: Kept,
}

/// One kind of request.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) requests: u64,
    pub(crate) failures: u64,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
}

/// One second; a request belongs to the one in which it was due.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Second {
    pub(crate) requests: u64,
    pub(crate) failures: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) kinds: BTreeMap<String, u64>,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) max: u64,
}

/// A failure in words.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    pub(crate) after_ms: u64,
    pub(crate) request: &'static str,
    pub(crate) kind: String,
    pub(crate) what: String,
}

/// How a run was made.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) address: String,
    pub(crate) run: String,
    pub(crate) rate: Option<u64>,
    pub(crate) began_ms: i64,
}

impl Journal {
    /// Sums up what was written down.
    ///
    /// # Errors
    /// None in practice: three digits are a valid precision.
    pub(crate) fn of(about: About, entries: &[Entry], sales: Vec<Sale>, unanswered: Vec<String>, kept: Kept) -> anyhow::Result<Self> {
        let mut seconds: BTreeMap<usize, Vec<&Entry>> = BTreeMap::new();
        let mut requests: BTreeMap<&'static str, Vec<&Entry>> = BTreeMap::new();
        let mut latency = Histogram::<u64>::new(3)?;
        for entry in entries {
            seconds.entry(usize::try_from(entry.due.as_secs())?).or_default().push(entry);
            requests.entry(entry.name).or_default().push(entry);
            if entry.fault.is_none() {
                latency.record(micros(entry.took))?;
            }
        }
        let last = seconds.last_key_value().map_or(0, |(second, _)| second + 1);
        let seconds: Vec<Second> = (0..last).map(|second| Second::of(seconds.get(&second).map_or(&[], Vec::as_slice))).collect();
        let failed = |second: &Second| second.failures > 0;
        let at = |quantile| latency.value_at_quantile(quantile);
        let failures = count(entries.iter().filter(|entry| entry.fault.is_some()));
        let lasted = entries.iter().map(|entry| entry.due).max().unwrap_or_default();
        Ok(Self {
            address: about.address,
            run: about.run,
            rate: about.rate,
            began_ms: about.began_ms,
            lasted_ms: u64::try_from(lasted.as_millis())?,
            requests: count(entries.iter()),
            per_second: per_second(count(entries.iter()), lasted),
            failures,
            failed_ppm: (failures * 1_000_000).checked_div(count(entries.iter())).unwrap_or_default(),
            failed_by_kind: kinds(entries.iter()),
            failing_from: seconds.iter().position(failed),
            failing_to: seconds.iter().rposition(failed).map(|second| second + 1),
            failing_seconds: seconds.iter().filter(|second| failed(second)).count(),
            latency: Latency { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: latency.max() },
            by_request: requests.into_iter().map(|(name, entries)| Row::of(name, &entries)).collect(),
            told: entries.iter().filter_map(Told::of).take(TOLD).collect(),
            seconds,
            sales,
            unanswered,
            kept,
        })
    }
}

impl Second {
    fn of(entries: &[&Entry]) -> Self {
        let answered = answered(entries);
        Self {
            requests: count(entries.iter()),
            failures: count(entries.iter().filter(|entry| entry.fault.is_some())),
            kinds: kinds(entries.iter().copied()),
            p50: quantile(&answered, 50),
            p99: quantile(&answered, 99),
            max: answered.last().copied().unwrap_or_default(),
        }
    }
}

impl Row {
    fn of(name: &'static str, entries: &[&Entry]) -> Self {
        let answered = answered(entries);
        let failures = count(entries.iter().filter(|entry| entry.fault.is_some()));
        Self { name, requests: count(entries.iter()), failures, p50: quantile(&answered, 50), p99: quantile(&answered, 99) }
    }
}

impl Told {
    fn of(entry: &Entry) -> Option<Self> {
        let fault = entry.fault.as_ref()?;
        let after_ms = u64::try_from(entry.due.as_millis()).unwrap_or(u64::MAX);
        Some(Self { after_ms, request: entry.name, kind: fault.kind(), what: fault.to_string() })
    }
}

fn kinds<'entries>(entries: impl Iterator<Item = &'entries Entry>) -> BTreeMap<String, u64> {
    let mut kinds = BTreeMap::new();
    for fault in entries.filter_map(|entry| entry.fault.as_ref()) {
        *kinds.entry(fault.kind()).or_default() += 1;
    }
    kinds
}

/// How long what was answered took, the quickest first.
fn answered(entries: &[&Entry]) -> Vec<u64> {
    let mut answered: Vec<u64> = entries.iter().filter(|entry| entry.fault.is_none()).map(|entry| micros(entry.took)).collect();
    answered.sort_unstable();
    answered
}

/// The least value that so many percent do not exceed.
fn quantile(sorted: &[u64], percent: usize) -> u64 {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

fn count(of: impl Iterator) -> u64 {
    u64::try_from(of.count()).unwrap_or(u64::MAX)
}

impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} requests in {} s, {} of them failed ({} per million)", self.requests, self.lasted_ms / 1_000, self.failures, self.failed_ppm)?;
        for (kind, count) in &self.failed_by_kind {
            writeln!(f, "  {count} × {kind}")?;
        }
        if let (Some(from), Some(to)) = (self.failing_from, self.failing_to) {
            writeln!(f, "  in {} seconds, from second {from} to second {to}", self.failing_seconds)?;
        }
        let Latency { p50, p90, p99, p999, max } = self.latency;
        writeln!(f, "{} /s   p50 {p50} µs   p90 {p90} µs   p99 {p99} µs   p99.9 {p999} µs   max {max} µs", self.per_second)?;
        for Row { name, requests, failures, p50, p99 } in &self.by_request {
            writeln!(f, "  {name:<20} {requests:>7} requests  {failures:>5} failed   p50 {p50:>7} µs   p99 {p99:>7} µs")?;
        }
        writeln!(f, "{} sales, {} shoppers without an answer", self.sales.len(), self.unanswered.len())?;
        let Kept { carts_looked_at, carts_lost, keys_repeated, keys_answered_otherwise, checkouts_in_flight, checkouts_lost } = self.kept;
        writeln!(f, "carts that stayed: {carts_looked_at} looks, {carts_lost} lost")?;
        writeln!(f, "orders sent again: {keys_repeated}, {keys_answered_otherwise} answered otherwise")?;
        write!(f, "checkouts in flight: {checkouts_in_flight}, {checkouts_lost} not finished")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::line::Fault;

    fn entry(due_ms: u64, took_ms: u64, fault: Option<Fault>) -> Entry {
        Entry { name: "thing", due: Duration::from_millis(due_ms), took: Duration::from_millis(took_ms), fault }
    }

    #[test]
    fn an_outage_is_seen_where_it_was() {
        let mut entries: Vec<Entry> = (0..50).map(|number| entry(number * 100, 3, None)).collect();
        entries.push(entry(2_500, 10_000, Some(Fault::Timeout)));
        entries.push(entry(3_100, 0, Some(Fault::Transport("refused".to_owned()))));
        let about = About { address: "a".to_owned(), run: "r".to_owned(), rate: Some(10), began_ms: 0 };
        let journal = Journal::of(about, &entries, Vec::new(), Vec::new(), Kept::default()).unwrap();
        assert_eq!((journal.requests, journal.failures, journal.failing_from, journal.failing_to), (52, 2, Some(2), Some(4)));
        assert_eq!(journal.seconds.iter().map(|second| second.requests).collect::<Vec<_>>(), [10, 10, 11, 11, 10]);
        assert_eq!(journal.failed_by_kind.get("timeout"), Some(&1));
        // What was never answered took no time.
        assert!(journal.latency.max < 4_000);
        assert_eq!(journal.failed_ppm, 38_461);
    }

    #[test]
    fn quantiles_of_few_and_of_none() {
        assert_eq!(quantile(&[], 99), 0);
        assert_eq!(quantile(&[1, 2, 3, 4], 50), 2);
        assert_eq!(quantile(&[1, 2, 3, 4], 99), 4);
    }
}
