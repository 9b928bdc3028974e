//! Recording rules and alerts of objectives: several windows and several burn rates, as the SRE workbook's fifth chapter has them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::model::{Loss, Measure, Range, Slo};
use super::promql;

/// The alert for objectives that nothing is known of.
pub(super) const UNSEEN: &str = "ObjectiveUnseen";

/// A file of rules.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Rules {
    pub(super) groups: Vec<Group>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) interval: &'static str,
    pub(super) rules: Vec<Rule>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(super) enum Rule {
    Record(Recording),
    Alert(Alert),
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Recording {
    pub(super) record: String,
    pub(super) expr: String,
    pub(super) labels: BTreeMap<&'static str, String>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Alert {
    pub(super) alert: String,
    pub(super) expr: String,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub(super) lasting: Option<&'static str>,
    pub(super) labels: BTreeMap<&'static str, String>,
    pub(super) annotations: BTreeMap<&'static str, String>,
}

/// Every rule of every objective.
pub(super) fn of(slos: &[Slo]) -> Rules {
    Rules { groups: slos.iter().flat_map(groups).collect() }
}

fn groups(slo: &Slo) -> [Group; 4] {
    let windows = |quick: bool| Range::ALL.into_iter().filter(move |range| range.is_quick() == quick).flat_map(|range| window(slo, range));
    let mut first = source(slo);
    first.extend(windows(true));
    let group = |name: &str, interval, rules| Group { name: format!("{}-{name}", slo.slo), interval, rules };
    let alerts = slo.losses().enumerate().map(|(place, loss)| alert(slo, loss, if place < slo.page_after.len() { "page" } else { "ticket" }));
    [
        group("now", "30s", first),
        group("days", "2m", windows(false).collect()),
        group("month", "1m", month(slo)),
        group("alerts", "30s", [exhaustion(slo)].into_iter().chain(alerts).chain([unseen(slo)]).collect()),
    ]
}

fn record(slo: &Slo, record: impl Into<String>, expr: String) -> Rule {
    Rule::Record(Recording { record: record.into(), expr, labels: BTreeMap::from([("slo", slo.slo.clone())]) })
}

/// What the windows and the month are made of.
fn source(slo: &Slo) -> Vec<Rule> {
    let objective = record(slo, "slo:objective:ratio", format!("vector({})", slo.objective.ratio()));
    match (promql::rates(slo, Range::Minutes5), &slo.measure) {
        (Some(rates), _) => vec![objective, record(slo, "slo:bad:rate5m", rates.bad), record(slo, "slo:events:rate5m", rates.all)],
        // Every worker tells the same; where they do not agree, the worst is believed.
        (None, Measure::Freshness { gauge, within }) => {
            vec![objective, record(slo, "slo:bad:now", format!("max by (namespace) ({gauge}) > bool {}", within.seconds()))]
        }
        (None, _) => vec![objective],
    }
}

/// The share of what was bad in a window, and how much there was.
fn window(slo: &Slo, range: Range) -> [Rule; 2] {
    let window = range.as_str();
    let series = format!(r#"slo:bad:now{{slo="{}"}}[{window}]"#, slo.slo);
    let (errors, events) = match promql::rates(slo, range) {
        Some(rates) => (format!("{} / {}", rates.bad, rates.all), rates.all.replace("rate(", "increase(")),
        None => (format!("avg_over_time({series})"), format!("count_over_time({series})")),
    };
    [record(slo, format!("slo:errors:ratio{window}"), errors), record(slo, format!("slo:events:count{window}"), events)]
}

/// The month: what was bad, and what is left of the budget.
fn month(slo: &Slo) -> Vec<Rule> {
    let (name, budget) = (&slo.slo, slo.objective.budget_ratio());
    let errors = match slo.measure {
        Measure::Freshness { .. } => format!(r#"avg_over_time(slo:bad:now{{slo="{name}"}}[30d])"#),
        // Summed up from what was recorded, so that a busy hour weighs more than a quiet one.
        Measure::Answers { .. } | Measure::Speed { .. } => {
            format!(r#"sum_over_time(slo:bad:rate5m{{slo="{name}"}}[30d]) / (sum_over_time(slo:events:rate5m{{slo="{name}"}}[30d]) > 0)"#)
        }
    };
    vec![record(slo, "slo:errors:ratio30d", errors), record(slo, "slo:budget_left:ratio", format!(r#"1 - slo:errors:ratio30d{{slo="{name}"}} / {budget}"#))]
}

/// When the budget is gone at the pace of the last hour. Looked at with the alerts, which say it.
fn exhaustion(slo: &Slo) -> Rule {
    let (name, budget) = (&slo.slo, slo.objective.budget_ratio());
    let expr = format!(r#"30 * 86400 * clamp_min(slo:budget_left:ratio{{slo="{name}"}}, 0) / (slo:errors:ratio1h{{slo="{name}"}} / {budget})"#);
    record(slo, "slo:exhaustion:seconds", expr)
}

fn alert(slo: &Slo, loss: Loss, severity: &str) -> Rule {
    let (name, budget, burn) = (&slo.slo, slo.objective.budget_ratio(), loss.burn());
    let (long, short) = (loss.long.as_str(), loss.short().as_str());
    let expr = [
        format!(r#"slo:errors:ratio{long}{{slo="{name}"}} > {burn} * {budget}"#),
        format!(r#"slo:errors:ratio{short}{{slo="{name}"}} > {burn} * {budget}"#),
        format!(r#"slo:events:count{long}{{slo="{name}"}} >= {}"#, slo.minimum_events),
    ];
    Rule::Alert(Alert {
        alert: slo.alert.clone(),
        expr: expr.join("\nand "),
        lasting: None,
        labels: labels(slo, severity, &[("window", long.to_owned())]),
        annotations: annotations(&slo.alert, &format!("{}: {} in the last {}", slo.feels, share(slo), loss.long.words()), budget_words(slo)),
    })
}

/// What share of what was how, as a template over the alert's value.
fn share(slo: &Slo) -> String {
    let (value, counted) = ("{{ $value | humanizePercentage }}", &slo.counted);
    match &slo.measure {
        Measure::Answers { .. } => format!("{value} of {counted} failed"),
        Measure::Speed { within, .. } => format!("{value} of {counted} took longer than {within}"),
        Measure::Freshness { within, .. } => format!("{value} of the time {counted} waited longer than {within}"),
    }
}

fn budget_words(slo: &Slo) -> String {
    let of = |series: &str, filter: &str| {
        format!(
            r#"{{{{ with printf "{series}{{slo='{}',namespace='%s'}}" $labels.namespace | query }}}}{{{{ . | first | value | {filter} }}}}{{{{ else }}}}not known yet{{{{ end }}}}"#,
            slo.slo
        )
    };
    format!(
        "Promised is {} over {}. Left of this budget for errors: {}. At the pace of the last hour it is gone in: {}.",
        slo.objective,
        slo.window.words(),
        of("slo:budget_left:ratio", "humanizePercentage"),
        of("slo:exhaustion:seconds", "humanizeDuration")
    )
}

/// What is not measured is not kept. An objective whose source is gone would be silent. A surface tells how many requests it has in work from
/// its first moment on, even if nobody has come yet.
fn unseen(slo: &Slo) -> Rule {
    let (expr, what) = match &slo.measure {
        Measure::Freshness { gauge, .. } => (format!("absent({gauge})"), "No worker tells how old the oldest waiting thing is"),
        Measure::Answers { requests } | Measure::Speed { requests, .. } => {
            let surfaces = requests.iter().map(|requests| format!(r#"absent(http_requests_in_flight{{surface="{}"}})"#, requests.surface.as_str()));
            (surfaces.collect::<Vec<_>>().join(" or "), "No process that answers such requests is seen")
        }
    };
    Rule::Alert(Alert {
        alert: UNSEEN.to_owned(),
        expr,
        lasting: Some("10m"),
        labels: labels(slo, "ticket", &[]),
        annotations: annotations(UNSEEN, &format!("Nobody knows whether this holds: {}", slo.promise), format!("{what}. Nothing would be told if it broke.")),
    })
}

fn labels(slo: &Slo, severity: &str, more: &[(&'static str, String)]) -> BTreeMap<&'static str, String> {
    [("severity", severity.to_owned()), ("slo", slo.slo.clone())].into_iter().chain(more.iter().cloned()).collect()
}

fn annotations(alert: &str, summary: &str, description: String) -> BTreeMap<&'static str, String> {
    BTreeMap::from([("summary", summary.to_owned()), ("description", description), ("runbook", super::runbooks::path(alert))])
}
