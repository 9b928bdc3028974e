//! `cargo xtask tidy`: the rules of the house that the compiler cannot see.
//!
//! Each rule is a function from the [`Model`] to what breaks it, with a test that shows it failing.

mod boundaries;
mod layout;
mod migrations;
mod model;
mod rust;
mod schemas;
mod sources;
mod sqltext;
mod words;

use std::fmt;
use std::path::Path;

use anyhow::bail;

use crate::say;
use model::Model;

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// The file or crate, with the line if there is one.
    place: String,
    /// What is wrong and what would be right.
    words: String,
}

impl Finding {
    fn new(place: impl Into<String>, words: impl Into<String>) -> Self {
        Self { place: place.into(), words: words.into() }
    }

    fn at(file: &str, line: usize, words: impl Into<String>) -> Self {
        Self::new(format!("{file}:{line}"), words)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.words)
    }
}

type Rule = fn(&Model) -> Vec<Finding>;

/// Every rule by name.
const RULES: &[(&str, Rule)] = &[
    ("dependencies point downhill", boundaries::direction),
    ("services call only those they may", boundaries::service_edges),
    ("pages see the API, not the database", boundaries::web),
    ("contracts carry no server", boundaries::contracts),
    ("every crate takes the workspace's lints", boundaries::lints),
    ("SQL names its own schema", schemas::own_schema),
    ("SQL lives in store.rs", schemas::in_store),
    ("migrations are safe while the last release runs", migrations::expand_only),
    ("migrations are numbered, and written in small letters", migrations::form),
    ("a service is complete in its folder", layout::complete),
    ("the guide for operators tells every setting", words::settings_are_told),
    ("every service is registered", layout::registered),
    ("modules are files, not mod.rs", layout::no_mod_rs),
    ("files are named alike", layout::names),
    ("the API's description is in the repository", layout::openapi),
    ("lints are expected with a reason, never allowed", sources::no_allow),
    ("what is left to do has an issue", sources::no_loose_ends),
];

/// Checks the workspace and tells everything that is wrong.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let model = Model::read(root)?;
    let mut count = 0;
    for (name, rule) in RULES {
        let mut findings = rule(&model);
        findings.sort();
        findings.dedup();
        if !findings.is_empty() {
            say(&format!("{name}:"))?;
        }
        for finding in &findings {
            say(&format!("  {finding}"))?;
        }
        count += findings.len();
    }
    if count > 0 {
        bail!("{count} finding(s)");
    }
    say(&format!("tidy: {} rules hold over {} files", RULES.len(), model.files.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_breaks_no_rule() {
        let model = Model::example();
        for (name, rule) in RULES {
            assert_eq!(rule(&model), [], "{name}");
        }
    }
}
