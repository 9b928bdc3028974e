//! The program under measurement, in a folder of its own.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::connection::{Connection, get};

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(120);

/// How the program is run.
pub(crate) struct Shop {
    program: PathBuf,
    folder: PathBuf,
    connections: u32,
}

impl Shop {
    /// A shop in `folder`, which is emptied. The program gets as many database connections as pgbench does.
    ///
    /// # Errors
    /// The program is not there, or the folder cannot be made.
    pub(crate) fn new(program: &Path, folder: &Path, connections: u32) -> anyhow::Result<Self> {
        let program = program.canonicalize().with_context(|| format!("{}: build it first (`make build`)", program.display()))?;
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::create_dir_all(folder)?;
        // The database's service account passes through here.
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
        Ok(Self { program, folder: folder.canonicalize()?, connections })
    }

    /// Where its data is.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts it and waits until it is ready: how long that took is in the answer. It writes its log as in production, into a file.
    ///
    /// # Errors
    /// It did not become ready.
    pub(crate) async fn serve(&self) -> anyhow::Result<Running> {
        let (address, operations) = (free_port()?, free_port()?);
        let log = File::options().create(true).append(true).open(self.folder.join("server.log"))?;
        let mut command = self.command();
        command.arg("serve").env("TRADEWIND__HTTP__PUBLIC_ADDRESS", address.to_string()).env("TRADEWIND__HTTP__OPERATIONS_ADDRESS", operations.to_string());
        let begun = Instant::now();
        let child = command.stdout(Stdio::null()).stderr(log).spawn()?;
        let mut running = Running { child, address, took: Duration::ZERO };
        running.wait_until_ready(operations, begun).await.with_context(|| format!("see {}", self.folder.join("server.log").display()))?;
        running.took = begun.elapsed();
        Ok(running)
    }

    /// Fills it beside the running server.
    ///
    /// # Errors
    /// The program refused.
    pub(crate) async fn seed(&self, from: &Path) -> anyhow::Result<Duration> {
        let mut command = self.command();
        command.arg("seed").arg("--from").arg(from);
        run(command).await
    }

    /// Re-sums every invariant of the shop beside the running server.
    ///
    /// # Errors
    /// One does not hold: what was measured was no shop.
    pub(crate) async fn check(&self) -> anyhow::Result<Duration> {
        let mut command = self.command();
        command.arg("check");
        run(command).await
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().current_dir(&self.folder).stdin(Stdio::null()).kill_on_drop(true);
        // Nothing of the machine's own settings gets in but where programs are.
        command.envs(std::env::vars().filter(|(name, _)| ["PATH", "TMPDIR", "HOME"].contains(&name.as_str())));
        command.env("TRADEWIND__DATA_DIR", self.data()).env("TRADEWIND__DEMO", "true");
        command.env("TRADEWIND__DATABASE__MAX_CONNECTIONS", self.connections.to_string());
        command
    }
}

async fn run(mut command: Command) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let ended = command.output().await?;
    let words = [ended.stdout, ended.stderr].concat();
    anyhow::ensure!(ended.status.success(), "{command:?} ended with {}: {}", ended.status, String::from_utf8_lossy(&words));
    Ok(begun.elapsed())
}

/// A server that runs.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) took: Duration,
}

impl Running {
    /// A server that somebody else has started, once it listens.
    ///
    /// # Errors
    /// It ended, or never listened.
    pub(crate) async fn listening(child: Child, address: SocketAddr) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let mut running = Self { child, address, took: Duration::ZERO };
        while Connection::open(address).await.is_err() {
            running.keep_waiting(begun).await?;
        }
        Ok(running)
    }

    /// The process id.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the server has ended")
    }

    async fn wait_until_ready(&mut self, operations: SocketAddr, begun: Instant) -> anyhow::Result<()> {
        while !is_ready(operations).await {
            self.keep_waiting(begun).await?;
        }
        Ok(())
    }

    async fn keep_waiting(&mut self, begun: Instant) -> anyhow::Result<()> {
        anyhow::ensure!(self.child.try_wait()?.is_none(), "the server ended");
        anyhow::ensure!(begun.elapsed() < PATIENCE, "the server does not become ready");
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(())
    }

    /// Tells it to stop and waits until it has.
    ///
    /// # Errors
    /// It did not end well.
    pub(crate) async fn stop(self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let status = self.end(Signal::TERM).await?;
        anyhow::ensure!(status.success(), "the server ended with {status}");
        Ok(begun.elapsed())
    }

    /// Kills it without warning.
    ///
    /// # Errors
    /// It is gone already.
    pub(crate) async fn kill(self) -> anyhow::Result<()> {
        self.end(Signal::KILL).await.map(drop)
    }

    async fn end(mut self, signal: Signal) -> anyhow::Result<std::process::ExitStatus> {
        let pid = i32::try_from(self.pid()?).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process(pid, signal)?;
        Ok(tokio::time::timeout(PATIENCE, self.child.wait()).await.context("the server does not stop")??)
    }
}

async fn is_ready(operations: SocketAddr) -> bool {
    let ask = async {
        let mut connection = Connection::open(operations).await?;
        connection.exchange(get(operations, "/readyz", &[])?).await
    };
    ask.await.is_ok_and(|reply| reply.status == http::StatusCode::OK)
}

/// A port nobody listens on.
///
/// # Errors
/// There is none.
pub(crate) fn free_port() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
