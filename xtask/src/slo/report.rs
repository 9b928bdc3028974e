//! The rows of the report to the merchant: what was promised, what was kept.

use serde::Serialize;

use super::model::Slo;

/// A row.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    slo: String,
    promise: String,
    objective: String,
    /// PromQL: the share of what was good in the last 30 days.
    kept: String,
    /// PromQL: the share of the budget that is left.
    budget_left: String,
}

/// One row per objective.
pub(super) fn rows(slos: &[Slo]) -> Vec<Row> {
    let row = |slo: &Slo| Row {
        slo: slo.slo.clone(),
        promise: slo.promise.clone(),
        objective: slo.objective.to_string(),
        kept: format!(r#"1 - slo:errors:ratio30d{{slo="{}"}}"#, slo.slo),
        budget_left: format!(r#"slo:budget_left:ratio{{slo="{}"}}"#, slo.slo),
    };
    slos.iter().map(row).collect()
}
