//! `cargo xtask new-service`: a folder, two manifest lines, one line in the list of services.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::{say, workspace};

/// A file and what goes into it; `NAME` is the service's name.
const FILES: &[(&str, &str)] = &[
    ("README.md", include_str!("scaffold/readme.md.txt")),
    ("Cargo.toml", include_str!("scaffold/cargo.toml.txt")),
    ("sqlx.toml", "[migrate]\ntable-name = \"NAME.migration\"\n"),
    ("migrations/0001_NAME.sql", "comment on schema NAME is 'What NAME keeps.';\n"),
    ("api/Cargo.toml", include_str!("scaffold/api_cargo.toml.txt")),
    ("api/src/lib.rs", "//! The contract of NAME: its ids, bodies, answers, endpoints and events.\n"),
    ("src/lib.rs", include_str!("scaffold/lib.rs.txt")),
    ("tests/NAME/main.rs", include_str!("scaffold/test.rs.txt")),
];

/// Writes the service.
pub(crate) fn run(root: &Path, name: &str) -> anyhow::Result<()> {
    check_name(root, name)?;
    let folder = root.join("services").join(name);
    for (path, text) in FILES {
        let path = folder.join(path.replace("NAME", name));
        std::fs::create_dir_all(path.parent().context("every file has a folder")?)?;
        std::fs::write(&path, text.replace("NAME", name)).with_context(|| path.display().to_string())?;
    }
    change(&root.join("Cargo.toml"), |text| {
        let text = after_last(text, "-api = { path = \"services/", &format!("{name}-api = {{ path = \"services/{name}/api\" }}"))?;
        after_last(&text, "\" }", &format!("{name} = {{ path = \"services/{name}\" }}"))
    })?;
    change(&root.join("tradewind/Cargo.toml"), |text| after_last(text, "service.workspace = true", &format!("{name}.workspace = true")))?;
    change(&root.join("tradewind/src/services.rs"), |text| with_entry(text, name))?;
    let formatted = Command::new("cargo").args(["fmt", "--package", "tradewind", "--package", name]).current_dir(root).status()?;
    ensure!(formatted.success(), "cargo fmt failed");
    say(&format!("services/{name} is there. Next: its tables (migrations/0001_{name}.sql), its contract (api/), then store.rs and http.rs;"))?;
    say("services/identity shows how a service reads. `cargo xtask sql` after every change of a query.")
}

fn check_name(root: &Path, name: &str) -> anyhow::Result<()> {
    let well_formed = (2..=30).contains(&name.len()) && name.bytes().all(|letter| letter.is_ascii_lowercase());
    ensure!(well_formed, "a service's name is its schema's: 2 to 30 small letters");
    let taken = workspace::packages(root)?.iter().any(|package| package.name == name || package.name == format!("{name}-api"));
    ensure!(!taken && !root.join("services").join(name).exists(), "there is a crate {name} already");
    ensure!(!["ops", "public", "core", "std", "alloc", "test"].contains(&name), "{name} means something else already");
    Ok(())
}

fn change(path: &Path, edit: impl Fn(&str) -> anyhow::Result<String>) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    std::fs::write(path, edit(&text).with_context(|| path.display().to_string())?)?;
    Ok(())
}

/// The text with a line added after the last one that contains `part`.
fn after_last(text: &str, part: &str, line: &str) -> anyhow::Result<String> {
    let Some(found) = text.rfind(part) else { bail!("no line with {part:?} to add after") };
    let end = text.get(found..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| found + length);
    let (before, after) = text.split_at(end);
    Ok(format!("{before}\n{line}{after}"))
}

/// The list of services with one more at its end.
fn with_entry(text: &str, name: &str) -> anyhow::Result<String> {
    let (before, list) = text.split_once("vec![").context("there is no list of services")?;
    let (list, after) = list.split_once("]").context("the list of services does not end")?;
    let list = list.trim().trim_end_matches(',');
    let separator = if list.is_empty() { "" } else { ", " };
    Ok(format!("{before}vec![{list}{separator}{name}::service(context)]{after}"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_line_is_added_after_the_last_of_its_kind() {
        assert_eq!(after_last("a = 1\na = 2\nb = 3\n", "a =", "x").unwrap(), "a = 1\na = 2\nx\nb = 3\n");
        assert!(after_last("a", "b", "x").is_err());
    }

    #[test]
    fn the_list_gets_one_more_entry() {
        assert_eq!(with_entry("f() { vec![\n a(),\n b(),\n] }", "c").unwrap(), "f() { vec![a(),\n b(), c::service(context)] }");
    }
}
