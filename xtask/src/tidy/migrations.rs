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
    (&["drop", "default"], "takes a default away, which the last release's inserts may count on"),
    (&["rename"], "renames"),
    (&["set", "schema"], "moves something to another schema"),
    (&["revoke"], "takes a right away"),
    (&["disable", "trigger"], "switches a trigger off"),
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
        findings.extend(as_a_whole(&statements, text).into_iter().map(|(line, words)| Finding::at(path, line, words)));
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
    let unnamed_drop = (has(&["alter", "table"]) || begins_with(statement, &["drop"])) && has(&["drop"]) && !has(&["drop", "not", "null"]);
    listed.or_else(|| retyped.then(|| "changes a type".to_owned())).or_else(|| unnamed_drop.then(|| "drops something".to_owned())).or_else(|| {
        let adds_required =
            has(&["alter", "table"]) && has(&["add"]) && !has(&["add", "constraint"]) && has(&["not", "null"]) && !has(&["default"]) && !has(&["generated"]);
        adds_required.then(|| "adds a column that is not null and has no default: the last release's inserts would fail".to_owned())
    })
}

/// What takes a lock that others wait behind for as long as a table is large, by the words that say so.
const LOCKING: &[(&[&str], &str)] = &[
    (&["lock", "table"], "locks a table"),
    (&["vacuum"], "is no migration: vacuum runs by itself"),
    (&["cluster"], "writes a table anew under a lock"),
    (&["set", "tablespace"], "writes a table anew under a lock"),
    (&["set", "logged"], "writes a table anew under a lock"),
    (&["set", "unlogged"], "writes a table anew under a lock"),
    (&["add", "unique"], BY_INDEX),
    (&["add", "primary"], BY_INDEX),
    (&["add", "exclude"], BY_INDEX),
    (&["serial"], REWRITES),
    (&["bigserial"], REWRITES),
    (&["as", "identity"], REWRITES),
    (&["stored"], REWRITES),
    (&["default", "gen_random_uuid"], REWRITES),
    (&["default", "random"], REWRITES),
    (&["default", "nextval"], REWRITES),
    (&["default", "clock_timestamp"], REWRITES),
];
const BY_INDEX: &str = "builds an index under a lock: make a unique index `concurrently` first, then `add constraint … using index`";
const REWRITES: &str = "writes every row anew under a lock: add the column plainly, fill it by a job";

fn locking(statement: &[Token], text: &str) -> Option<String> {
    let has = |words: &[&str]| sqltext::contains(statement, words);
    let alters = has(&["alter", "table"]);
    let listed = LOCKING.iter().find(|(words, _)| has(words) && (alters || !words.starts_with(&["add"])));
    if let Some((_, what)) = listed.filter(|(words, _)| alters || begins_with(statement, words)) {
        return Some((*what).to_owned());
    }
    let builds = ["create", "reindex", "refresh"].iter().any(|word| begins_with(statement, &[word]))
        && (has(&["create", "index"]) || has(&["create", "unique", "index"]) || has(&["reindex"]) || has(&["refresh"]));
    if builds && !has(&["concurrently"]) {
        return Some("makes an index on a table in use: `create index concurrently`, in a file that begins with `-- no-transaction`".to_owned());
    }
    if has(&["concurrently"]) && !text.starts_with("-- no-transaction") {
        return Some("`concurrently` needs `-- no-transaction` as the file's first line".to_owned());
    }
    if has(&["concurrently", "if", "not", "exists"]) {
        return Some("would take the broken index of an attempt that failed for the whole one: without `if not exists`".to_owned());
    }
    let unique = alters && has(&["add", "constraint"]) && (has(&["unique"]) || has(&["primary", "key"]) || has(&["exclude"])) && !has(&["using", "index"]);
    if unique {
        return Some(BY_INDEX.to_owned());
    }
    let on_column = alters && has(&["add"]) && !has(&["add", "constraint"]) && (has(&["references"]) || has(&["unique"]) || has(&["check"]));
    let validates = has(&["add", "constraint"]) && (has(&["check"]) || has(&["foreign", "key"])) || on_column;
    (validates && !has(&["not", "valid"]))
        .then(|| "adds a constraint that reads the whole table under a lock: add it `not valid`, validate it in the next file".to_owned())
}

fn begins_with(statement: &[Token], words: &[&str]) -> bool {
    sqltext::position(statement, words) == Some(0)
}

/// What is wrong with the file as a whole, with the line.
fn as_a_whole(statements: &[Vec<Token>], text: &str) -> Vec<(usize, &'static str)> {
    let line_of =
        |words: &[&str]| statements.iter().find(|statement| sqltext::contains(statement, words)).and_then(|found| found.first()).map(|token| token.line);
    let mut wrong = Vec::new();
    if text.starts_with("-- no-transaction") && (statements.len() != 1 || line_of(&["concurrently"]).is_none()) {
        wrong.push((1, "a file without a transaction has one statement, which says `concurrently`: more could be left half done"));
    }
    if let (Some(_), Some(line)) = (line_of(&["not", "valid"]), line_of(&["validate", "constraint"])) {
        wrong.push((line, "validates in the transaction that added the constraint, and so under its lock: in the next file"));
    }
    for statement in statements {
        let line = statement.first().map_or(1, |token| token.line);
        let is = |words: &[&str]| begins_with(statement, words);
        if ["begin", "commit", "rollback"].iter().any(|word| is(&[word]) && statement.len() == 1) || is(&["start", "transaction"]) {
            wrong.push((line, "a migration is one transaction already"));
        }
        if is(&["set"]) && ["lock_timeout", "statement_timeout"].iter().any(|name| sqltext::contains(statement, &[name])) {
            wrong.push((line, "how long a migration waits is `tradewind migrate`'s to say"));
        }
        if (is(&["update"]) || is(&["delete", "from"])) && !sqltext::contains(statement, &["where"]) {
            wrong.push((line, "changes every row in one transaction: in portions, by a job"));
        }
    }
    wrong
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
            "alter table cart.thing add column a text not null check (a <> '');",
            "alter table cart.thing rename a to b;",
            "alter type cart.state rename value 'a' to 'b';",
            "alter table cart.thing alter column a drop default;",
            "alter table cart.thing set schema other;",
            "drop trigger thing_journal on cart.thing;",
            "drop materialized view cart.sums;",
            "revoke update on cart.thing from tw_cart_rw;",
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
        for text in [
            "alter table cart.thing add constraint a unique (a);",
            "alter table cart.thing add primary key (a);",
            "alter table cart.thing add unique (a);",
            "alter table cart.thing add column a uuid references cart.line (id);",
            "alter table cart.thing add column a integer check (a > 0);",
            "alter table cart.thing add column a uuid default gen_random_uuid();",
            "alter table cart.thing add column a bigserial;",
            "alter table cart.thing add column a integer generated always as (b * 2) stored;",
            "alter table cart.thing set unlogged;",
            "reindex table cart.thing;",
            "refresh materialized view cart.sums;",
            "lock table cart.thing;",
            "cluster cart.thing;",
            "-- no-transaction\ncreate index concurrently if not exists thing_a on cart.thing (a);",
            "update cart.thing set a = 1;",
            "delete from cart.thing;",
            "set lock_timeout = 0;",
            "begin; select 1; ",
        ] {
            assert_eq!(second(text), 1, "{text}");
        }
        assert_eq!(second("alter table cart.thing add constraint a unique using index thing_a;"), 0);
        assert_eq!(second("update cart.thing set a = 1 where a is null and id < 100;"), 0);
    }

    #[test]
    fn what_would_be_left_half_done_is_found() {
        assert_eq!(second("-- no-transaction\ncreate index concurrently a on cart.thing (a);\ncreate index concurrently b on cart.thing (b);"), 1);
        assert_eq!(second("-- no-transaction\nalter table cart.thing add column a text;"), 1);
        assert_eq!(second("alter table cart.thing add constraint a check (a > 0) not valid;\nalter table cart.thing validate constraint a;"), 1);
        assert_eq!(second("alter table cart.thing validate constraint a;"), 0);
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
