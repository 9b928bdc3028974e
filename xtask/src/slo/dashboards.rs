//! Dashboards: written by hand as rows of expressions, drawn as Grafana reads them.

use serde::{Deserialize, Serialize};

use super::model::{Measure, Slo};

/// Grafana's schema that the panels below are of (Grafana 10 and later).
const SCHEMA: u32 = 39;
/// Grafana's width.
const WIDTH: u32 = 24;
const HEIGHT: u32 = 7;

/// A dashboard as its file says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dashboard {
    uid: String,
    title: String,
    description: String,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    title: String,
    panels: Vec<Panel>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Panel {
    title: String,
    /// What one sees, for those who see it the first time.
    #[serde(default)]
    description: String,
    #[serde(default)]
    kind: Kind,
    /// Grafana's name of the unit.
    unit: String,
    series: Vec<Series>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Lines over time.
    #[default]
    TimeSeries,
    /// The last value, large.
    Stat,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    expr: String,
    #[serde(default)]
    legend: String,
}

/// The dashboard of the objectives: a row for each.
pub(super) fn of_objectives(slos: &[Slo]) -> Dashboard {
    Dashboard {
        uid: "tradewind-slo".to_owned(),
        title: "Tradewind: objectives".to_owned(),
        description: "What is promised to shoppers and staff, and how much of the month's budget for errors is left.".to_owned(),
        rows: slos.iter().map(row).collect(),
    }
}

fn row(slo: &Slo) -> Row {
    let name = &slo.slo;
    let panel = |title: &str, kind, unit: &str, series: Vec<(String, &str)>| Panel {
        title: title.to_owned(),
        description: String::new(),
        kind,
        unit: unit.to_owned(),
        series: series.into_iter().map(|(expr, legend)| Series { expr, legend: legend.to_owned() }).collect(),
    };
    let of = |series: &str| format!(r#"{series}{{slo="{name}",namespace=~"$namespace"}}"#);
    let events = match slo.measure {
        Measure::Freshness { .. } => panel("Late now (1) or not (0)", Kind::TimeSeries, "none", vec![(of("slo:bad:now"), "{{namespace}}")]),
        Measure::Answers { .. } | Measure::Speed { .. } => {
            panel("Events per second", Kind::TimeSeries, "reqps", vec![(of("slo:events:rate5m"), "{{namespace}}")])
        }
    };
    Row {
        title: format!("{} ({} of {})", slo.promise, slo.objective, slo.counted),
        panels: vec![
            panel("Budget left", Kind::Stat, "percentunit", vec![(of("slo:budget_left:ratio"), "{{namespace}}")]),
            panel("Gone in, at the pace of the last hour", Kind::Stat, "s", vec![(of("slo:exhaustion:seconds"), "{{namespace}}")]),
            panel(
                "Bad, beside what is allowed",
                Kind::TimeSeries,
                "percentunit",
                vec![
                    (of("slo:errors:ratio5m"), "5 minutes {{namespace}}"),
                    (of("slo:errors:ratio1h"), "hour {{namespace}}"),
                    (format!(r#"1 - slo:objective:ratio{{slo="{name}"}}"#), "allowed"),
                ],
            ),
            events,
        ],
    }
}

/// As Grafana reads it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Grafana<'a> {
    uid: &'a str,
    title: &'a str,
    description: String,
    tags: [&'static str; 1],
    editable: bool,
    schema_version: u32,
    time: Time,
    refresh: &'static str,
    templating: Templating,
    panels: Vec<Drawn<'a>>,
}

#[derive(Debug, Serialize)]
struct Time {
    from: &'static str,
    to: &'static str,
}

#[derive(Debug, Serialize)]
struct Templating {
    list: [Variable; 2],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Variable {
    name: &'static str,
    label: &'static str,
    r#type: &'static str,
    query: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    datasource: Option<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all_value: Option<&'static str>,
    include_all: bool,
    multi: bool,
}

#[derive(Debug, Serialize)]
struct Source {
    r#type: &'static str,
    uid: &'static str,
}

const SOURCE: Source = Source { r#type: "prometheus", uid: "${source}" };

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Drawn<'a> {
    id: u32,
    title: &'a str,
    r#type: &'static str,
    grid_pos: Position,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    datasource: Option<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field_config: Option<FieldConfig<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<Target<'a>>,
}

#[derive(Debug, Serialize)]
struct Position {
    x: u32,
    y: u32,
    w: u32,
    h: u32,
}

#[derive(Debug, Serialize)]
struct FieldConfig<'a> {
    defaults: Defaults<'a>,
    overrides: [(); 0],
}

#[derive(Debug, Serialize)]
struct Defaults<'a> {
    unit: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    ref_id: String,
    expr: &'a str,
    legend_format: &'a str,
}

impl Dashboard {
    /// Lays the rows out from left to right and from top to bottom.
    pub(super) fn grafana(&self) -> Grafana<'_> {
        let mut panels = Vec::new();
        let (mut id, mut y) = (0, 0);
        let mut next = || {
            id += 1;
            id
        };
        for row in &self.rows {
            panels.push(heading(next(), &row.title, y));
            y += 1;
            let width = WIDTH / u32::try_from(row.panels.len()).unwrap_or(WIDTH).clamp(1, WIDTH);
            let mut x = 0;
            for panel in &row.panels {
                panels.push(panel.drawn(next(), Position { x, y, w: width, h: HEIGHT }));
                x += width;
            }
            y += HEIGHT;
        }
        Grafana {
            uid: &self.uid,
            title: &self.title,
            description: format!("{} Written by `cargo xtask slo`.", self.description),
            tags: ["tradewind"],
            editable: false,
            schema_version: SCHEMA,
            time: Time { from: "now-6h", to: "now" },
            refresh: "30s",
            templating: Templating { list: variables() },
            panels,
        }
    }
}

fn variables() -> [Variable; 2] {
    let source = Variable {
        name: "source",
        label: "Prometheus",
        r#type: "datasource",
        query: "prometheus",
        datasource: None,
        all_value: None,
        include_all: false,
        multi: false,
    };
    let namespace = Variable {
        name: "namespace",
        label: "Namespace",
        r#type: "query",
        query: "label_values(tradewind_build_info, namespace)",
        datasource: Some(SOURCE),
        // Outside of a cluster there is no such label.
        all_value: Some(".*"),
        include_all: true,
        multi: true,
    };
    [source, namespace]
}

const fn heading(id: u32, title: &str, y: u32) -> Drawn<'_> {
    let grid_pos = Position { x: 0, y, w: WIDTH, h: 1 };
    Drawn { id, title, r#type: "row", grid_pos, description: "", datasource: None, field_config: None, targets: Vec::new() }
}

impl Panel {
    fn drawn(&self, id: u32, grid_pos: Position) -> Drawn<'_> {
        Drawn {
            id,
            title: &self.title,
            r#type: match self.kind {
                Kind::TimeSeries => "timeseries",
                Kind::Stat => "stat",
            },
            grid_pos,
            description: &self.description,
            datasource: Some(SOURCE),
            field_config: Some(FieldConfig { defaults: Defaults { unit: &self.unit }, overrides: [] }),
            targets: self.series.iter().zip('A'..='Z').map(|(series, letter)| series.drawn(letter)).collect(),
        }
    }
}

impl Series {
    fn drawn(&self, letter: char) -> Target<'_> {
        Target { ref_id: letter.to_string(), expr: &self.expr, legend_format: &self.legend }
    }
}
