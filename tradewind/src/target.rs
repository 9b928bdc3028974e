//! What a process serves: `--target`.

use std::collections::BTreeSet;
use std::fmt;

/// What a process serves, read from a comma list of `all`, `api`, `worker`, `storefront`, `backoffice` and names of services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    text: String,
    routes: BTreeSet<&'static str>,
    work: BTreeSet<&'static str>,
    storefront: bool,
    backoffice: bool,
    of_services: usize,
}

/// What a process is told of others.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Surroundings<'config> {
    /// The API's address, if it is elsewhere.
    pub(crate) api_url: Option<&'config str>,
    /// Whether processes tell each other what has changed by Redis.
    pub(crate) has_redis: bool,
    /// Whether the API and the pages know each other.
    pub(crate) has_credential: bool,
}

/// A part of a target that does not exist.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnknownTarget {
    named: String,
    known: String,
}

impl fmt::Display for UnknownTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--target: there is no {:?}; there are {}", self.named, self.known)
    }
}

impl Target {
    /// Reads a target; `services` are the names of all services.
    ///
    /// # Errors
    /// A part is unknown, or there is none.
    pub(crate) fn parse(text: &str, services: &[&'static str]) -> Result<Self, UnknownTarget> {
        let mut target = Self { text: text.to_owned(), of_services: services.len(), ..Self::default() };
        for part in text.split(',').map(str::trim) {
            match part {
                "all" => {
                    target.routes.extend(services);
                    target.work.extend(services);
                    target.storefront = true;
                    target.backoffice = true;
                }
                "api" => target.routes.extend(services),
                "worker" => target.work.extend(services),
                "storefront" => target.storefront = true,
                "backoffice" => target.backoffice = true,
                other => {
                    let known = services.iter().find(|name| **name == other);
                    let name = known.ok_or_else(|| UnknownTarget { named: other.to_owned(), known: known_parts(services) })?;
                    target.routes.insert(name);
                    target.work.insert(name);
                }
            }
        }
        Ok(target)
    }

    /// Whether it answers a service's routes.
    pub(crate) fn routes(&self, service: &str) -> bool {
        self.routes.contains(service)
    }

    /// Whether it does a service's jobs and lets its schedules tick.
    pub(crate) fn works(&self, service: &str) -> bool {
        self.work.contains(service)
    }

    /// Whether it has the shop's pages.
    pub(crate) const fn has_storefront(&self) -> bool {
        self.storefront
    }

    /// Whether it has the back office's pages.
    pub(crate) const fn has_backoffice(&self) -> bool {
        self.backoffice
    }

    /// Whether it has any pages.
    pub(crate) const fn has_pages(&self) -> bool {
        self.storefront || self.backoffice
    }

    /// Whether it answers the routes of any service.
    pub(crate) fn has_routes(&self) -> bool {
        !self.routes.is_empty()
    }

    /// What it leaves to other processes, in words for whoever starts it.
    pub(crate) fn lacks(&self, around: &Surroundings<'_>) -> Vec<String> {
        let mut lacks = Vec::new();
        if let Some(url) = around.api_url.filter(|_| self.has_pages()) {
            lacks.push(format!("the API, which its pages call at {url}"));
        } else if self.has_routes() && !self.has_whole_api() {
            let here = self.routes.iter().copied().collect::<Vec<_>>().join(", ");
            lacks.push(format!("the API of other services than {here}: such routes answer 404 not_served_here"));
        }
        if self.has_routes() && !self.has_whole_work() {
            lacks.push("all of the background work: have a process with --target worker beside it".to_owned());
        }
        if self.has_routes() && !self.has_pages() && !around.has_credential {
            lacks.push("trust in pages elsewhere: without web.internal_credential limits see their address, not the shopper's".to_owned());
        }
        if !self.is_public() {
            lacks.push("a public port: background work alone".to_owned());
        }
        if self.has_pages() && !self.needs_database() && !around.has_redis {
            lacks.push("news of changes: without redis.url pages are as old as cache.ttl_ms at most".to_owned());
        }
        lacks
    }

    /// Whether it answers the routes of every service.
    pub(crate) fn has_whole_api(&self) -> bool {
        self.routes.len() == self.of_services
    }

    /// Whether it does the jobs of every service.
    pub(crate) fn has_whole_work(&self) -> bool {
        self.work.len() == self.of_services
    }

    /// Whether anything is served on the public port.
    pub(crate) fn is_public(&self) -> bool {
        self.has_pages() || !self.routes.is_empty()
    }

    /// Whether it needs the database; pages alone do not.
    pub(crate) fn needs_database(&self) -> bool {
        !self.routes.is_empty() || !self.work.is_empty()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn known_parts(services: &[&'static str]) -> String {
    ["all", "api", "worker", "storefront", "backoffice"].into_iter().chain(services.iter().copied()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const SERVICES: [&str; 2] = ["catalog", "orders"];

    #[test]
    fn all_is_everything() {
        let all = Target::parse("all", &SERVICES).unwrap();
        assert!(all.routes("catalog") && all.works("orders") && all.has_storefront() && all.has_backoffice() && all.has_whole_api());
    }

    #[test]
    fn a_worker_opens_no_public_port_and_an_api_does_no_jobs() {
        let worker = Target::parse("worker", &SERVICES).unwrap();
        assert!(!worker.is_public() && worker.works("catalog") && worker.needs_database() && worker.has_whole_work());
        let api = Target::parse("api", &SERVICES).unwrap();
        assert!(api.is_public() && !api.works("catalog") && api.has_whole_api() && !api.has_whole_work());
    }

    #[test]
    fn pages_alone_need_no_database() {
        let pages = Target::parse("storefront, backoffice", &SERVICES).unwrap();
        assert!(!pages.needs_database() && pages.has_pages() && !pages.has_whole_api());
    }

    #[test]
    fn a_service_brings_its_routes_and_its_jobs() {
        let orders = Target::parse("orders", &SERVICES).unwrap();
        assert!(orders.routes("orders") && orders.works("orders") && !orders.routes("catalog") && !orders.has_whole_api());
    }

    #[test]
    fn what_is_left_to_others_is_said() {
        let lacks = |text: &str, around: Surroundings<'_>| Target::parse(text, &SERVICES).unwrap().lacks(&around).join("\n");
        let alone = Surroundings::default();
        assert_eq!(lacks("all", alone), "");
        let apart = Surroundings { api_url: Some("http://api:8080"), has_credential: true, ..alone };
        let pages = lacks("storefront", apart);
        assert!(pages.contains("http://api:8080") && pages.contains("redis.url") && !pages.contains("worker"), "{pages}");
        assert!(!lacks("storefront", Surroundings { has_redis: true, ..apart }).contains("redis.url"));
        let api = lacks("api", alone);
        assert!(api.contains("--target worker") && api.contains("internal_credential"), "{api}");
        assert!(lacks("worker", alone).contains("public port"));
        let orders = lacks("orders", alone);
        assert!(orders.contains("than orders:") && orders.contains("not_served_here") && orders.contains("worker"), "{orders}");
    }

    #[test]
    fn an_unknown_part_is_refused_with_what_there_is() {
        for text in ["", "all,", "storefrnt"] {
            let error = Target::parse(text, &SERVICES).unwrap_err().to_string();
            assert!(error.contains("catalog") && error.contains("storefront"), "{error}");
        }
    }
}
