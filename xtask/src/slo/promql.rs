//! PromQL of an objective: which series, how many were bad of how many.

use super::model::{Measure, Range, Requests, Slo};

/// Preview pods get synthetic requests of the release's analysis, which no user feels.
pub(super) const USERS: &str = r#"release_role!="preview""#;

/// What is bad and what there is, as expressions over a window; both have one series per namespace.
pub(super) struct Rates {
    pub(super) bad: String,
    pub(super) all: String,
}

/// The selectors of requests as they stand between braces.
pub(super) fn matchers(requests: &Requests) -> Vec<String> {
    let mut matchers = vec![format!(r#"surface="{}""#, requests.surface.as_str())];
    if !requests.methods.is_empty() {
        matchers.push(one_of("method", &requests.methods));
    }
    match &requests.below {
        Some(prefix) => matchers.push(format!(r#"route=~"{}.*""#, literal(prefix))),
        None => matchers.push(one_of("route", &requests.routes)),
    }
    matchers
}

/// Calls `metric` over several selections, as one vector.
pub(super) fn any_of(metric: &str, requests: &[Requests], more: &[&str], range: &str) -> String {
    let selections = requests.iter().map(|requests| {
        let matchers = matchers(requests);
        let all: Vec<&str> = matchers.iter().map(String::as_str).chain(more.iter().copied()).collect();
        format!("rate({metric}{{{}}}[{range}])", all.join(","))
    });
    selections.collect::<Vec<_>>().join(" or ")
}

/// How many events per second were bad and how many there were.
pub(super) fn rates(slo: &Slo, range: Range) -> Option<Rates> {
    let range = range.as_str();
    let sum = |vector: String| format!("sum by (namespace) ({vector})");
    match &slo.measure {
        Measure::Answers { requests } => {
            let all = sum(any_of("http_requests_total", requests, &[r#"code!="499""#, USERS], range));
            let bad = sum(any_of("http_requests_total", requests, &[r#"code=~"5..""#, USERS], range));
            // Where nothing failed yet there is no series of failures.
            Some(Rates { bad: format!("({bad} or 0 * {all})"), all })
        }
        Measure::Speed { requests, within } => {
            let answered = r#"code!~"5..|499""#;
            let all = sum(any_of("http_request_duration_seconds_count", requests, &[answered, USERS], range));
            let fast = sum(any_of("http_request_duration_seconds_bucket", requests, &[answered, &bucket(&within.seconds()), USERS], range));
            Some(Rates { bad: format!("({all} - {fast})"), all })
        }
        Measure::Freshness { .. } => None,
    }
}

/// A bucket's matcher. Prometheus 3 writes whole bounds as `1.0`, earlier ones as they are told.
fn bucket(seconds: &str) -> String {
    if seconds.contains('.') { format!(r#"le="{seconds}""#) } else { format!(r#"le=~"{seconds}([.]0)?""#) }
}

/// A matcher for one of these values.
fn one_of(label: &str, values: &[String]) -> String {
    match values {
        [value] => format!(r#"{label}="{value}""#),
        values => format!(r#"{label}=~"{}""#, values.iter().map(|value| literal(value)).collect::<Vec<_>>().join("|")),
    }
}

/// A text as a regular expression that means nothing else, without backslashes, which a PromQL string would need twice.
fn literal(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/_-".contains(letter);
    text.chars().map(|letter| if plain(letter) { letter.to_string() } else { format!("[{letter}]") }).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::model::tests::CHECKOUT;
    use super::*;

    #[test]
    fn selections_of_several_surfaces_are_one_vector() {
        let slo = Slo::parse(CHECKOUT).unwrap();
        let rates = rates(&slo, Range::Hour).unwrap();
        assert_eq!(
            rates.all,
            concat!(
                r#"sum by (namespace) (rate(http_requests_total{surface="storefront",method="POST",route="/checkout",code!="499",release_role!="preview"}[1h]) or "#,
                r#"rate(http_requests_total{surface="api",route="/store/v1/carts/{id}/complete",code!="499",release_role!="preview"}[1h]))"#
            )
        );
    }

    #[test]
    fn templates_of_routes_are_taken_literally() {
        assert_eq!(one_of("route", &["/".to_owned(), "/a/{id}".to_owned()]), r#"route=~"/|/a/[{]id[}]""#);
        assert_eq!((bucket("0.25"), bucket("1")), (r#"le="0.25""#.to_owned(), r#"le=~"1([.]0)?""#.to_owned()));
    }
}
