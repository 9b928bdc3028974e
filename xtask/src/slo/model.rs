//! An objective as its file says it.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

/// Hours of the window in which an objective is kept.
const WINDOW_HOURS: u64 = 720;

/// A promise to users and how it is measured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Slo {
    /// Its name, which is the value of the label `slo`.
    pub(super) slo: String,
    /// The name of its alerts.
    pub(super) alert: String,
    /// What is promised.
    pub(super) promise: String,
    /// What users feel when it is broken.
    pub(super) feels: String,
    /// What is counted, in words.
    pub(super) counted: String,
    /// The share of good events.
    pub(super) objective: Share,
    /// Over how long it is kept; always [`WINDOW_HOURS`].
    pub(super) window: Window,
    /// What is counted.
    pub(super) measure: Measure,
    /// After which loss of budget somebody is woken.
    pub(super) page_after: Vec<Loss>,
    /// After which loss of budget somebody gets a ticket.
    pub(super) ticket_after: Vec<Loss>,
    /// With fewer events nobody is told: a handful of errors at night is no outage.
    pub(super) minimum_events: u64,
}

/// What is counted.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "of", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Measure {
    /// Requests that were not answered with a server error. Those whose client went away are not counted.
    Answers {
        /// Which requests.
        requests: Vec<Requests>,
    },
    /// Answered requests that did not take longer.
    Speed {
        /// Which requests.
        requests: Vec<Requests>,
        /// Than this, which is a bucket of the histogram.
        within: Duration,
    },
    /// Moments at which the oldest thing that waits was not older.
    Freshness {
        /// The metric that tells its age in seconds.
        gauge: String,
        /// Than this.
        within: Duration,
    },
}

/// Requests of a surface.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Requests {
    /// The value of the label `surface`.
    pub(super) surface: Surface,
    /// Any if absent.
    #[serde(default)]
    pub(super) methods: Vec<String>,
    /// Route templates.
    #[serde(default)]
    pub(super) routes: Vec<String>,
    /// Instead of routes: all that begin so.
    pub(super) below: Option<String>,
}

/// A part of the public port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Surface {
    Api,
    Storefront,
    Backoffice,
}

impl Surface {
    pub(super) const ALL: [Self; 3] = [Self::Api, Self::Storefront, Self::Backoffice];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Storefront => "storefront",
            Self::Backoffice => "backoffice",
        }
    }
}

impl Slo {
    /// Reads a file and holds it against what can be kept and measured.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let slo: Self = serde_norway::from_str(text)?;
        let small = |text: &str| !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'-');
        ensure!(small(&slo.slo), "slo: small letters and hyphens");
        ensure!(
            slo.alert.bytes().all(|letter| letter.is_ascii_alphabetic()) && slo.alert.starts_with(|letter: char| letter.is_ascii_uppercase()),
            "alert: words in one, such as CartErrors"
        );
        ensure!(slo.page_after.len() == 2 && slo.ticket_after.len() == 2, "two of page_after and two of ticket_after");
        ensure!(slo.minimum_events >= 20, "minimum_events: at least 20");
        for requests in slo.measure.requests() {
            ensure!(requests.routes.is_empty() == requests.below.is_some(), "requests: either routes or below");
        }
        ensure!(!matches!(&slo.measure, Measure::Answers { requests } | Measure::Speed { requests, .. } if requests.is_empty()), "requests: none");
        for loss in slo.losses() {
            ensure!(loss.burn_hundredths() * slo.objective.budget() <= 100 * Share::WHOLE, "{loss} of this budget cannot be lost: it is more than everything");
        }
        Ok(slo)
    }

    /// Pages first.
    pub(super) fn losses(&self) -> impl Iterator<Item = Loss> {
        self.page_after.iter().chain(&self.ticket_after).copied()
    }
}

impl Measure {
    pub(super) fn requests(&self) -> &[Requests] {
        match self {
            Self::Answers { requests } | Self::Speed { requests, .. } => requests,
            Self::Freshness { .. } => &[],
        }
    }
}

/// A share of everything, in thousandths of a percent, such as 99.9%.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Share(u64);

impl Share {
    /// Everything.
    pub(super) const WHOLE: u64 = 100_000;

    /// What may be bad, in hundred-thousandths.
    pub(super) const fn budget(self) -> u64 {
        Self::WHOLE - self.0
    }

    /// What may be bad, as a ratio in decimals.
    pub(super) fn budget_ratio(self) -> String {
        decimal(self.budget(), 5)
    }

    /// What must be good, as a ratio in decimals.
    pub(super) fn ratio(self) -> String {
        decimal(self.0, 5)
    }
}

impl TryFrom<String> for Share {
    type Error = anyhow::Error;

    fn try_from(text: String) -> anyhow::Result<Self> {
        let number = text.strip_suffix('%').context("a share ends with %")?;
        let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
        ensure!(rest.len() <= 3, "no more than three decimals");
        let share: u64 = format!("{whole}{rest:0<3}").parse().context("a share is a number and %")?;
        ensure!((50_000..Self::WHOLE).contains(&share), "between 50% and less than 100%");
        Ok(Self(share))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", decimal(self.0, 3))
    }
}

/// The window of an objective.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) enum Window {
    #[serde(rename = "30d")]
    Month,
}

impl Window {
    /// As one says it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Month => "30 days",
        }
    }
}

/// A part of the month's budget that is lost within a window, such as `2% in 1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Loss {
    percent: u64,
    /// The window.
    pub(super) long: Range,
}

impl Loss {
    /// The window that must be bad as well, so that an alert ends soon after what it tells of: a twelfth of the other.
    pub(super) const fn short(self) -> Range {
        match self.long {
            Range::Hours6 => Range::Minutes30,
            Range::Day => Range::Hours2,
            Range::Days3 => Range::Hours6,
            _ => Range::Minutes5,
        }
    }

    /// How many times faster than the budget allows, in hundredths.
    pub(super) const fn burn_hundredths(self) -> u64 {
        self.percent * WINDOW_HOURS / self.long.hours()
    }

    /// The same in decimals.
    pub(super) fn burn(self) -> String {
        decimal(self.burn_hundredths(), 2)
    }
}

impl TryFrom<String> for Loss {
    type Error = anyhow::Error;

    fn try_from(text: String) -> anyhow::Result<Self> {
        let (percent, long) = text.split_once("% in ").context("such as `2% in 1h`")?;
        let long: Range = long.parse()?;
        ensure!(matches!(long, Range::Hour | Range::Hours6 | Range::Day | Range::Days3), "in 1h, 6h, 1d or 3d");
        Ok(Self { percent: percent.parse().context("whole percents")?, long })
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}% in {}", self.percent, self.long.as_str())
    }
}

/// The windows that are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    Minutes5,
    Minutes30,
    Hour,
    Hours2,
    Hours6,
    Day,
    Days3,
}

impl Range {
    pub(super) const ALL: [Self; 7] = [Self::Minutes5, Self::Minutes30, Self::Hour, Self::Hours2, Self::Hours6, Self::Day, Self::Days3];

    /// As PromQL has it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Minutes5 => "5m",
            Self::Minutes30 => "30m",
            Self::Hour => "1h",
            Self::Hours2 => "2h",
            Self::Hours6 => "6h",
            Self::Day => "1d",
            Self::Days3 => "3d",
        }
    }

    /// As one says it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Minutes5 => "five minutes",
            Self::Minutes30 => "half hour",
            Self::Hour => "hour",
            Self::Hours2 => "two hours",
            Self::Hours6 => "six hours",
            Self::Day => "day",
            Self::Days3 => "three days",
        }
    }

    const fn hours(self) -> u64 {
        match self {
            Self::Hours2 => 2,
            Self::Hours6 => 6,
            Self::Day => 24,
            Self::Days3 => 72,
            Self::Minutes5 | Self::Minutes30 | Self::Hour => 1,
        }
    }

    /// Whether it is looked at often: what is read of long windows is much, and changes slowly.
    pub(super) const fn is_quick(self) -> bool {
        matches!(self, Self::Minutes5 | Self::Minutes30 | Self::Hour)
    }
}

impl FromStr for Range {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        Self::ALL.into_iter().find(|range| range.as_str() == text).with_context(|| format!("no window is {text:?}"))
    }
}

/// A duration such as `250ms` or `30s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Duration {
    milliseconds: u64,
}

impl Duration {
    /// In seconds and decimals.
    pub(super) fn seconds(self) -> String {
        decimal(self.milliseconds, 3)
    }

    /// A part of it.
    pub(super) const fn tenth(self) -> Self {
        Self { milliseconds: self.milliseconds / 10 }
    }
}

impl TryFrom<String> for Duration {
    type Error = anyhow::Error;

    fn try_from(text: String) -> anyhow::Result<Self> {
        let milliseconds = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
            (Some(number), _) => number.parse()?,
            (None, Some(number)) => number.parse::<u64>()? * 1_000,
            (None, None) => bail!("a duration such as 250ms or 30s"),
        };
        Ok(Self { milliseconds })
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.milliseconds < 1_000 { write!(f, "{} ms", self.milliseconds) } else { write!(f, "{} s", self.seconds()) }
    }
}

/// A whole number of parts as a decimal number without zeros at its end.
pub(super) fn decimal(parts: u64, places: usize) -> String {
    let digits = format!("{parts:0>width$}", width = places + 1);
    let (whole, rest) = digits.split_at(digits.len() - places);
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") }
}

#[cfg(test)]
pub(super) mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// A file that says everything.
    pub(crate) const CHECKOUT: &str = r#"
slo: checkout-availability
alert: CheckoutErrors
promise: Shoppers can pay
feels: Shoppers cannot pay
counted: checkout requests
objective: 99.9%
window: 30d
measure:
  of: answers
  requests:
    - { surface: storefront, methods: [POST], routes: [/checkout] }
    - { surface: api, routes: ["/store/v1/carts/{id}/complete"] }
page_after: [2% in 1h, 5% in 6h]
ticket_after: [10% in 1d, 10% in 3d]
minimum_events: 50
"#;

    #[test]
    fn burn_rates_are_those_of_the_sre_workbook() {
        let slo = Slo::parse(CHECKOUT).unwrap();
        assert_eq!(slo.losses().map(Loss::burn).collect::<Vec<_>>(), ["14.4", "6", "3", "1"]);
        assert_eq!(slo.losses().map(|loss| loss.short().as_str()).collect::<Vec<_>>(), ["5m", "30m", "2h", "6h"]);
        assert_eq!(
            (slo.objective.budget_ratio(), slo.objective.ratio(), slo.objective.to_string()),
            ("0.001".to_owned(), "0.999".to_owned(), "99.9%".to_owned())
        );
    }

    #[test]
    fn what_a_file_must_not_say_is_refused() {
        for (from, to) in [
            ("objective: 99.9%", "objective: 99.9"),
            ("objective: 99.9%", "objective: 100%"),
            ("objective: 99.9%", "objective: 90%"),
            ("window: 30d", "window: 28d"),
            ("minimum_events: 50", "minimum_events: 5"),
            ("minimum_events: 50", "minimum_events: 50\nrunbook: elsewhere.md"),
            ("of: answers", "of: answers\n  within: 1s"),
            ("of: answers", "of: hopes"),
            ("methods: [POST], ", "verbs: [POST], "),
            ("routes: [/checkout]", "routes: [/checkout], below: /check"),
            ("2% in 1h", "2% in 2h"),
            ("surface: api", "surface: web"),
            ("page_after: [2% in 1h, 5% in 6h]", "page_after: [2% in 1h]"),
        ] {
            let text = CHECKOUT.replacen(from, to, 1);
            assert_ne!(text, CHECKOUT, "{from}");
            assert!(Slo::parse(&text).is_err(), "{to}");
        }
    }

    #[test]
    fn decimals_are_exact() {
        for (parts, places, text) in [(1_440, 2, "14.4"), (100, 2, "1"), (100, 5, "0.001"), (250, 3, "0.25"), (0, 3, "0"), (120_000, 3, "120")] {
            assert_eq!(decimal(parts, places), text);
        }
    }
}
