//! Alerts written by hand, and all rules as one object for a cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rules::Rules;

/// The file of alerts that no objective covers, as Prometheus reads it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Handwritten {
    groups: Vec<Group>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    interval: String,
    rules: Vec<Alert>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Alert {
    alert: String,
    expr: String,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    lasting: Option<String>,
    labels: Labels,
    annotations: Annotations,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Labels {
    severity: Severity,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Page,
    Ticket,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Annotations {
    summary: String,
    description: String,
    runbook: String,
}

impl Handwritten {
    /// The names of the alerts.
    pub(super) fn alerts(&self) -> impl Iterator<Item = &str> {
        self.rules().map(|alert| alert.alert.as_str())
    }

    fn rules(&self) -> impl Iterator<Item = &Alert> {
        self.groups.iter().flat_map(|group| &group.rules)
    }
}

/// What the Prometheus operator takes.
#[derive(Debug, Serialize)]
pub(super) struct PrometheusRule<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    spec: Spec<'a>,
}

#[derive(Debug, Serialize)]
struct Metadata {
    name: &'static str,
    labels: BTreeMap<&'static str, &'static str>,
}

#[derive(Debug, Serialize)]
struct Spec<'a> {
    groups: Vec<AnyGroup<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum AnyGroup<'a> {
    OfObjective(&'a super::rules::Group),
    Handwritten(&'a Group),
}

/// All rules as one object.
pub(super) fn as_object<'a>(rules: &'a Rules, handwritten: &'a Handwritten) -> PrometheusRule<'a> {
    let groups = rules.groups.iter().map(AnyGroup::OfObjective).chain(handwritten.groups.iter().map(AnyGroup::Handwritten));
    PrometheusRule {
        api_version: "monitoring.coreos.com/v1",
        kind: "PrometheusRule",
        metadata: Metadata { name: "tradewind", labels: BTreeMap::from([("app.kubernetes.io/part-of", "tradewind")]) },
        spec: Spec { groups: groups.collect() },
    }
}
