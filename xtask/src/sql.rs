//! `cargo xtask sql`: makes `.sqlx` anew from the migrations and the queries.
//!
//! sqlx writes a file per query while its macros are expanded, if `SQLX_OFFLINE_DIR` is set and a database is there. Cargo does not know
//! of that side effect, so the crates with queries are marked as changed first.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, bail};

use crate::say;
use crate::server::Server;
use crate::workspace::{self, Package};

/// The schema of `crates/db`, which comes first.
const OPS: &str = "ops";

/// File names and what is in them.
type Files = BTreeMap<String, Vec<u8>>;

/// Makes the files anew, or compares them when `check`.
pub(crate) fn run(root: &Path, check: bool, only: &[String]) -> anyhow::Result<()> {
    let packages: Vec<Package> =
        workspace::packages(root)?.into_iter().filter(uses_sqlx).filter(|package| only.is_empty() || only.contains(&package.name)).collect();
    let server = Server::start()?;
    for (schema, migrations) in schemas(root, &packages)? {
        say(&format!("schema {schema}"))?;
        make_schema(&server, &schema, &migrations).with_context(|| format!("schema {schema}"))?;
    }
    let fresh = root.join("target/xtask-sqlx");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh)?;
    }
    std::fs::create_dir_all(&fresh)?;
    build(root, &packages, &server.url(), &fresh)?;
    drop(server);
    let fresh = read(&fresh)?;
    let committed = read(&root.join(".sqlx"))?;
    let differences = compare(&committed, &fresh, only.is_empty());
    if differences.is_empty() {
        return say(&format!("{} queries; .sqlx is up to date", fresh.len()));
    }
    if check {
        bail!(".sqlx is not what the queries say; run `cargo xtask sql` and commit it:\n{}", differences.join("\n"));
    }
    write(&root.join(".sqlx"), &committed, &fresh, only.is_empty())?;
    say(&format!("{} queries; {} file(s) of .sqlx changed", fresh.len(), differences.len()))
}

fn uses_sqlx(package: &Package) -> bool {
    package.dependencies().any(|name| name == "sqlx")
}

/// Every schema with its migrations in order, `ops` first.
fn schemas(root: &Path, packages: &[Package]) -> anyhow::Result<Vec<(String, Vec<PathBuf>)>> {
    let mut schemas = vec![(OPS.to_owned(), migrations(&root.join("crates/db"))?)];
    for package in packages.iter().filter(|package| package.folder().starts_with(root.join("services"))) {
        let migrations = migrations(package.folder())?;
        if !migrations.is_empty() {
            schemas.push((package.name.clone(), migrations));
        }
    }
    Ok(schemas)
}

fn migrations(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder.join("migrations")).into_iter().flatten();
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    Ok(files)
}

/// Makes the schema, its roles and its tables, as `tradewind migrate` does (crates/db/src/migrate.rs).
fn make_schema(server: &Server, schema: &str, migrations: &[PathBuf]) -> anyhow::Result<()> {
    server.run(&format!(
        "create role tw_{schema}_owner nologin;
         create role tw_{schema}_rw nologin;
         create schema {schema} authorization tw_{schema}_owner;
         grant usage on schema {schema} to tw_{schema}_rw;
         alter default privileges for role tw_{schema}_owner in schema {schema} grant select, insert, update, delete on tables to tw_{schema}_rw;
         alter default privileges for role tw_{schema}_owner in schema {schema} grant usage, select on sequences to tw_{schema}_rw;"
    ))?;
    for migration in migrations {
        let text = std::fs::read_to_string(migration)?;
        // On an empty database an index can be made at once; `concurrently` has no place in a transaction.
        let text = text.replace("index concurrently", "index");
        server.run(&format!("set role tw_{schema}_owner;\n{text}")).with_context(|| migration.display().to_string())?;
    }
    Ok(())
}

/// Type-checks every target of the packages, so that every query is described and saved.
fn build(root: &Path, packages: &[Package], url: &str, save_in: &Path) -> anyhow::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "cargo compares a file's time with the wall clock")]
    let now = SystemTime::now();
    for target in packages.iter().flat_map(Package::roots) {
        File::options().append(true).open(target).and_then(|file| file.set_modified(now)).with_context(|| target.display().to_string())?;
    }
    let mut command = Command::new("cargo");
    command.args(["check", "--all-targets"]).current_dir(root);
    for package in packages {
        command.args(["--package", &package.name]);
    }
    let status = command.env("DATABASE_URL", url).env("SQLX_OFFLINE", "false").env("SQLX_OFFLINE_DIR", save_in).status().context("running cargo check")?;
    if !status.success() {
        bail!("the workspace does not compile against the schemas of the migrations");
    }
    Ok(())
}

fn read(folder: &Path) -> anyhow::Result<Files> {
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.starts_with("query-") {
            files.insert(name, std::fs::read(&path)?);
        }
    }
    Ok(files)
}

/// What would have to change, in words; stale files only when `all` was built.
fn compare(committed: &Files, fresh: &Files, all: bool) -> Vec<String> {
    let changed = fresh.iter().filter_map(|(name, content)| match committed.get(name) {
        None => Some(format!("  missing: {name}")),
        Some(old) if old != content => Some(format!("  different: {name}")),
        Some(_) => None,
    });
    let stale = committed.keys().filter(|name| all && !fresh.contains_key(*name)).map(|name| format!("  stale: {name}"));
    changed.chain(stale).collect()
}

fn write(folder: &Path, committed: &Files, fresh: &Files, all: bool) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, content) in fresh {
        std::fs::write(folder.join(name), content)?;
    }
    for name in committed.keys().filter(|name| all && !fresh.contains_key(*name)) {
        std::fs::remove_file(folder.join(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pairs: &[(&str, &str)]) -> Files {
        pairs.iter().map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec())).collect()
    }

    #[test]
    fn missing_different_and_stale_files_are_told_apart() {
        let committed = files(&[("query-a", "1"), ("query-b", "1"), ("query-c", "1")]);
        let fresh = files(&[("query-a", "1"), ("query-b", "2"), ("query-d", "1")]);
        assert_eq!(compare(&committed, &fresh, true), ["  different: query-b", "  missing: query-d", "  stale: query-c"]);
        assert_eq!(compare(&committed, &fresh, false).len(), 2);
        assert!(compare(&committed, &committed, true).is_empty());
    }
}
