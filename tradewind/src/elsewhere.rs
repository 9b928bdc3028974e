//! What the whole shop serves and this process does not: told as such, so that a wrong route in front of it is found at once.

use std::collections::BTreeSet;

use axum::Router;
use axum::routing::any;
use kernel::Problem;
use service::Surfaces;

use crate::services;
use crate::target::Target;

/// The routes of the API that a target leaves to other processes.
///
/// # Errors
/// The defaults are not valid, which a test would have told.
pub(crate) fn api(target: &Target) -> anyhow::Result<Router> {
    let (context, services) = services::unconnected()?;
    let paths_of = |chosen: &[service::Service]| {
        let surfaces = Surfaces::of(&context, chosen);
        [surfaces.store_document, surfaces.admin_document].into_iter().flat_map(|document| document.paths.paths.into_keys()).collect::<BTreeSet<_>>()
    };
    let (here, elsewhere): (Vec<_>, Vec<_>) = services.into_iter().partition(|service| target.routes(service.name()));
    let mut known = if here.is_empty() { BTreeSet::new() } else { paths_of(&here) };
    let mut router = Router::new();
    for service in elsewhere {
        let name = service.name();
        for path in paths_of(&[service]) {
            if known.insert(path.clone()) {
                let detail = format!("It is part of `{name}`; this process serves `{target}`.");
                router = router.route(&path, any(async || not_here("route").detail(detail)));
            }
        }
    }
    Ok(router)
}

/// The answer in place of pages that a target leaves to other processes.
pub(crate) fn pages(target: &Target, name: &'static str) -> Router {
    let detail = format!("The {name} is served by another process; this one serves `{target}`.");
    Router::new().fallback(async || not_here("page").detail(detail))
}

fn not_here(thing: &str) -> Problem {
    Problem::new(404, "not_served_here", format!("This process does not serve this {thing}"))
}
