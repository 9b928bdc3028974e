//! `cargo xtask slo`: everything that follows from the objectives in `deploy/observability/slo`, which are the only place where they are said.
//!
//! Written are recording rules, alerts and their tests, dashboards, analysis templates and the rows of the report to the merchant. The
//! dashboards' panels and the alerts that no objective covers are written by hand beside them, and go through here as well.

mod alerts;
mod analysis;
mod dashboards;
mod model;
mod output;
mod promql;
mod report;
mod routes;
mod rules;
mod runbooks;
mod scenarios;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};

use crate::say;
use alerts::Handwritten;
use dashboards::Dashboard;
use model::Slo;

/// Where the sources lie.
const FOLDER: &str = "deploy/observability";
/// Where everything is written to that Prometheus and people look at; nothing else lies there.
const GENERATED: &str = "deploy/observability/generated";
/// Where the chart takes from what a release has to prove; nothing else lies there.
const CHART: &str = "deploy/helm/tradewind/files";

/// What the repository says.
struct Sources {
    slos: Vec<Slo>,
    handwritten: Handwritten,
    dashboards: Vec<(String, Dashboard)>,
}

/// Writes what follows from the objectives, or says what differs.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let sources = read(root)?;
    let mut findings = routes::unknown(&sources.slos, &routes::code(root)?);
    findings.extend(runbooks::missing(&sources.alerts(), &runbooks::read(root)?));
    let files = generate(&sources)?;
    let committed = read_committed(root)?;
    if check {
        findings.extend(differences(&files, &committed));
    } else {
        write(root, &files, &committed)?;
    }
    for finding in &findings {
        say(finding)?;
    }
    if !findings.is_empty() {
        bail!("{} finding(s)", findings.len());
    }
    say(&format!("slo: {} objectives, {} alerts, {} files", sources.slos.len(), sources.alerts().len(), files.len()))
}

fn read(root: &Path) -> anyhow::Result<Sources> {
    let folder = root.join(FOLDER);
    let mut slos = Vec::new();
    for (name, text) in read_files(&folder.join("slo"))? {
        let slo = Slo::parse(&text).with_context(|| format!("{FOLDER}/slo/{name}"))?;
        if name != format!("{}.yaml", slo.slo) {
            bail!("{FOLDER}/slo/{name}: the file is named like the objective, {}.yaml", slo.slo);
        }
        slos.push(slo);
    }
    let mut dashboards = Vec::new();
    for (name, text) in read_files(&folder.join("dashboards"))? {
        let dashboard = serde_norway::from_str(&text).with_context(|| format!("{FOLDER}/dashboards/{name}"))?;
        dashboards.push((name.trim_end_matches(".yaml").to_owned(), dashboard));
    }
    let file = folder.join("alerts.yaml");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Ok(Sources { slos, handwritten: serde_norway::from_str(&text).with_context(|| file.display().to_string())?, dashboards })
}

impl Sources {
    /// The name of every alert.
    fn alerts(&self) -> Vec<String> {
        let of_objectives = self.slos.iter().map(|slo| slo.alert.clone()).chain([rules::UNSEEN.to_owned()]);
        let mut alerts: Vec<String> = of_objectives.chain(self.handwritten.alerts().map(str::to_owned)).collect();
        alerts.sort();
        alerts.dedup();
        alerts
    }
}

/// Every file by its path.
fn generate(sources: &Sources) -> anyhow::Result<BTreeMap<String, String>> {
    let Sources { slos, handwritten, dashboards } = sources;
    let rules = rules::of(slos);
    let by_objective = slos.iter().map(|slo| (format!("rules/{}.yaml", slo.slo), rules::of(std::slice::from_ref(slo))));
    let mut generated = BTreeMap::from([
        ("prometheus-rule.yaml".to_owned(), output::yaml(&alerts::as_object(&rules, handwritten))?),
        ("sla.json".to_owned(), output::json(&report::rows(slos))?),
        ("dashboards/slo.json".to_owned(), output::json(&dashboards::of_objectives(slos).grafana())?),
    ]);
    for (path, rules) in by_objective {
        generated.insert(path, output::yaml(&rules)?);
    }
    for slo in slos {
        generated.insert(format!("rules/tests/{}.yaml", slo.slo), output::yaml(&scenarios::of(slo))?);
    }
    for (name, dashboard) in dashboards {
        generated.insert(format!("dashboards/{name}.json"), output::json(&dashboard.grafana())?);
    }
    let mut files: BTreeMap<String, String> = generated.into_iter().map(|(path, text)| (format!("{GENERATED}/{path}"), text)).collect();
    files.insert(format!("{CHART}/analysis-templates.yaml"), output::documents(&analysis::of(slos))?);
    Ok(files)
}

fn differences(files: &BTreeMap<String, String>, committed: &BTreeMap<String, String>) -> Vec<String> {
    let changed = files.iter().filter(|(path, text)| committed.get(*path) != Some(text)).map(|(path, _)| format!("{path}: not what the sources say"));
    let left = committed.keys().filter(|path| !files.contains_key(*path)).map(|path| format!("{path}: nothing says it any more"));
    let mut findings: Vec<String> = changed.chain(left).collect();
    if !findings.is_empty() {
        findings.push("run `cargo xtask slo`".to_owned());
    }
    findings
}

/// What lies where things are written to.
fn read_committed(root: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut committed = BTreeMap::new();
    for folder in [GENERATED, CHART] {
        committed.extend(read_files(&root.join(folder))?.into_iter().map(|(path, text)| (format!("{folder}/{path}"), text)));
    }
    Ok(committed)
}

fn write(root: &Path, files: &BTreeMap<String, String>, committed: &BTreeMap<String, String>) -> anyhow::Result<()> {
    for path in committed.keys().filter(|path| !files.contains_key(*path)) {
        std::fs::remove_file(root.join(path))?;
    }
    for (path, text) in files {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(root))?;
        std::fs::write(&file, text).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// The files of a folder and of those in it, by their path below it.
fn read_files(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(inner) = folders.pop() {
        if !inner.exists() {
            continue;
        }
        for entry in std::fs::read_dir(&inner).with_context(|| inner.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            files.insert(path.strip_prefix(folder)?.to_string_lossy().into_owned(), text);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_file_that_was_changed_by_hand_or_that_nothing_says_any_more_is_told() {
        let files = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        assert!(differences(&files, &files).is_empty());
        let committed = BTreeMap::from([("a".to_owned(), "1 ".to_owned()), ("b".to_owned(), "2".to_owned()), ("c".to_owned(), "3".to_owned())]);
        let findings = differences(&files, &committed);
        let places: Vec<&str> = findings.iter().filter_map(|finding| Some(finding.split_once(':')?.0)).collect();
        assert_eq!((places, findings.len()), (vec!["a", "c"], 3));
    }

    #[test]
    fn what_is_committed_is_what_the_sources_say() {
        let root = crate::workspace::root().unwrap();
        let files = generate(&read(&root).unwrap()).unwrap();
        assert_eq!(differences(&files, &read_committed(&root).unwrap()), Vec::<String>::new());
    }
}
