//! What Argo Rollouts asks Prometheus during a release: of the new pods alone, which are told by the label of their hash.

use serde::Serialize;

use super::model::{Duration, Measure, Requests, Slo, Surface};
use super::promql;

/// Fewer requests say nothing about a release.
const REQUESTS: u64 = 3_000;
/// So many server errors are a bad release.
const ERRORS: u64 = 10;
/// So many times slower than the pods that serve now is a bad release.
const SLOWER: u64 = 3;
/// How far a look goes back; scraped every 5 s, it holds six points of a series.
const WINDOW: &str = "30s";
/// The same in seconds.
const WINDOW_SECONDS: u64 = 30;
/// So many slow requests are not chance.
const OUTLIERS: u64 = 3;
/// How the pods' hash arrives among the labels: ServiceMonitor's `podTargetLabels`.
const HASH: &str = "rollouts_pod_template_hash";
/// Where the release is.
const NAMESPACE: &str = r#"namespace="{{args.namespace}}""#;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Template {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Serialize)]
struct Metadata {
    name: String,
}

#[derive(Debug, Serialize)]
struct Spec {
    args: Vec<Argument>,
    metrics: Vec<Metric>,
}

#[derive(Debug, Serialize)]
struct Argument {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'static str>,
}

/// Each limit is said: a metric without `count` never ends, and an empty answer, a failure and an error have limits of their own.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    name: String,
    initial_delay: &'static str,
    interval: &'static str,
    count: u32,
    success_condition: String,
    failure_condition: String,
    failure_limit: u32,
    inconclusive_limit: u32,
    consecutive_error_limit: u32,
    provider: Provider,
}

#[derive(Debug, Serialize)]
struct Provider {
    prometheus: Prometheus,
}

#[derive(Debug, Serialize)]
struct Prometheus {
    address: &'static str,
    query: String,
}

/// Two templates per surface: before the switch, while the preview gets synthetic requests, and after it.
pub(super) fn of(slos: &[Slo]) -> Vec<Template> {
    Surface::ALL.into_iter().flat_map(|surface| [before(slos, surface), after(slos, surface)]).collect()
}

fn before(slos: &[Slo], surface: Surface) -> Template {
    let metrics = [enough(surface), errors(surface, BEFORE)].into_iter().chain(slower_than_active(slos, surface, BEFORE));
    template(surface, "before", metrics.collect())
}

/// After the switch, what the gateway could not answer counts as well: users see that, too.
fn after(slos: &[Slo], surface: Surface) -> Template {
    let metrics = [errors(surface, AFTER), gateway(surface)].into_iter().chain(slower_than_active(slos, surface, AFTER_A_WINDOW));
    template(surface, "after", metrics.collect())
}

fn slower_than_active(slos: &[Slo], surface: Surface, looks: Looks) -> impl Iterator<Item = Metric> {
    slos.iter().filter_map(move |slo| {
        let requests: Vec<Requests> = slo.measure.requests().iter().filter(|requests| requests.surface == surface).cloned().collect();
        match &slo.measure {
            Measure::Speed { within, .. } if !requests.is_empty() => Some(slower(&slo.slo, *within, &requests, looks)),
            _ => None,
        }
    })
}

/// The arguments are those that the chart's Rollouts give; the chart writes the release's name before the template's.
fn template(surface: Surface, when: &str, metrics: Vec<Metric>) -> Template {
    let given = |name| Argument { name, value: None };
    Template {
        api_version: "argoproj.io/v1alpha1",
        kind: "AnalysisTemplate",
        metadata: Metadata { name: format!("{}-{when}", surface.as_str()) },
        spec: Spec {
            args: vec![
                Argument { name: "prometheus", value: Some("http://prometheus-operated.monitoring:9090") },
                given("namespace"),
                given("hash"),
                given("active-hash"),
            ],
            metrics,
        },
    }
}

/// When a metric is looked at, and how often it may be bad.
#[derive(Debug, Clone, Copy)]
struct Looks {
    initial_delay: &'static str,
    interval: &'static str,
    count: u32,
    failure_limit: u32,
}

/// Looked at while the synthetic requests end: they take a minute, and their job a few seconds to begin. Where it begins later, the last looks
/// see them still.
const BEFORE: Looks = Looks { initial_delay: "65s", interval: "10s", count: 4, failure_limit: 0 };
/// Looked at for a minute from the switch on: from now on it is users who see the faults.
const AFTER: Looks = Looks { initial_delay: "5s", interval: "5s", count: 12, failure_limit: 0 };
/// The same minute, for what looks back over half of it: what was before the switch is none of the new pods'.
const AFTER_A_WINDOW: Looks = Looks { initial_delay: "35s", interval: "5s", count: 6, failure_limit: 0 };

fn metric(name: String, query: String, looks: Looks, success_condition: String, failure_condition: String) -> Metric {
    let Looks { initial_delay, interval, count, failure_limit } = looks;
    Metric {
        name,
        initial_delay,
        interval,
        count,
        success_condition,
        failure_condition,
        failure_limit,
        inconclusive_limit: 1,
        consecutive_error_limit: 2,
        provider: Provider { prometheus: Prometheus { address: "{{args.prometheus}}", query } },
    }
}

/// A series that is not there must not look like a release without errors.
fn enough(surface: Surface) -> Metric {
    let query = format!("sum(http_requests_total{{{}}})", of_new(surface));
    let enough = format!("len(result) > 0 && result[0] >= {REQUESTS}");
    // They may still be on their way at the first looks; one look must see them.
    let looks = Looks { failure_limit: BEFORE.count - 1, ..BEFORE };
    metric("enough-requests".to_owned(), query, looks, enough.clone(), format!("!({enough})"))
}

/// Counted from the pods' start and not over a window: the first error of a series is no increase.
fn errors(surface: Surface, looks: Looks) -> Metric {
    let new = of_new(surface);
    let query = format!(r#"sum(http_requests_total{{{new},code=~"5.."}}) or 0 * sum(http_requests_total{{{new}}})"#);
    few("server-errors", query, looks)
}

/// What HAProxy answered with a server error for this part, whoever's fault it was. It tells of every code from its start.
fn gateway(surface: Surface) -> Metric {
    let query = format!(r#"sum(increase(haproxy_backend_http_responses_total{{{NAMESPACE},proxy="{}",code="5xx"}}[{WINDOW}]))"#, surface.as_str());
    few("gateway-errors", query, AFTER_A_WINDOW)
}

/// Fewer than are bad, and counted at all.
fn few(name: &str, query: String, looks: Looks) -> Metric {
    let (few, many) = (format!("len(result) > 0 && result[0] < {ERRORS}"), format!("len(result) == 0 || result[0] >= {ERRORS}"));
    metric(name.to_owned(), query, looks, few, many)
}

fn of_new(surface: Surface) -> String {
    format!(r#"{NAMESPACE},surface="{}",{HASH}="{{{{args.hash}}}}""#, surface.as_str())
}

/// The slowest hundredth beside that of the pods that serve now, as a part of what is allowed. Where there are few requests, a hundredth of them
/// is a single one, which may have met a stall of the machine: then it is the third slowest that counts. Below a tenth of what is promised,
/// differences are noise; where the pods that serve now have nothing to do, the promise itself is the measure.
fn slower(slo: &str, within: Duration, requests: &[Requests], looks: Looks) -> Metric {
    let slowest = |argument: &str| {
        let pods = format!(r#"{NAMESPACE},{HASH}="{{{{args.{argument}}}}}""#);
        let of = |metric| promql::any_of(metric, requests, &[r#"code!~"5..|499""#, &pods], WINDOW);
        let (buckets, all) = (of("http_request_duration_seconds_bucket"), of("http_request_duration_seconds_count"));
        // Three of those in the window; of fewer there is no such part, and the answer is nothing.
        let part = format!("clamp_max(1 - {OUTLIERS} / ({WINDOW_SECONDS} * sum({all})), 0.99)");
        format!("(histogram_quantile(scalar({part}), sum by (le) ({buckets})) >= 0)")
    };
    let (new, active) = (slowest("hash"), slowest("active-hash"));
    let query = format!("({new} or vector(0)) / ({SLOWER} * (clamp_min({active}, {}) or vector({})))", within.tenth().seconds(), within.seconds());
    // A slow release is slow at every look; a single one may have seen something else of the machine.
    let looks = Looks { failure_limit: 1, ..looks };
    metric(format!("{slo}-beside-active"), query, looks, "len(result) > 0 && result[0] <= 1".to_owned(), "len(result) == 0 || result[0] > 1".to_owned())
}
