//! The program under test: started with an environment, waited for, talked to, killed.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

/// How long anything here may take before a test gives up. Generous, for machines that do other things too.
const PATIENCE: Duration = Duration::from_secs(120);

/// A data folder, and what the program is told by the environment. Two processes may be started on one folder. The folder goes when
/// this is dropped.
pub(crate) struct Folder {
    root: TempDir,
    environment: Vec<(String, String)>,
}

impl Folder {
    /// An empty folder that a database's service account can reach, too. Ports are chosen by the system.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("tradewind-test-").tempdir().unwrap();
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let folder = Self { root, environment: Vec::new() };
        let data = folder.data().display().to_string();
        folder.env("TRADEWIND__DATA_DIR", &data).env("TRADEWIND__HTTP__PUBLIC_ADDRESS", "127.0.0.1:0").env("TRADEWIND__HTTP__OPERATIONS_ADDRESS", "127.0.0.1:0")
    }

    /// Sets a variable for every process that is started from now on.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// The folder the program is started in; a `tradewind.toml` here is read.
    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    /// What the private database has written into its log.
    pub(crate) fn postgres_log(&self) -> String {
        std::fs::read_to_string(self.data().join("postgres.log")).unwrap_or_default()
    }

    /// The process id of the private database, while it runs.
    pub(crate) fn postmaster(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.data().join("postgres/postmaster.pid")).ok()?;
        let pid = Pid::from_raw(text.lines().next()?.trim().parse().ok()?)?;
        test_kill_process(pid).is_ok().then_some(pid)
    }

    /// Starts `tradewind serve` with these arguments and waits until it says that it is ready.
    pub(crate) async fn serve(&self, arguments: &[&str]) -> Running {
        self.serve_with(arguments, &[]).await
    }

    /// The same with more variables for this process alone.
    pub(crate) async fn serve_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Running {
        let mut command = self.command();
        command.arg("serve").args(arguments).envs(environment.iter().copied());
        Running::start(command).await
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = self.command();
        command.args(arguments);
        Running::spawn(command).ended().await
    }

    /// Begins a command and leaves it running; the child is for the test to kill.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Child {
        self.command().args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
        command.env_clear().current_dir(self.path()).stdin(Stdio::null());
        // Nothing of the machine's own settings gets in but where programs and temporary files are.
        command.envs(std::env::vars().filter(|(name, _)| ["PATH", "TMPDIR", "HOME"].contains(&name.as_str())));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Drop for Folder {
    /// The database of a process that was killed ends by itself; only then can its folder go.
    fn drop(&mut self) {
        let begun = Instant::now();
        while self.postmaster().is_some() && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A program that has ended: how, and what it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Panics unless it ended well; returns what it printed.
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert!(self.status.success(), "{self:?}");
        self.stdout
    }

    /// Panics unless it ended with exit code 1; returns what it complained of, without log lines.
    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert_eq!(self.status.code(), Some(1), "{self:?}");
        self.stderr.lines().filter(|line| !line.starts_with('{')).collect::<Vec<_>>().join("\n")
    }

    /// The signal that ended it, if one did.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

/// A program that runs: a server that was ready. It is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<std::thread::JoinHandle<()>>,
    base_url: Option<String>,
    operations_url: String,
}

impl Running {
    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let readers = vec![collect(child.stdout.take().unwrap(), Arc::clone(&stdout)), collect(child.stderr.take().unwrap(), Arc::clone(&stderr))];
        Self { child, stdout, stderr, readers, base_url: None, operations_url: String::new() }
    }

    async fn start(command: Command) -> Self {
        let mut running = Self::spawn(command);
        let begun = Instant::now();
        while running.operations_url.is_empty() {
            if running.child.try_wait().unwrap().is_some() || begun.elapsed() > PATIENCE {
                panic!("tradewind did not become ready:\n{}\n{}", running.stdout(), running.logs());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            running.read_addresses();
        }
        running
    }

    /// The block the program prints when it is ready tells where everything is; the operations port stands last.
    fn read_addresses(&mut self) {
        let block = self.stdout();
        let address = |name: &str| block.lines().find_map(|line| line.trim().strip_prefix(name)).map(|rest| rest.trim().to_owned());
        if let Some(operations) = address("Operations") {
            self.operations_url = operations.trim_end_matches("/readyz").to_owned();
            let public = address("Shop").or_else(|| address("API docs")).or_else(|| address("Back office")).or_else(|| address("API  "));
            self.base_url = public.map(|url| url.split('/').take(3).collect::<Vec<_>>().join("/"));
        }
    }

    /// Where the public port is, such as `http://127.0.0.1:40123`.
    #[track_caller]
    pub(crate) fn base_url(&self) -> &str {
        self.base_url.as_deref().expect("this process has a public port")
    }

    /// Where the operations port is.
    pub(crate) fn operations_url(&self) -> &str {
        &self.operations_url
    }

    /// The process id.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Gets a path of the public port.
    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        http().get(format!("{}{path}", self.base_url())).send().await.unwrap()
    }

    /// Waits until the operations port tells this of a dependency, such as `up`.
    pub(crate) async fn until_dependency(&self, name: &str, state: &str) {
        let begun = Instant::now();
        loop {
            let report = http().get(format!("{}/readyz", self.operations_url)).send().await.unwrap().text().await.unwrap();
            if report.contains(&format!("\"{name}\":\"{state}")) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{name} is not {state}: {report}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The figures of its operations port.
    pub(crate) async fn metrics(&self) -> String {
        http().get(format!("{}/metrics", self.operations_url)).send().await.unwrap().text().await.unwrap()
    }

    /// What it has printed so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.lock().unwrap().clone()
    }

    /// What it has logged so far.
    pub(crate) fn logs(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Kills it without warning and waits until it is gone.
    pub(crate) async fn kill9(self) -> Ended {
        self.signal(Signal::KILL);
        self.ended().await
    }

    /// Tells it to stop and waits until it has.
    pub(crate) async fn terminate(self) -> Ended {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(mut self) -> Ended {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "tradewind does not end:\n{}", self.logs());
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        for reader in std::mem::take(&mut self.readers) {
            reader.join().unwrap();
        }
        Ended { status, stdout: self.stdout(), stderr: self.logs() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// An HTTP client that keeps its connections, as browsers do.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn collect(from: impl Read + Send + 'static, into: Arc<Mutex<String>>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut text = into.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    })
}
