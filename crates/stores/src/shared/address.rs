use std::fmt;
use std::str::FromStr;

use redis::ConnectionInfo;

/// Where Redis is: one server, or some nodes of a cluster, from which the others are found.
///
/// `redis://[[user]:password@]host[:port][/database]`, `rediss://…` over TLS. More hosts, separated by commas, are nodes of a cluster, and so
/// is one behind `redis-cluster://` or `rediss-cluster://`. User and password of the first host hold for all.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    nodes: Vec<String>,
    is_cluster: bool,
}

/// The text is no address of Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be redis://host:port or rediss://host:port; for a cluster, hosts separated by commas, or redis-cluster:// or rediss-cluster://")]
pub struct RedisAddressError;

impl RedisAddress {
    /// The nodes, as addresses of their own. They may hold a password.
    pub(super) fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// Whether it is a cluster.
    #[must_use]
    pub const fn is_cluster(&self) -> bool {
        self.is_cluster
    }
}

impl FromStr for RedisAddress {
    type Err = RedisAddressError;

    fn from_str(text: &str) -> Result<Self, RedisAddressError> {
        let (scheme, hosts) = text.trim().split_once("://").ok_or(RedisAddressError)?;
        let (plain, named_cluster) = match scheme {
            "redis" | "rediss" => (scheme, false),
            "redis-cluster" => ("redis", true),
            "rediss-cluster" => ("rediss", true),
            _ => return Err(RedisAddressError),
        };
        let mut login = None;
        let mut nodes = Vec::new();
        for host in hosts.split(',').map(str::trim) {
            let host = host.strip_prefix(scheme).and_then(|host| host.strip_prefix("://")).unwrap_or(host);
            let (own, host) = host.rsplit_once('@').map_or((None, host), |(own, host)| (Some(own), host));
            login = login.or(own);
            let login = own.or(login).map(|login| format!("{login}@")).unwrap_or_default();
            let node = format!("{plain}://{login}{host}");
            if host.is_empty() || node.parse::<ConnectionInfo>().is_err() {
                return Err(RedisAddressError);
            }
            nodes.push(node);
        }
        Ok(Self { is_cluster: named_cluster || nodes.len() > 1, nodes })
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisAddress").field("nodes", &self.nodes.len()).field("is_cluster", &self.is_cluster).finish()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn read(text: &str) -> (Vec<String>, bool) {
        let address: RedisAddress = text.parse().unwrap();
        (address.nodes.clone(), address.is_cluster())
    }

    #[test]
    fn one_host_is_a_server_and_more_are_a_cluster() {
        assert_eq!(read("redis://localhost"), (vec!["redis://localhost".to_owned()], false));
        assert_eq!(read("rediss://:secret@cache.example:6380/2"), (vec!["rediss://:secret@cache.example:6380/2".to_owned()], false));
        assert_eq!(read("redis-cluster://one:7000"), (vec!["redis://one:7000".to_owned()], true));
        assert_eq!(read("redis://one:7000,two:7001, redis://three:7002").0.len(), 3);
        assert!(read("redis://one:7000,two:7001").1);
    }

    #[test]
    fn the_login_of_the_first_host_holds_for_all() {
        let (nodes, _) = read("rediss-cluster://shop:s3cr%40t@one:7000,two:7001");
        assert_eq!(nodes, ["rediss://shop:s3cr%40t@one:7000", "rediss://shop:s3cr%40t@two:7001"]);
    }

    #[test]
    fn what_is_no_address_is_refused_and_never_shown() {
        for text in ["", "localhost:6379", "http://localhost", "redis://", "redis://one,,two", "redis://one:port"] {
            assert!(text.parse::<RedisAddress>().is_err(), "{text}");
        }
        let shown = format!("{:?}", "redis://:hush@one:7000".parse::<RedisAddress>().unwrap());
        assert!(!shown.contains("hush"), "{shown}");
    }
}
