use std::fs::{File, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Pid;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::{Account, Binaries, LocalError, LocalOptions, PORT, USER, io};

/// Where one cluster's files and socket lie.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    data: PathBuf,
    log: PathBuf,
    pub(super) socket_dir: PathBuf,
}

impl Cluster {
    /// The places for a data folder: below it, or in `/var/lib` when the service account cannot get there.
    pub(super) fn of(data_dir: &Path, account: &Account) -> Self {
        let hash = short_hash(data_dir);
        let data = data_dir.join("postgres");
        let data = if account.reaches(&data) { data } else { PathBuf::from(format!("/var/lib/tradewind/{hash}/postgres")) };
        // A socket path may have 107 bytes, so it lies in a short place.
        let socket_dir = if account.is_service() {
            PathBuf::from(format!("/run/tradewind/{hash}"))
        } else {
            std::env::temp_dir().join(format!("tradewind-{}-{hash}", rustix::process::geteuid().as_raw()))
        };
        Self { log: data.with_extension("log"), data, socket_dir }
    }

    pub(super) fn announce(&self, data_dir: &Path) {
        if !self.data.starts_with(data_dir) {
            tracing::info!(place = %self.data.display(), "the service account cannot reach the data folder, so the database lives elsewhere");
        }
    }

    /// The version that made the cluster; nothing if there is none yet.
    pub(super) fn version(&self) -> Option<String> {
        std::fs::read_to_string(self.data.join("PG_VERSION")).ok().map(|version| version.trim().to_owned())
    }

    /// Makes the cluster unless it is there. It is made beside its place and moved there when complete, so that a set-up that was
    /// killed is simply begun anew.
    pub(super) fn set_up(&self, binaries: &Binaries, account: &Account, durable: bool) -> Result<(), LocalError> {
        if let Some(parent) = self.data.parent() {
            make_passable(parent, account).map_err(|source| io(parent, source))?;
        }
        self.make_socket_dir(account)?;
        if self.version().is_some() {
            return Ok(());
        }
        let fresh = self.data.with_extension("new");
        if fresh.exists() {
            std::fs::remove_dir_all(&fresh).map_err(|source| io(&fresh, source))?;
        }
        std::fs::DirBuilder::new().mode(0o700).create(&fresh).and_then(|()| account.own(&fresh)).map_err(|source| io(&fresh, source))?;
        initdb(binaries, account, &fresh, "C.UTF-8", durable).or_else(|_| initdb(binaries, account, &fresh, "C", durable))?;
        std::fs::rename(&fresh, &self.data).map_err(|source| io(&self.data, source))
    }

    fn make_socket_dir(&self, account: &Account) -> Result<(), LocalError> {
        let failed = |source| io(&self.socket_dir, source);
        if let Some(parent) = self.socket_dir.parent() {
            make_passable(parent, account).map_err(failed)?;
        }
        match std::fs::DirBuilder::new().mode(0o700).create(&self.socket_dir) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            other => other.map_err(failed)?,
        }
        account.own(&self.socket_dir).map_err(failed)?;
        let folder = std::fs::symlink_metadata(&self.socket_dir).map_err(failed)?;
        let ours = account.is_service() || folder.uid() == rustix::process::geteuid().as_raw();
        if !folder.is_dir() || !ours {
            return Err(failed(std::io::Error::new(std::io::ErrorKind::PermissionDenied, "not a folder of ours")));
        }
        std::fs::set_permissions(&self.socket_dir, Permissions::from_mode(0o700)).map_err(failed)
    }

    /// Lets the server of a Tradewind that died finish its shutdown. It is never killed.
    pub(super) async fn wait_for_predecessor(&self, patience: Duration) -> Result<(), LocalError> {
        let begun = Instant::now();
        while let Some(pid) = self.running() {
            if begun.elapsed() > patience {
                return Err(LocalError::StillRunning(pid));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// The process id in `postmaster.pid`, if that process lives and serves this cluster.
    fn running(&self) -> Option<i32> {
        let pid: i32 = std::fs::read_to_string(self.data.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()?;
        let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline"));
        let lives = match command {
            // The kernel may have given the number to another program since, or even to another PostgreSQL.
            Ok(command) => command.contains(&*self.data.to_string_lossy()),
            Err(_) if cfg!(target_os = "linux") => false,
            Err(_) => rustix::process::test_kill_process(Pid::from_raw(pid)?).is_ok(),
        };
        lives.then_some(pid)
    }

    /// Starts the server from a thread that lives as long as it: the parent-death signal follows the spawning thread.
    pub(super) fn spawn(&self, binaries: &Binaries, account: &Account, options: &LocalOptions) -> Result<(Pid, watch::Receiver<bool>), LocalError> {
        let log = File::options().create(true).append(true).open(&self.log).map_err(|source| io(&self.log, source))?;
        let mut command = account.command(&binaries.postgres, true);
        command.arg("-D").arg(&self.data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).current_dir("/");
        // Ctrl-C goes to the whole process group of the terminal; the database must not stop before we have drained.
        command.process_group(0);
        let durable = if options.durable { "on" } else { "off" };
        let settings = [
            format!("unix_socket_directories={}", self.socket_dir.display()),
            "unix_socket_permissions=0700".to_owned(),
            "listen_addresses=".to_owned(),
            format!("port={PORT}"),
            format!("max_connections={}", options.max_connections),
            format!("fsync={durable}"),
            format!("full_page_writes={durable}"),
            format!("synchronous_commit={durable}"),
            "logging_collector=off".to_owned(),
            "cluster_name=tradewind".to_owned(),
        ];
        for setting in &settings {
            command.args(["-c", setting]);
        }
        let (tell_pid, pid) = std::sync::mpsc::channel();
        let (tell_exit, exited) = watch::channel(false);
        let watched = std::thread::Builder::new().name("postgres".to_owned()).spawn(move || match command.spawn() {
            Ok(mut child) => {
                drop(tell_pid.send(Ok(child.id())));
                drop(child.wait());
                tell_exit.send_replace(true);
            }
            Err(error) => drop(tell_pid.send(Err(error))),
        });
        let program = "postgres";
        watched.map_err(|error| LocalError::Program { program, output: error.to_string() })?;
        let pid = pid.recv().map_err(|error| LocalError::Program { program, output: error.to_string() })?;
        let pid = pid.map_err(|error| LocalError::Program { program, output: error.to_string() })?;
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(LocalError::Program { program, output: "no process id".to_owned() })?;
        Ok((pid, exited))
    }

    pub(super) fn not_started(&self) -> LocalError {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let words = lines.iter().skip(lines.len().saturating_sub(8)).copied().collect::<Vec<_>>().join("\n");
        LocalError::NotStarted { log: self.log.display().to_string(), words }
    }
}

/// Makes a folder and those above it that are missing. A service account must be able to pass through them, whatever our umask is.
fn make_passable(folder: &Path, account: &Account) -> std::io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        if account.is_service() {
            std::fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

fn initdb(binaries: &Binaries, account: &Account, folder: &Path, locale: &str, durable: bool) -> Result<(), LocalError> {
    let mut command = account.command(&binaries.initdb, false);
    command.arg("-D").arg(folder).args(["-U", USER, "--auth=trust", "--encoding=UTF8", "--data-checksums"]);
    if !durable {
        command.arg("--no-sync");
    }
    command.arg(format!("--locale={locale}")).stdin(Stdio::null()).current_dir("/");
    let output = command.output().map_err(|source| io(&binaries.initdb, source))?;
    if output.status.success() {
        return Ok(());
    }
    Err(LocalError::Program { program: "initdb", output: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}

/// Enough of SHA-256 to tell folders apart.
fn short_hash(path: &Path) -> String {
    Sha256::digest(path.as_os_str().as_encoded_bytes()).iter().take(6).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
