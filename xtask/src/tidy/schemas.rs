//! Rule 4: SQL names its own schema only. Others' tables are reached through the functions their service offers.

use super::model::Model;
use super::rust::{self, Piece};
use super::sqltext::{self, Token};
use super::{Finding, sources};

/// In migrations and in the strings of `store.rs`, every name of a schema is the service's own.
pub(super) fn own_schema(model: &Model) -> Vec<Finding> {
    let schemas = model.schemas();
    let mut findings = Vec::new();
    for (path, text) in &model.files {
        let Some(own) = schema_of(path) else { continue };
        let foreign = |tokens: &[Token], offset: usize| {
            let names = sqltext::qualified_names(tokens).map(|(schema, name)| (schema, format!("{}.{}", schema.text, name.text)));
            let names = names.filter(|(schema, _)| schemas.contains(schema.text.as_str()) && schema.text != own);
            let roles =
                tokens.iter().filter_map(|token| Some((token, role_schema(&token.text)?))).filter(|(_, schema)| schemas.contains(schema) && *schema != own);
            let roles = roles.map(|(token, _)| (token, token.text.clone()));
            names.chain(roles).map(|(token, name)| Finding::at(path, token.line + offset, format!("{name} belongs to another service"))).collect::<Vec<_>>()
        };
        if path.ends_with(".sql") {
            findings.extend(foreign(&sqltext::tokens(text), 0));
        } else if is_source(path) {
            for piece in queries(path, text) {
                findings.extend(foreign(&sqltext::tokens(&piece.text), piece.line.saturating_sub(1)));
            }
        }
    }
    findings
}

/// A service's queries stand in `store.rs` or below `store/`, so that one place shows what it asks of the database.
pub(super) fn in_store(model: &Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in model.ending_in(".rs").filter(|(path, _)| path.starts_with("services/") && is_source(path) && !is_store(path)) {
        let source = rust::take_apart(text);
        for (number, line) in sources::without_tests(&source.code).lines().enumerate() {
            let call = ["query!", "query_as!", "query_scalar!", "sqlx::query(", "sqlx::query_as(", "sqlx::query_scalar(", "raw_sql(", "QueryBuilder::"];
            if call.iter().any(|call| line.contains(call)) {
                findings.push(Finding::at(path, number + 1, "queries live in store.rs"));
            }
        }
    }
    findings
}

/// The strings of a source file that are SQL: in a store all of them, elsewhere those that begin like a statement.
fn queries(path: &str, text: &str) -> Vec<Piece> {
    let mut strings = rust::take_apart(text).strings;
    if !is_store(path) {
        strings.retain(|piece| {
            ["select ", "insert into ", "update ", "delete from ", "with "].iter().any(|verb| piece.text.trim_start().to_lowercase().starts_with(verb))
        });
    }
    // Names of events, jobs and schedules have the form of a table's.
    strings.retain(|piece| piece.text.contains(' '));
    strings
}

/// The schema a file may name: its service's, or `ops` for `crates/db`.
fn schema_of(path: &str) -> Option<&str> {
    if path.starts_with("crates/db/") {
        return Some("ops");
    }
    path.strip_prefix("services/")?.split('/').next()
}

fn is_source(path: &str) -> bool {
    path.ends_with(".rs") && path.contains("/src/") && !path.contains("/api/")
}

fn is_store(path: &str) -> bool {
    path.ends_with("/src/store.rs") || path.contains("/src/store/")
}

fn role_schema(word: &str) -> Option<&str> {
    let name = word.strip_prefix("tw_")?;
    name.strip_suffix("_rw").or_else(|| name.strip_suffix("_owner"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        own_schema(&Model::example_with(path, text)).len()
    }

    #[test]
    fn a_foreign_table_in_a_query_is_found() {
        assert_eq!(found("services/cart/src/store.rs", "query!(\"select 1 from cart.thing join catalog.thing on true\")"), 1);
        assert_eq!(found("services/cart/src/store.rs", "builder.push(\" and exists (select from ops.job)\")"), 1);
        assert_eq!(found("services/cart/src/http.rs", "query!(\"select 1 from catalog.thing\")"), 1);
    }

    #[test]
    fn a_foreign_table_in_a_migration_is_found() {
        let text = "create table cart.line (id uuid references catalog.thing (id));\ngrant select on cart.line to tw_catalog_rw;";
        assert_eq!(found("services/cart/migrations/0002_line.sql", text), 2);
    }

    #[test]
    fn names_of_jobs_and_messages_are_no_tables() {
        assert_eq!(found("services/cart/src/http.rs", "log(\"the catalog.thing is gone\"); on(\"catalog.forget\")"), 0);
        assert_eq!(found("services/cart/src/store.rs", "tx.enqueue(\"catalog.forget\", &payload)"), 0);
    }

    #[test]
    fn a_query_outside_the_store_is_found() {
        assert_eq!(in_store(&Model::example_with("services/cart/src/http.rs", "fn f() { sqlx::query!(\"select 1\"); }")).len(), 1);
        assert_eq!(in_store(&Model::example_with("services/cart/src/store/line.rs", "fn f() { sqlx::query!(\"select 1\"); }")), []);
    }
}
