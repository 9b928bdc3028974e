//! One sentence about what just happened, and the fields it is about.

use kernel::Problem;
use serde::Serialize;

use crate::format::counted;

/// A note on a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Notice {
    tone: &'static str,
    title: String,
    text: Option<String>,
    items: Vec<String>,
}

impl Notice {
    /// It is done.
    pub(crate) fn done(title: impl Into<String>) -> Self {
        Self { tone: "ok", title: title.into(), text: None, items: Vec::new() }
    }

    /// A person has to look.
    pub(crate) fn look(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { tone: "warn", title: title.into(), text: Some(text.into()), items: Vec::new() }
    }

    /// It is not done.
    pub(crate) fn refused(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { tone: "bad", title: title.into(), text: Some(text.into()), items: Vec::new() }
    }

    /// Some of a table is saved, some is not.
    pub(crate) fn partly(saved: i64, one: &str, many: &str) -> Self {
        if saved == 0 {
            return Self::refused("Nothing is saved.", "What you typed is kept in its cells.");
        }
        Self::refused("Not everything could be saved.", format!("{} saved, the others are kept in their cells.", counted(saved, one, many)))
    }

    /// The same with one more line.
    pub(crate) fn with(mut self, item: String) -> Self {
        self.items.push(item);
        self
    }

    /// It is not done, in the API's own words; `shown` are the pointers whose fields say themselves what is wrong.
    pub(crate) fn of(problem: &Problem, shown: &[&str]) -> Self {
        let items = problem.errors().iter().filter(|error| !shown.contains(&error.pointer.as_str()));
        Self {
            tone: "bad",
            title: format!("{}.", problem.title().trim_end_matches('.')),
            text: explanation(problem),
            items: items.map(|error| format!("{}: {}", error.pointer.trim_start_matches('/'), error.detail)).collect(),
        }
    }
}

/// What a problem says about this time, and when to try again.
pub(crate) fn explanation(problem: &Problem) -> Option<String> {
    let again = problem.retry_after_seconds().map(|seconds| format!("Try again in {}.", counted(seconds.into(), "second", "seconds")));
    let parts: Vec<_> = problem.detail_text().map(ToOwned::to_owned).into_iter().chain(again).collect();
    if parts.is_empty() { None } else { Some(parts.join(" ")) }
}

/// What the API says about one field.
pub(crate) fn field_error(problem: &Problem, pointer: &str) -> Option<String> {
    let error = problem.errors().iter().find(|error| error.pointer == pointer)?;
    Some(sentence(&error.detail))
}

/// A capital at the front, a full stop at the end; what begins with its verb is said of "it".
pub(crate) fn sentence(text: &str) -> String {
    let text = match text.split(' ').next() {
        Some("is" | "must" | "has") => format!("it {text}"),
        _ => text.to_owned(),
    };
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}
