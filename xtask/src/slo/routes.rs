//! Objectives count routes by their templates; a template that no code serves would count nothing for ever.

use std::path::Path;

use anyhow::Context;

use super::model::Slo;

/// The code of everything that serves routes, as one text.
pub(super) fn code(root: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut folders = vec![root.join("services"), root.join("web"), root.join("tradewind/src"), root.join("crates/service/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                text.push_str(&std::fs::read_to_string(&path)?);
            }
        }
    }
    Ok(text)
}

/// What objectives count and no code has.
pub(super) fn unknown(slos: &[Slo], code: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for slo in slos {
        for requests in slo.measure.requests() {
            let begins = requests
                .below
                .iter()
                .filter(|prefix| !code.contains(&format!("\"{prefix}")))
                .map(|prefix| format!("{}: no route begins with {prefix}", slo.slo));
            let is = requests.routes.iter().filter(|route| !code.contains(&format!("\"{route}\""))).map(|route| format!("{}: no route is {route}", slo.slo));
            findings.extend(begins.chain(is));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::model::tests::CHECKOUT;
    use super::*;

    #[test]
    fn a_route_that_nobody_serves_is_told() {
        let slo = Slo::parse(CHECKOUT).unwrap();
        let code = r#".route("/checkout", post(buy)) path = "/store/v1/carts/{id}/complete""#;
        assert!(unknown(std::slice::from_ref(&slo), code).is_empty());
        assert_eq!(unknown(&[slo], &code.replace("complete", "finish")), ["checkout-availability: no route is /store/v1/carts/{id}/complete"]);
    }
}
