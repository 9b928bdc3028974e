//! The figures, for people and for machines. Shares and goals come first: they travel from machine to machine, absolute figures do not.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::reads::Row;
use crate::shoppers::Purchases;
use crate::starts::{Memory, Starts};

/// Everything that was measured. What was not asked for is absent.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) cpus: usize,
    pub(crate) connections: u32,
    pub(crate) starts: Option<Starts>,
    pub(crate) memory: Option<Memory>,
    pub(crate) reads: Vec<Row>,
    pub(crate) purchases: Option<Purchases>,
    pub(crate) goals: Vec<Goal>,
}

/// A goal, and what was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) reached: u64,
    pub(crate) goal: u64,
    pub(crate) unit: &'static str,
    pub(crate) met: bool,
}

/// The least purchases per second.
const PURCHASES: u64 = 150;
/// The least share of pgbench's commits, in thousandths.
const COMMITS: u64 = 400;
/// The most memory, in KiB.
const IDLE: u64 = 60_000_000 / 1_024;
const LOADED: u64 = 200_000_000 / 1_024;

impl Report {
    /// Judges what was measured.
    pub(crate) fn judge(&mut self) {
        let mut goals = Vec::new();
        for row in &self.reads {
            goals.extend(row.goal.map(|goal| Goal::least(format!("{}, share of bare axum", row.name), row.ratio, goal, "‰")));
        }
        if let Some(purchases) = &self.purchases {
            goals.push(Goal::least("purchases per second".to_owned(), purchases.per_second, PURCHASES, "/s"));
            goals.push(Goal::least("writing transactions, share of pgbench -N".to_owned(), purchases.ratio, COMMITS, "‰"));
        }
        if let Some(memory) = &self.memory {
            goals.push(Goal::most("memory idle".to_owned(), memory.idle, IDLE, "KiB"));
            goals.push(Goal::most("memory loaded".to_owned(), memory.loaded, LOADED, "KiB"));
        }
        self.goals = goals;
    }
}

impl Goal {
    fn least(what: String, reached: u64, goal: u64, unit: &'static str) -> Self {
        Self { what, reached, goal, unit, met: reached >= goal }
    }

    fn most(what: String, reached: u64, goal: u64, unit: &'static str) -> Self {
        Self { what, reached, goal, unit, met: reached < goal }
    }

    fn figure(&self, figure: u64) -> String {
        match self.unit {
            "‰" => percent(figure),
            "KiB" => megabytes(figure),
            unit => format!("{figure} {unit}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpus, connections, .. } = self;
        writeln!(f, "\n{cpus} processors, shared by client, server and database; {connections} connections\n")?;
        let goals = self.goals.iter().map(|goal| {
            let verdict = if goal.met { "met" } else { "MISSED" };
            vec![goal.what.clone(), goal.figure(goal.reached), goal.figure(goal.goal), verdict.to_owned()]
        });
        table(f, &["goal", "reached", "wanted", ""], goals)?;
        self.write_reads(f)?;
        self.write_purchases(f)?;
        if let Some(Memory { idle, loaded, peak }) = self.memory {
            let row = [idle, loaded, peak].map(megabytes).to_vec();
            table(f, &["memory idle", "loaded", "peak"], [row].into_iter())?;
        }
        if let Some(Starts { first, seed, later, after_kill, stop }) = self.starts {
            let row = [first, seed, later, after_kill, stop].map(|millis| format!("{millis} ms")).to_vec();
            table(f, &["first start", "demo data", "later start", "after kill -9", "stop"], [row].into_iter())?;
        }
        Ok(())
    }
}

impl Report {
    fn write_reads(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            "read",
            "bytes",
            "share",
            "shop /s",
            "bare /s",
            "shop cpu",
            "bare cpu",
            "shop p50",
            "p99",
            "bare p50",
            "p99",
            "open: shop p50",
            "p99",
            "bare p50",
            "p99",
        ];
        let rows = self.reads.iter().map(|Row { name, bytes, encoding, shop, bare, ratio, .. }| {
            let mut row = vec![(*name).to_owned(), format!("{bytes} {encoding}"), percent(*ratio), shop.per_second.to_string(), bare.per_second.to_string()];
            row.extend([shop.cpu_nanos, bare.cpu_nanos].map(|nanos| micros(nanos / 1_000)));
            for latency in [shop.closed, bare.closed, shop.open, bare.open] {
                row.extend([micros(latency.p50), micros(latency.p99)]);
            }
            row
        });
        table(f, &head, rows)
    }

    fn write_purchases(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(purchases) = &self.purchases else { return Ok(()) };
        let Purchases { per_second, latency, cpu_nanos, placed, backlog, .. } = purchases;
        let row = vec![
            per_second.to_string(),
            micros(latency.p50),
            micros(latency.p99),
            micros(latency.max),
            micros(cpu_nanos / 1_000),
            placed.to_string(),
            backlog.to_string(),
        ];
        table(f, &["purchases /s", "p50", "p99", "max", "server cpu each", "placed in all", "jobs waiting"], [row].into_iter())?;
        let Purchases { database, pgbench, pgbench_prepared, .. } = purchases;
        let sides = [("shop", database), ("pgbench -N", pgbench), ("pgbench -N -M prepared", pgbench_prepared)];
        let rows = sides.into_iter().map(|(name, rates)| {
            let share = percent(database.written * 1_000 / rates.written.max(1));
            let figures = [rates.written, rates.committed, rates.syncs, rates.wal_kilobytes].map(|figure| figure.to_string());
            [name.to_owned(), share].into_iter().chain(figures).collect()
        });
        table(f, &["database", "shop's share", "writing tx /s", "commits /s", "syncs /s", "WAL kB/s"], rows)
    }
}

fn percent(thousandths: u64) -> String {
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

fn megabytes(kib: u64) -> String {
    let tenths = kib * 1_024 / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

fn micros(micros: u64) -> String {
    if micros < 10_000 { format!("{micros} µs") } else { format!("{} ms", micros / 1_000) }
}

/// Columns as wide as their widest cell: the first to the left, figures to the right.
fn table(f: &mut fmt::Formatter<'_>, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> fmt::Result {
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let mut widths = vec![0; head.len()];
    for row in rows.iter().chain([&head]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in [&head].into_iter().chain(&rows) {
        let mut line = String::new();
        for (number, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if number == 0 { write!(line, "{cell:<width$}")? } else { write!(line, "  {cell:>width$}")? }
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!(percent(605), "60.5 %");
        assert_eq!(megabytes(58_594), "60.0 MB");
        assert_eq!(micros(9_999), "9999 µs");
        assert_eq!(micros(12_345), "12 ms");
    }

    #[test]
    fn a_goal_is_met_or_missed_at_its_border() {
        assert!(Goal::least(String::new(), 600, 600, "‰").met && !Goal::least(String::new(), 599, 600, "‰").met);
        assert!(!Goal::most(String::new(), IDLE, IDLE, "KiB").met && Goal::most(String::new(), IDLE - 1, IDLE, "KiB").met);
    }
}
