//! Release N-1 runs on schema N. So a migration after the first only adds (expand); what nobody reads any more is taken away one release
//! later (contract), by a file whose first line says so: `-- contract: why nothing reads this any more`.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::model::Model;
use super::sqltext::{self, Token};

/// What the last release would stumble over, in words one after the other.
const BREAKING: &[(&[&str], &str)] = &[
    (&["drop", "table"], "drops a table"),
    (&["drop", "column"], "drops a column"),
    (&["drop", "constraint"], "drops a constraint"),
    (&["drop", "index"], "drops an index"),
    (&["drop", "schema"], "drops a schema"),
    (&["drop", "view"], "drops a view"),
    (&["drop", "function"], "drops a function"),
    (&["drop", "type"], "drops a type"),
    (&["drop", "sequence"], "drops a sequence"),
    (&["rename", "to"], "renames"),
    (&["rename", "column"], "renames a column"),
    (&["rename", "constraint"], "renames a constraint"),
    (&["set", "not", "null"], "makes a column not null: add a check `not valid` and validate it first"),
    (&["set", "data", "type"], "changes a type"),
    (&["truncate"], "empties a table"),
];

/// Every migration after the first of its schema leaves the last release working and takes no long lock.
pub(super) fn expand_only(model: &Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in migrations(model).filter(|(path, _)| number_of(path) != Some(1)) {
        let statements = sqltext::statements(text);
        let made_here: BTreeSet<String> = statements.iter().filter_map(|statement| table_after(statement, &["create", "table"])).collect();
        let contract = text.lines().next().is_some_and(|line| line.strip_prefix("-- contract:").is_some_and(|why| why.trim().len() > 10));
        for statement in &statements {
            let on_new_table =
                table_after(statement, &["alter", "table"]).or_else(|| table_after(statement, &["on"])).is_some_and(|table| made_here.contains(&table));
            if on_new_table {
                continue;
            }
            let line = statement.first().map_or(1, |token| token.line);
            let wrong = breaking(statement).filter(|_| !contract).or_else(|| locking(statement, text));
            findings.extend(wrong.map(|words| Finding::at(path, line, words)));
        }
    }
    findings
}

fn breaking(statement: &[Token]) -> Option<String> {
    let has = |words: &[&str]| sqltext::contains(statement, words);
    let listed = BREAKING.iter().find(|(words, _)| has(words)).map(|(_, what)| (*what).to_owned());
    let retyped = has(&["alter", "column"]) && has(&["type"]) && !has(&["set", "default"]);
    let unnamed_drop = has(&["alter", "table"]) && has(&["drop"]) && !has(&["drop", "not", "null"]) && !has(&["drop", "default"]);
    listed.or_else(|| retyped.then(|| "changes a type".to_owned())).or_else(|| unnamed_drop.then(|| "drops something".to_owned())).or_else(|| {
        let adds_required =
            has(&["alter", "table"]) && has(&["add"]) && has(&["not", "null"]) && !has(&["default"]) && !has(&["check"]) && !has(&["generated"]);
        adds_required.then(|| "adds a column that is not null and has no default: the last release's inserts would fail".to_owned())
    })
}

fn locking(statement: &[Token], text: &str) -> Option<String> {
    let has = |words: &[&str]| sqltext::contains(statement, words);
    let makes_index = has(&["create", "index"]) || has(&["create", "unique", "index"]);
    if makes_index && !has(&["concurrently"]) {
        return Some("makes an index on a table in use: `create index concurrently`, in a file that begins with `-- no-transaction`".to_owned());
    }
    if has(&["concurrently"]) && !text.starts_with("-- no-transaction") {
        return Some("`concurrently` needs `-- no-transaction` as the file's first line".to_owned());
    }
    let validates = has(&["add", "constraint"]) && (has(&["check"]) || has(&["foreign", "key"])) && !has(&["not", "valid"]);
    validates.then(|| "adds a constraint that reads the whole table under a lock: add it `not valid`, validate it in the next file".to_owned())
}

/// Migrations are named `0001_words.sql`, numbered without gaps, and written in small letters.
pub(super) fn form(model: &Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut numbers: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (path, text) in migrations(model) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let words = name.get(4..).and_then(|rest| rest.strip_prefix('_')?.strip_suffix(".sql"));
        let well_named =
            words.is_some_and(|words| !words.is_empty() && words.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'));
        match number_of(path).filter(|_| well_named) {
            Some(number) => numbers.entry(folder).or_default().push(number),
            None => findings.push(Finding::new(path, "is not named like 0001_words.sql")),
        }
        let loud = sqltext::tokens(text).into_iter().find(|token| token.written != token.text);
        findings.extend(loud.map(|token| Finding::at(path, token.line, format!("{} is not in small letters", token.written))));
    }
    for (folder, numbers) in numbers {
        let expected = (1..).take(numbers.len()).eq(numbers.iter().copied());
        if !expected {
            findings.push(Finding::new(folder, format!("is not numbered 1, 2, 3 …: {numbers:?}")));
        }
    }
    findings
}

fn migrations(model: &Model) -> impl Iterator<Item = (&str, &str)> {
    model.ending_in(".sql").filter(|(path, _)| path.contains("/migrations/"))
}

fn number_of(path: &str) -> Option<u32> {
    path.rsplit('/').next()?.get(..4)?.parse().ok()
}

/// The table named after these words, such as `cart.line`.
fn table_after(statement: &[Token], words: &[&str]) -> Option<String> {
    let after = statement.get(sqltext::position(statement, words)? + words.len()..)?;
    let skipped = ["if", "not", "exists", "only"];
    let mut names = after.iter().skip_while(|token| skipped.contains(&token.text.as_str())).map(|token| token.text.as_str());
    Some(format!("{}{}{}", names.next()?, names.next()?, names.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(text: &str) -> usize {
        expand_only(&Model::example_with("services/cart/migrations/0002_more.sql", text)).len()
    }

    #[test]
    fn what_breaks_the_last_release_is_found() {
        for text in [
            "drop table cart.thing;",
            "alter table cart.thing drop column name;",
            "alter table cart.thing drop name;",
            "alter table cart.thing rename to item;",
            "alter table cart.thing rename column a to b;",
            "alter table cart.thing alter column a type bigint;",
            "alter table cart.thing alter column a set data type bigint;",
            "alter table cart.thing alter column a set not null;",
            "alter table cart.thing add column a text not null;",
            "ALTER TABLE cart.thing DROP CONSTRAINT thing_known;",
        ] {
            assert_eq!(second(text), 1, "{text}");
        }
    }

    #[test]
    fn what_locks_a_table_for_long_is_found() {
        assert_eq!(second("create index thing_a on cart.thing (a);"), 1);
        assert_eq!(second("create unique index thing_a on cart.thing (a);"), 1);
        assert_eq!(second("create index concurrently thing_a on cart.thing (a);"), 1);
        assert_eq!(second("-- no-transaction\ncreate index concurrently thing_a on cart.thing (a);"), 0);
        assert_eq!(second("alter table cart.thing add constraint a check (a > 0);"), 1);
        assert_eq!(second("alter table cart.thing add constraint a check (a > 0) not valid;"), 0);
    }

    #[test]
    fn what_only_adds_is_fine() {
        for text in [
            "alter table cart.thing add column a text;",
            "alter table cart.thing add column a text not null default '';",
            "alter table cart.thing alter column a drop not null;",
            "create table cart.line (id uuid primary key, a text not null); create index line_a on cart.line (a); alter table cart.line add constraint x check (a <> '');",
        ] {
            assert_eq!(second(text), 0, "{text}");
        }
    }

    #[test]
    fn taking_away_needs_a_word_of_why() {
        assert_eq!(second("-- contract: no release since 0.3 reads the column\nalter table cart.thing drop column name;"), 0);
        assert_eq!(second("-- contract:\nalter table cart.thing drop column name;"), 1);
    }

    #[test]
    fn the_first_migration_may_do_anything() {
        assert_eq!(expand_only(&Model::example_with("services/cart/migrations/0001_cart.sql", "create index a on cart.thing (a);")), []);
    }

    #[test]
    fn gaps_odd_names_and_capital_letters_are_found() {
        assert_eq!(form(&Model::example_with("services/cart/migrations/0003_more.sql", "select 1;")).len(), 1);
        assert_eq!(form(&Model::example_with("services/cart/migrations/more.sql", "select 1;")).len(), 1);
        assert_eq!(form(&Model::example_with("services/cart/migrations/0002_more.sql", "SELECT 'A';")).len(), 1);
        assert_eq!(form(&Model::example_with("services/cart/migrations/0002_more.sql", "select 'A'; -- Yes")), []);
    }
}
