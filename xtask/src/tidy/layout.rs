//! Where things are, and how they are named.

use super::Finding;
use super::model::Model;
use super::rust;

/// Rule: a service's folder holds its README, its schema, its contract.
pub(super) fn complete(model: &Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in model.services() {
        let folder = format!("services/{service}");
        for file in ["README.md", "sqlx.toml", "src/lib.rs", "api/Cargo.toml"] {
            if !model.files.contains_key(&format!("{folder}/{file}")) {
                findings.push(Finding::new(&folder, format!("lacks {file}")));
            }
        }
        let table = format!("table-name = \"{service}.migration\"");
        if model.files.get(&format!("{folder}/sqlx.toml")).is_some_and(|text| !text.contains(&table)) {
            findings.push(Finding::new(&folder, format!("sqlx.toml must say {table}")));
        }
        if !model.files.keys().any(|path| path.starts_with(&format!("{folder}/migrations/"))) {
            findings.push(Finding::new(&folder, "lacks migrations"));
        }
        if !service.starts_with(|letter: char| letter.is_ascii_lowercase())
            || !service.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        {
            findings.push(Finding::new(&folder, "a service's name is its schema's: small letters"));
        }
    }
    findings
}

/// Rule 6: every service stands in the one list.
pub(super) fn registered(model: &Model) -> Vec<Finding> {
    const LIST: &str = "tradewind/src/services.rs";
    let list = model.files.get(LIST).map(|text| rust::take_apart(text).code).unwrap_or_default();
    let missing = model.services().into_iter().filter(|service| !list.contains(&format!("{service}::service(")));
    missing.map(|service| Finding::new(format!("services/{service}"), format!("is not in the list of {LIST}"))).collect()
}

/// `foo.rs` and `foo/`, so that an editor's tabs tell files apart.
pub(super) fn no_mod_rs(model: &Model) -> Vec<Finding> {
    model.ending_in("/mod.rs").map(|(path, _)| Finding::new(path, "name it after its folder, beside it")).collect()
}

/// Rust files in snake_case, decisions by number.
pub(super) fn names(model: &Model) -> Vec<Finding> {
    let stem = |path: &str, ending: &str| path.rsplit('/').next().and_then(|name| name.strip_suffix(ending)).unwrap_or_default().to_owned();
    let snake = |name: &str| name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    let rust =
        model.ending_in(".rs").filter(|(path, _)| !snake(&stem(path, ".rs"))).map(|(path, _)| Finding::new(path, "name it in small letters with underscores"));
    let numbered = |name: &str| {
        name.split_once('-').is_some_and(|(number, words)| number.len() == 4 && number.bytes().all(|digit| digit.is_ascii_digit()) && !words.is_empty())
    };
    let decisions = model
        .ending_in(".md")
        .filter(|(path, _)| path.starts_with("docs/adr/"))
        .filter(|(path, _)| stem(path, ".md") != "README" && !numbered(&stem(path, ".md")));
    rust.chain(decisions.map(|(path, _)| Finding::new(path, "name it like 0001-what-was-decided.md"))).collect()
}

/// The description of both surfaces is committed; a test keeps it true.
pub(super) fn openapi(model: &Model) -> Vec<Finding> {
    let has =
        |surface: &str| model.files.keys().any(|path| path.strip_prefix("docs/api/").is_some_and(|name| name.contains(surface) && name.ends_with(".json")));
    ["store", "admin"]
        .into_iter()
        .filter(|surface| !has(surface))
        .map(|surface| Finding::new("docs/api", format!("lacks the OpenAPI document of the {surface} API")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(path: &str) -> Model {
        let mut model = Model::example();
        model.files.remove(path);
        model
    }

    #[test]
    fn a_missing_part_of_a_service_is_found() {
        for file in ["README.md", "sqlx.toml", "migrations/0001_cart.sql", "api/Cargo.toml"] {
            assert_eq!(complete(&without(&format!("services/cart/{file}"))).len(), 1, "{file}");
        }
        assert_eq!(complete(&Model::example_with("services/cart/sqlx.toml", "[migrate]\n")).len(), 1);
    }

    #[test]
    fn a_service_that_is_not_in_the_list_is_found() {
        assert_eq!(registered(&Model::example_with("tradewind/src/services.rs", "vec![catalog::service(context)] // cart::service(")).len(), 1);
    }

    #[test]
    fn mod_rs_is_found() {
        assert_eq!(no_mod_rs(&Model::example_with("services/cart/src/store/mod.rs", "")).len(), 1);
    }

    #[test]
    fn odd_names_are_found() {
        assert_eq!(names(&Model::example_with("services/cart/src/CartStore.rs", "")).len(), 1);
        assert_eq!(names(&Model::example_with("docs/adr/money.md", "")).len(), 1);
        assert_eq!(names(&Model::example_with("docs/adr/0003-money.md", "")), []);
    }

    #[test]
    fn a_missing_description_of_the_api_is_found() {
        assert_eq!(openapi(&without("docs/api/admin.json")).len(), 1);
    }
}
