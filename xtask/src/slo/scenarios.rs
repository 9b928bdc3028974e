//! Tests of the rules for promtool: what must fire for each objective, and what must not.

use serde::Serialize;

use super::model::{Measure, Share, Slo};
use super::rules::UNSEEN;

/// How many requests a minute the scenarios have; of 100,000, every budget is a whole number.
const BUSY: u64 = Share::WHOLE;

#[derive(Debug, Serialize)]
pub(super) struct Tests {
    rule_files: [String; 1],
    evaluation_interval: &'static str,
    tests: Vec<Test>,
}

#[derive(Debug, Serialize)]
struct Test {
    name: String,
    interval: &'static str,
    input_series: Vec<Series>,
    promql_expr_test: Vec<Expectation>,
}

#[derive(Debug, Serialize)]
struct Series {
    series: String,
    values: String,
}

#[derive(Debug, Serialize)]
struct Expectation {
    expr: String,
    eval_time: &'static str,
    exp_samples: Vec<Sample>,
}

#[derive(Debug, Serialize)]
struct Sample {
    labels: String,
    value: u64,
}

/// What happens in a scenario.
enum Course {
    /// A part of all events is bad from the beginning: the budget burns so many times too fast.
    Burning(u64),
    /// Everything is bad, but hardly anything happens.
    Rare,
    /// Everything was bad for an hour and has been good for twelve minutes.
    Over,
    /// Nothing is told at all.
    Silent,
}

/// Every scenario of an objective.
pub(super) fn of(slo: &Slo) -> Tests {
    let evaluation_interval = match slo.measure {
        // What is looked at is what is counted.
        Measure::Freshness { .. } => "1m",
        Measure::Answers { .. } | Measure::Speed { .. } => "4m",
    };
    Tests { rule_files: [format!("../{}.yaml", slo.slo)], evaluation_interval, tests: scenarios(slo) }
}

fn scenarios(slo: &Slo) -> Vec<Test> {
    let test = |what: &str, course: Course, eval_time, windows: &[&str]| Test {
        name: format!("{}: {what}", slo.slo),
        interval: "1m",
        input_series: input(slo, &course),
        promql_expr_test: vec![Expectation {
            expr: firing(slo, &slo.alert, "window"),
            eval_time,
            exp_samples: windows.iter().map(|window| firing_in(window)).collect(),
        }],
    };
    let unseen = Test {
        name: format!("{}: nothing is told of it", slo.slo),
        interval: "1m",
        input_series: input(slo, &Course::Silent),
        promql_expr_test: vec![Expectation {
            expr: firing(slo, UNSEEN, "slo"),
            eval_time: "15m",
            exp_samples: vec![Sample { labels: format!(r#"{{slo="{}"}}"#, slo.slo), value: slo.measure.requests().len().max(1).try_into().unwrap_or(1) }],
        }],
    };
    let seen = Test {
        name: format!("{}: it is seen", slo.slo),
        promql_expr_test: vec![Expectation { expr: firing(slo, UNSEEN, "slo"), eval_time: "15m", exp_samples: Vec::new() }],
        input_series: input(slo, &Course::Burning(0)),
        interval: "1m",
    };
    let mut tests = vec![
        test("everything is well", Course::Burning(0), "2h", &[]),
        test("too few events to tell", Course::Rare, "12m", &[]),
        test("it is over, and nobody is woken for what was", Course::Over, "72m", &["1d", "3d", "6h"]),
        unseen,
        seen,
    ];
    match slo.measure {
        Measure::Freshness { .. } => tests.push(test("nothing moves any more", Course::Burning(u64::MAX), "2h", &["1d", "1h", "3d", "6h"])),
        Measure::Answers { .. } | Measure::Speed { .. } => tests.extend([
            test("the budget burns 16 times too fast", Course::Burning(16), "2h", &["1d", "1h", "3d", "6h"]),
            test("the budget burns 10 times too fast", Course::Burning(10), "2h", &["1d", "3d", "6h"]),
            test("the budget burns 4 times too fast", Course::Burning(4), "2h", &["1d", "3d"]),
            test("the budget burns twice too fast", Course::Burning(2), "2h", &["3d"]),
        ]),
    }
    tests
}

/// Which alerts of an objective fire, by one of their labels.
fn firing(slo: &Slo, alert: &str, by: &str) -> String {
    format!(r#"count by ({by}) (ALERTS{{alertname="{alert}",slo="{}",alertstate="firing"}})"#, slo.slo)
}

fn firing_in(window: &str) -> Sample {
    Sample { labels: format!(r#"{{window="{window}"}}"#), value: 1 }
}

fn input(slo: &Slo, course: &Course) -> Vec<Series> {
    let budget = slo.objective.budget();
    let bad = match course {
        Course::Burning(times) => BUSY.min(budget.saturating_mul(*times)),
        Course::Rare | Course::Over => BUSY,
        Course::Silent => return Vec::new(),
    };
    // Half of what is needed, in ten minutes.
    let few = slo.minimum_events / 20;
    let [good, bad] = match course {
        Course::Rare => ["0x15".to_owned(), format!("0+{few}x10 {}x5", few * 10)],
        Course::Over => [format!("0x60 0+{BUSY}x20"), format!("0+{BUSY}x60 {}x20", BUSY * 60)],
        _ => [format!("0+{}x130", BUSY - bad), format!("0+{bad}x130")],
    };
    match &slo.measure {
        Measure::Freshness { gauge, within } => {
            let late = format!("{}0", within.seconds());
            let values = match course {
                // As after a start: fewer moments than it takes.
                Course::Rare => format!("_x{} {late}x{}", 13 - few, few),
                Course::Over => format!("{late}x60 0x20"),
                Course::Burning(0) => "0x130".to_owned(),
                _ => format!("{late}x130"),
            };
            vec![Series { series: gauge.clone(), values }]
        }
        Measure::Answers { requests } => {
            let labels = example(requests);
            let mut series = vec![
                Series { series: format!(r#"http_requests_total{{{labels},code="200"}}"#), values: good },
                Series { series: format!(r#"http_requests_total{{{labels},code="503"}}"#), values: bad },
                // Neither those who went away nor the analysis of a preview are users' errors.
                Series { series: format!(r#"http_requests_total{{{labels},code="499"}}"#), values: format!("0+{BUSY}x130") },
                Series { series: format!(r#"http_requests_total{{{labels},code="500",release_role="preview"}}"#), values: format!("0+{BUSY}x130") },
            ];
            series.extend(present(requests));
            series
        }
        Measure::Speed { requests, within } => {
            let labels = example(requests);
            let bound = within.seconds();
            let bound = if bound.contains('.') { bound } else { format!("{bound}.0") };
            let all = match course {
                Course::Over => format!("0+{BUSY}x80"),
                Course::Rare => bad,
                _ => format!("0+{BUSY}x130"),
            };
            let mut series = vec![
                Series { series: format!(r#"http_request_duration_seconds_bucket{{{labels},code="200",le="{bound}"}}"#), values: good },
                Series { series: format!(r#"http_request_duration_seconds_count{{{labels},code="200"}}"#), values: all },
                // An error is quick, and is no slow answer either.
                Series { series: format!(r#"http_request_duration_seconds_count{{{labels},code="500"}}"#), values: format!("0+{BUSY}x130") },
            ];
            series.extend(present(requests));
            series
        }
    }
}

/// The labels of the first kind of request.
fn example(requests: &[super::model::Requests]) -> String {
    let Some(first) = requests.first() else { return String::new() };
    let route = first.below.as_ref().or(first.routes.first()).cloned().unwrap_or_default();
    let method = first.methods.first().cloned().unwrap_or_else(|| "GET".to_owned());
    format!(r#"surface="{}",method="{method}",route="{route}""#, first.surface.as_str())
}

/// That processes with these surfaces are there.
fn present(requests: &[super::model::Requests]) -> impl Iterator<Item = Series> {
    requests
        .iter()
        .map(|requests| Series { series: format!(r#"http_requests_in_flight{{surface="{}"}}"#, requests.surface.as_str()), values: "0x130".to_owned() })
}
