//! Who may depend on whom (docs/ARCHITECTURE.md, "Rules").

use std::collections::BTreeSet;

use super::Finding;
use super::model::{Model, Package, Place};

/// Which service may call which in its transaction, besides [`READ_BY_ALL`].
const CALLS: &[(&str, &[&str])] = &[
    ("cart", &["inventory"]),
    ("checkout", &["cart", "pricing", "promotions", "tax", "shipping", "inventory", "giftcards", "customers", "orders", "payments"]),
    ("orders", &["payments", "inventory"]),
];
/// The service that every other may call, and which calls nobody.
const READ_BY_ALL: &str = "catalog";
/// Services that call nobody.
const CALLS_NOBODY: [&str; 2] = [READ_BY_ALL, "identity"];

/// What each crate of the ground floor may use of the ground floor.
const GROUND: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("platform", &["kernel"]),
    ("db", &["kernel", "platform"]),
    ("stores", &["kernel", "platform"]),
    ("service", &["kernel", "platform", "db", "stores"]),
    ("client", &["kernel", "platform"]),
    ("testkit", &["kernel", "platform", "db", "stores", "service", "client"]),
];

/// What pages may use besides contracts.
const FOR_WEB: [&str; 4] = ["kernel", "platform", "stores", "client"];
/// What services may use of the ground floor.
const FOR_SERVICES: [&str; 5] = ["kernel", "platform", "db", "stores", "service"];
/// What would make a contract part of a server.
const SERVER: [&str; 9] = ["sqlx", "axum", "axum-core", "tokio", "hyper", "tower", "utoipa-axum", "reqwest", "tracing-subscriber"];

/// Rule 1: `kernel ← platform ← db, stores ← service ← services ← tradewind`, nothing the other way; test and house tools in no product.
pub(super) fn direction(model: &Model) -> Vec<Finding> {
    each_edge(model, |from, to, target| {
        let allowed = match (from.place(), target.place()) {
            (Place::Ground(name), Place::Ground(other)) => may(GROUND, name).contains(&other),
            // The client is typed by the contracts.
            (Place::Ground("client" | "testkit"), Place::Contract(_)) => true,
            (Place::Ground(_), _) => false,
            (Place::Contract(_), Place::Ground(other)) => other == "kernel",
            (Place::Contract(_), target) => matches!(target, Place::Contract(_)),
            (Place::Service(_), Place::Ground(other)) => FOR_SERVICES.contains(&other),
            // Which service may call which is a rule of its own.
            (Place::Service(_), target) => matches!(target, Place::Contract(_) | Place::Service(_)),
            (Place::Binary, Place::Ground(other)) => other != "testkit",
            (Place::Binary, target) => !matches!(target, Place::Beside),
            // What pages may see is a rule of its own.
            (Place::Web(_), _) => true,
            // The house's own tools must run when nothing else compiles; tests may use everything.
            (Place::Beside, _) => from.folder != "xtask",
        };
        (!allowed).then(|| format!("may not depend on {to}"))
    })
}

/// Rule 2: a service calls another only downhill.
pub(super) fn service_edges(model: &Model) -> Vec<Finding> {
    each_edge(model, |from, _, target| match (from.place(), target.place()) {
        (Place::Service(name), Place::Service(other)) if !may_call(name, other) => {
            let others = may(CALLS, name).iter().copied().chain((!CALLS_NOBODY.contains(&name)).then_some(READ_BY_ALL));
            let listed = others.collect::<Vec<_>>().join(", ");
            let listed = if listed.is_empty() { "nobody" } else { &listed };
            Some(format!("may not call {other}; it may call: {listed}. Use an event, or change the list with an ADR"))
        }
        _ => None,
    })
}

fn may_call(name: &str, other: &str) -> bool {
    (other == READ_BY_ALL && !CALLS_NOBODY.contains(&name)) || may(CALLS, name).contains(&other)
}

/// Rule 3: pages see the ground floor's words, the client and the contracts; never the database, never a service.
pub(super) fn web(model: &Model) -> Vec<Finding> {
    let mut findings = each_edge(model, |from, to, target| match (from.place(), target.place()) {
        (Place::Web(_), Place::Contract(_)) => None,
        (Place::Web(_), Place::Ground(name)) if FOR_WEB.contains(&name) => None,
        (Place::Web(_), _) => Some(format!("may not depend on {to}: pages go through the client")),
        _ => None,
    });
    let pages = model.packages.iter().filter(|package| matches!(package.place(), Place::Web(_)));
    findings.extend(pages.filter(|page| page.dependencies.contains("sqlx")).map(|page| Finding::new(&page.folder, "pages have no database")));
    findings
}

/// A contract is words for both sides of the wire: no database, no server.
pub(super) fn contracts(model: &Model) -> Vec<Finding> {
    let contracts = model.packages.iter().filter(|package| matches!(package.place(), Place::Contract(_)));
    contracts
        .flat_map(|contract| {
            SERVER
                .iter()
                .filter(|name| contract.dependencies.contains(**name))
                .map(|name| Finding::new(&contract.folder, format!("a contract may not depend on {name}")))
        })
        .collect()
}

/// No crate opts out of the lints.
pub(super) fn lints(model: &Model) -> Vec<Finding> {
    let taken = |package: &&Package| model.files.get(&format!("{}/Cargo.toml", package.folder)).is_some_and(|text| text.contains("[lints]\nworkspace = true"));
    model
        .packages
        .iter()
        .filter(|package| !taken(package))
        .map(|package| Finding::new(&package.folder, "Cargo.toml lacks `[lints] workspace = true`"))
        .collect()
}

fn each_edge(model: &Model, refuse: impl Fn(&Package, &str, &Package) -> Option<String>) -> Vec<Finding> {
    let find = |name: &String| model.packages.iter().find(|package| package.name == *name);
    let edges = model.packages.iter().flat_map(|from| from.dependencies.iter().filter_map(move |to| Some((from, to, find(to)?))));
    let mut findings: Vec<Finding> = edges.filter_map(|(from, to, target)| Some(Finding::new(&from.folder, refuse(from, to, target)?))).collect();
    // Tests may use the test kit and other services, but no page and no program.
    for package in &model.packages {
        let wrong: BTreeSet<&str> = package
            .dev_dependencies
            .iter()
            .filter_map(find)
            .filter(|target| matches!(target.place(), Place::Binary))
            .map(|target| target.name.as_str())
            .collect();
        findings.extend(wrong.into_iter().map(|name| Finding::new(&package.folder, format!("its tests may not depend on {name}"))));
    }
    findings
}

fn may(list: &'static [(&str, &'static [&'static str])], name: &str) -> &'static [&'static str] {
    list.iter().find(|(from, _)| *from == name).map_or(&[], |(_, to)| to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.place.as_str()).collect()
    }

    #[test]
    fn the_ground_floor_may_not_look_up() {
        for (from, to) in
            [("kernel", "platform"), ("platform", "db"), ("db", "service"), ("service", "cart"), ("client", "db"), ("cart-api", "db"), ("cart", "client")]
        {
            assert_eq!(direction(&Model::example_with_edge(from, to)).len(), 1, "{from} -> {to}");
        }
        assert_eq!(direction(&Model::example_with_edge("cart", "tradewind")).len(), 1);
    }

    #[test]
    fn a_service_may_call_downhill_only() {
        let model = Model::example_with_edge("catalog", "cart");
        assert_eq!(places(&service_edges(&model)), ["services/catalog"]);
        assert_eq!(service_edges(&Model::example_with_edge("cart", "catalog")), []);
        assert!(!may_call("inventory", "cart") && !may_call("orders", "checkout") && !may_call("identity", "catalog") && !may_call("catalog", "catalog"));
        assert!(may_call("inventory", "catalog") && may_call("checkout", "payments") && may_call("orders", "inventory"));
    }

    #[test]
    fn a_page_may_not_see_the_database_or_a_service() {
        for to in ["db", "cart", "service", "sqlx"] {
            assert_eq!(places(&web(&Model::example_with_edge("storefront", to))), ["web/storefront"], "{to}");
        }
        assert_eq!(web(&Model::example_with_edge("storefront", "catalog-api")), []);
    }

    #[test]
    fn a_contract_may_not_carry_a_server() {
        assert_eq!(places(&contracts(&Model::example_with_edge("cart-api", "sqlx"))), ["services/cart/api"]);
        assert_eq!(places(&contracts(&Model::example_with_edge("cart-api", "axum"))), ["services/cart/api"]);
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        assert_eq!(places(&lints(&Model::example_with("crates/db/Cargo.toml", "[package]\n"))), ["crates/db"]);
    }
}
