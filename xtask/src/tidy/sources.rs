//! What may not stand in a source file.

use super::Finding;
use super::model::Model;
use super::rust;

/// `#[expect(…, reason = …)]` tells when it is no longer needed; `allow` stays for ever. (That a reason is there, clippy checks.)
pub(super) fn no_allow(model: &Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in model.ending_in(".rs") {
        let code = rust::take_apart(text).code;
        for (number, line) in code.lines().enumerate() {
            let squeezed: String = line.chars().filter(|letter| !letter.is_whitespace()).collect();
            if squeezed.contains("#[allow(") || squeezed.contains("#![allow(") || (squeezed.contains("cfg_attr(") && squeezed.contains(",allow(")) {
                findings.push(Finding::at(path, number + 1, "use #[expect(…, reason = …)]"));
            }
        }
    }
    findings
}

/// The words for what is left to do.
const LOOSE_ENDS: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// What is left to do is an issue; a comment may point to it: `TODO(#12)`.
pub(super) fn no_loose_ends(model: &Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &model.files {
        let comments: Vec<(usize, String)> = match path.rsplit('.').next() {
            Some("rs") => rust::take_apart(text).comments.into_iter().map(|piece| (piece.line, piece.text)).collect(),
            Some("sql" | "toml" | "html" | "css" | "js" | "sh") => text.lines().enumerate().map(|(number, line)| (number + 1, line.to_owned())).collect(),
            _ => continue,
        };
        for (line, comment) in comments {
            let loose = LOOSE_ENDS
                .iter()
                .find(|word| comment.split(|letter: char| !letter.is_alphanumeric()).any(|part| part == **word) && !comment.contains(&format!("{word}(#")));
            findings.extend(loose.map(|word| Finding::at(path, line, format!("{word} without an issue: {word}(#12)"))));
        }
    }
    findings
}

/// The code before the first module of tests.
pub(super) fn without_tests(code: &str) -> &str {
    code.find("#[cfg(test)]").and_then(|end| code.get(..end)).unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowed_lint_is_found_and_a_string_is_not() {
        assert_eq!(no_allow(&Model::example_with("crates/db/src/lib.rs", "#[allow(dead_code)]\nfn f() {}")).len(), 1);
        assert_eq!(no_allow(&Model::example_with("crates/db/src/lib.rs", "#![allow(\n dead_code)]")).len(), 1);
        assert_eq!(no_allow(&Model::example_with("crates/db/src/lib.rs", "const A: &str = \"#[allow(x)]\"; // #[allow(x)]")), []);
    }

    #[test]
    fn what_is_left_to_do_without_an_issue_is_found() {
        assert_eq!(no_loose_ends(&Model::example_with("crates/db/src/lib.rs", "// TODO later")).len(), 1);
        assert_eq!(no_loose_ends(&Model::example_with("crates/db/src/lib.rs", "// TODO(#12) later")), []);
        assert_eq!(no_loose_ends(&Model::example_with("services/cart/migrations/0001_cart.sql", "-- FIXME")).len(), 1);
        assert_eq!(no_loose_ends(&Model::example_with("crates/db/src/lib.rs", "const A: &str = \"TODO\";")), []);
    }
}
