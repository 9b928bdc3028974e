//! Real Redis servers on this machine: one alone, or six as a cluster. They end with the test process.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use redis::{Client, Cmd, FromRedisValue};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);
/// After how many milliseconds without a word a node of the cluster counts as lost.
const NODE_TIMEOUT_MS: &str = "1500";
const MASTERS: usize = 3;

/// A Redis server on loopback, for one test. It keeps nothing when it ends, as a cache does.
pub struct RedisServer {
    folder: TempDir,
    port: u16,
    /// The port nodes of a cluster talk on; none for a server alone.
    bus_port: Option<u16>,
    /// The port that speaks TLS, if one does.
    tls_port: Option<u16>,
    password: Option<String>,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts a server alone.
    pub async fn start() -> Self {
        let mut server = Self::new();
        server.begin().await;
        server
    }

    /// Starts a server alone that has a port for TLS, too.
    pub async fn start_with_tls() -> Self {
        let mut server = Self::new();
        server.tls_port = Some(free_port());
        make_certificates(server.folder.path());
        server.begin().await;
        server
    }

    async fn start_node() -> Self {
        let mut server = Self::new();
        server.bus_port = Some(free_port());
        server.begin().await;
        server
    }

    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("tradewind-redis-").tempdir().unwrap();
        Self { folder, port: free_port(), bus_port: None, tls_port: None, password: None, child: None }
    }

    /// Starts it again where it was; returns when it answers.
    pub async fn begin(&mut self) {
        let mut command = Command::new(if cfg!(target_os = "linux") { "setpriv" } else { "redis-server" });
        if cfg!(target_os = "linux") {
            command.args(["--pdeathsig", "KILL", "redis-server"]);
        }
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]);
        command.arg("--port").arg(self.port.to_string()).arg("--dir").arg(self.folder.path());
        if let Some(bus_port) = self.bus_port {
            command.args(["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", NODE_TIMEOUT_MS]);
            command.arg("--cluster-port").arg(bus_port.to_string());
        }
        if let Some(tls_port) = self.tls_port {
            let file = |name: &str| self.folder.path().join(name).display().to_string();
            command.args(["--tls-auth-clients", "no", "--tls-port", &tls_port.to_string(), "--tls-ca-cert-file", &file("ca.pem")]);
            command.args(["--tls-cert-file", &file("redis.pem"), "--tls-key-file", &file("redis.key")]);
        }
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(spawn(command));
        let begun = Instant::now();
        while self.try_ask::<String>(&redis::cmd("PING")).is_err() {
            let has_ended = self.child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some());
            assert!(!has_ended && begun.elapsed() < PATIENCE, "redis-server does not answer:\n{}", std::fs::read_to_string(self.log()).unwrap_or_default());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The address as `REDIS_URL` writes it, with the password if there is one.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}{}", self.login(), self.host())
    }

    /// The address of the port that speaks TLS, and the file with the certificate that vouches for it.
    #[must_use]
    pub fn tls_url(&self) -> (String, PathBuf) {
        let port = self.tls_port.expect("it was started with TLS");
        (format!("rediss://{}127.0.0.1:{port}", self.login()), self.folder.path().join("ca.pem"))
    }

    fn login(&self) -> String {
        self.password.as_ref().map(|password| format!(":{password}@")).unwrap_or_default()
    }

    /// Wants another password from now on, and ends the connections that came in by the one before.
    pub fn set_password(&mut self, password: &str) {
        let _: String = self.ask(redis::cmd("CONFIG").arg("SET").arg("requirepass").arg(password));
        self.password = Some(password.to_owned());
        for kind in ["normal", "pubsub"] {
            let _: i64 = self.ask(redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg(kind).arg("SKIPME").arg("yes"));
        }
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("redis.log")
    }

    /// Ends it without warning.
    pub fn kill9(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Makes it hang: it takes connections and answers nothing.
    pub fn hang(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn wake(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().expect("it runs")), signal).unwrap();
    }

    /// Asks it something.
    pub fn ask<T: FromRedisValue>(&self, command: &Cmd) -> T {
        self.try_ask(command).unwrap()
    }

    fn try_ask<T: FromRedisValue>(&self, command: &Cmd) -> redis::RedisResult<T> {
        let mut connection = Client::open(self.url())?.get_connection_with_timeout(Duration::from_secs(2))?;
        connection.set_read_timeout(Some(Duration::from_secs(2)))?;
        command.query(&mut connection)
    }

    fn cluster<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::cmd("CLUSTER");
        command.arg(words);
        self.ask(&command)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// A Redis cluster of three masters with a replica each.
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts the six and makes them one.
    pub async fn start() -> Self {
        let mut nodes = Vec::new();
        for _ in 0..MASTERS * 2 {
            nodes.push(RedisServer::start_node().await);
        }
        let cluster = Self { nodes };
        let (masters, replicas) = cluster.nodes.split_at(MASTERS);
        for (master, (from, to)) in masters.iter().zip([(0, 5460), (5461, 10922), (10923, 16383)]) {
            let _: String = master.cluster(&["ADDSLOTSRANGE", &format!("{from}"), &format!("{to}")]);
        }
        for (epoch, node) in cluster.nodes.iter().enumerate() {
            let _: String = node.cluster(&["SET-CONFIG-EPOCH", &format!("{}", epoch + 1)]);
            let bus_port = node.bus_port.unwrap_or_default();
            let _: String = masters.first().unwrap().cluster(&["MEET", "127.0.0.1", &node.port.to_string(), &bus_port.to_string()]);
        }
        let all = masters.len() + replicas.len();
        cluster.until("everyone knows everyone", |node| node.cluster::<String>(&["INFO"]).contains(&format!("cluster_known_nodes:{all}"))).await;
        for (master, replica) in masters.iter().zip(replicas) {
            let id: String = master.cluster(&["MYID"]);
            let begun = Instant::now();
            while replica.try_ask::<String>(redis::cmd("CLUSTER").arg("REPLICATE").arg(&id)).is_err() {
                assert!(begun.elapsed() < PATIENCE, "no replica");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        cluster.until_whole().await;
        cluster
    }

    /// The address of some of its nodes, as `REDIS_URL` writes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.nodes.iter().map(RedisServer::host).collect::<Vec<_>>().join(","))
    }

    /// Ends the master that holds a key, without warning; returns its number.
    pub fn kill_master_of(&mut self, key: &str) -> usize {
        let slot: u16 = self.alive().next().unwrap().cluster(&["KEYSLOT", key]);
        let holds = |node: &RedisServer| {
            let nodes: String = node.cluster(&["NODES"]);
            let line = nodes.lines().find(|line| line.contains("myself")).unwrap_or_default();
            let ranges = line.split_whitespace().skip(8).filter_map(|range| {
                let (from, to) = range.split_once('-').unwrap_or((range, range));
                Some(from.parse::<u16>().ok()?..=to.parse::<u16>().ok()?)
            });
            line.contains("master") && ranges.into_iter().any(|range| range.contains(&slot))
        };
        let number = self.nodes.iter().position(|node| node.child.is_some() && holds(node)).unwrap();
        self.nodes.get_mut(number).unwrap().kill9();
        number
    }

    /// Starts a node again that was ended.
    pub async fn begin(&mut self, number: usize) {
        self.nodes.get_mut(number).unwrap().begin().await;
    }

    /// Waits until every slot is served again and every replica follows.
    pub async fn until_whole(&self) {
        self.until("every slot is served", |node| node.cluster::<String>(&["INFO"]).contains("cluster_state:ok")).await;
        self.until("every replica follows", |node| {
            let role: String = node.ask(redis::cmd("INFO").arg("replication"));
            role.contains("role:master") || role.contains("master_link_status:up")
        })
        .await;
    }

    fn alive(&self) -> impl Iterator<Item = &RedisServer> {
        self.nodes.iter().filter(|node| node.child.is_some())
    }

    async fn until(&self, what: &str, holds: impl Fn(&RedisServer) -> bool) {
        let begun = Instant::now();
        while !self.alive().all(&holds) {
            assert!(begun.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Makes an authority of its own and what it vouches for: a server on this machine.
fn make_certificates(folder: &Path) {
    std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1").unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for arguments in [
        format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=tests -days 2"),
        format!("req {key} -keyout redis.key -out redis.csr -subj /CN=redis"),
        "x509 -req -in redis.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out redis.pem -days 2 -extfile names".to_owned(),
    ] {
        let made = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().expect("openssl is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Spawns from a thread that lives as long as the process: the parent-death signal follows the spawning thread.
fn spawn(command: Command) -> Child {
    type Order = (Command, mpsc::Sender<std::io::Result<Child>>);
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, taken) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, tell) in taken {
                drop(tell.send(command.spawn()));
            }
        });
        orders
    });
    let (tell, told) = mpsc::channel();
    spawner.send((command, tell)).unwrap();
    told.recv().unwrap().expect("redis-server and setpriv are installed (apt-get install redis-server util-linux)")
}
