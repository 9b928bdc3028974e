//! Every alert has a runbook, and every runbook an alert, except for deeds that no alert asks for.

use std::collections::BTreeMap;
use std::path::Path;

/// Where they lie.
const FOLDER: &str = "docs/runbooks";
/// What each of them says, in this order.
const SECTIONS: [&str; 4] = ["## What users feel", "## How to see it", "## What to do", "## How to know it is over"];

/// How the title of a page begins that is no alert's.
const DEED: &str = "# To ";
/// What such a page says, in this order.
const SECTIONS_OF_DEED: [&str; 3] = ["## When", "## What to do", "## How to know it is over"];

/// The file of an alert's runbook: `CheckoutErrors` has `docs/runbooks/checkout-errors.md`.
pub(super) fn path(alert: &str) -> String {
    format!("{FOLDER}/{}.md", kebab(alert))
}

fn kebab(words: &str) -> String {
    let mut name = String::new();
    for letter in words.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// All runbooks by their path.
pub(super) fn read(root: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let files = super::read_files(&root.join(FOLDER))?;
    Ok(files.into_iter().filter(|(name, _)| name != "README.md").map(|(name, text)| (format!("{FOLDER}/{name}"), text)).collect())
}

/// What is missing between alerts and runbooks.
pub(super) fn missing(alerts: &[String], runbooks: &BTreeMap<String, String>) -> Vec<String> {
    let wanted: BTreeMap<String, &String> = alerts.iter().map(|alert| (path(alert), alert)).collect();
    let none = wanted.iter().filter(|(path, _)| !runbooks.contains_key(*path)).map(|(path, alert)| format!("{alert} has no runbook {path}"));
    let idle = runbooks.iter().filter(|(path, text)| wanted.contains_key(*path) == text.starts_with(DEED)).map(|(path, text)| match text.starts_with(DEED) {
        true => format!("{path} is an alert's runbook, so it is named like the alert and not like a deed"),
        false => format!("{path} is no alert's runbook"),
    });
    let incomplete = runbooks.iter().filter_map(|(path, text)| {
        let wanted: &[&str] = if text.starts_with(DEED) { &SECTIONS_OF_DEED } else { &SECTIONS };
        let found: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
        (found != wanted).then(|| format!("{path} needs these sections and no others: {}", wanted.join(", ")))
    });
    none.chain(idle).chain(incomplete).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_without_runbook_a_runbook_without_alert_and_a_missing_section_are_told() {
        let whole = format!("# Title\n{}\n", SECTIONS.join("\ntext\n"));
        let alerts = ["CheckoutErrors".to_owned()];
        let runbook = |name: &str, text: &str| (format!("docs/runbooks/{name}.md"), text.to_owned());
        assert!(missing(&alerts, &BTreeMap::from([runbook("checkout-errors", &whole)])).is_empty());
        assert_eq!(missing(&alerts, &BTreeMap::new()), ["CheckoutErrors has no runbook docs/runbooks/checkout-errors.md"]);
        let both = BTreeMap::from([runbook("checkout-errors", &whole), runbook("dead-jobs", &whole)]);
        assert_eq!(missing(&alerts, &both), ["docs/runbooks/dead-jobs.md is no alert's runbook"]);
        let short = BTreeMap::from([runbook("checkout-errors", &whole.replace("## What to do", "## Do"))]);
        assert_eq!(missing(&alerts, &short).len(), 1);
    }

    #[test]
    fn a_deed_needs_no_alert_but_its_own_sections() {
        let whole = format!("# Title\n{}\n", SECTIONS.join("\ntext\n"));
        let alerts = ["CheckoutErrors".to_owned()];
        let with = |name: &str, text: &str| {
            BTreeMap::from([("docs/runbooks/checkout-errors.md".to_owned(), whole.clone()), (format!("docs/runbooks/{name}.md"), text.to_owned())])
        };
        let deed = format!("# To roll back\n{}\n", SECTIONS_OF_DEED.join("\ntext\n"));
        assert!(missing(&alerts, &with("roll-back", &deed)).is_empty());
        assert_eq!(missing(&alerts, &with("roll-back", &deed.replace("## When", "## Why"))).len(), 1);
        assert_eq!(missing(&alerts, &with("roll-back", &deed.replace("# To roll back", "# Rolling back"))).len(), 2);
        assert_eq!(
            missing(&alerts, &with("checkout-errors", &deed)),
            ["docs/runbooks/checkout-errors.md is an alert's runbook, so it is named like the alert and not like a deed"]
        );
    }
}
