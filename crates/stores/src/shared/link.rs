use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, RedisError};

use super::{CONNECT_PATIENCE, RedisAddress};

/// A connection on which many calls may be under way at once.
#[derive(Clone)]
pub(super) enum Link {
    /// To one server.
    One(MultiplexedConnection),
    /// To the nodes of a cluster.
    Cluster(ClusterConnection),
}

impl Link {
    /// Connects. In a cluster a call that meets a moved slot or a lost node is tried again once.
    pub(super) async fn connect(address: &RedisAddress, timeout: Duration) -> Result<Self, RedisError> {
        if address.is_cluster() {
            let nodes = address.nodes().iter().map(String::as_str);
            let client = ClusterClient::builder(nodes).connection_timeout(CONNECT_PATIENCE).response_timeout(timeout).retries(1).build()?;
            return Ok(Self::Cluster(client.get_async_connection().await?));
        }
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_PATIENCE)).set_response_timeout(Some(timeout));
        let client = open(address.nodes().first())?;
        Ok(Self::One(client.get_multiplexed_async_connection_with_config(&config).await?))
    }

    /// Makes a call.
    pub(super) async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, RedisError> {
        match self {
            Self::One(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }
}

/// The client of one node.
pub(super) fn open(node: Option<&String>) -> Result<Client, RedisError> {
    let node = node.ok_or_else(|| RedisError::from((ErrorKind::InvalidClientConfig, "no node")))?;
    Client::open(node.as_str())
}
