//! A throw-away PostgreSQL: made in a temporary folder, reached by a unix socket, gone when dropped.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// The server's superuser.
const USER: &str = "tradewind";
/// The one database.
const DATABASE: &str = "postgres";
/// The number of its socket when it listens nowhere.
const USUAL_PORT: u16 = 5432;
/// How long it may take to accept connections.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
pub(crate) struct Server {
    folder: PathBuf,
    bin: PathBuf,
    /// Where it listens, if it does.
    port: Option<u16>,
    process: Child,
}

impl Server {
    /// Starts a server that is reached through a socket in its folder only.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::start_on(None)
    }

    /// Starts a server that listens on a free port of this machine's own addresses too, and asks nobody for a password.
    pub(crate) fn start_on_loopback() -> anyhow::Result<Self> {
        let free = TcpListener::bind("127.0.0.1:0").context("looking for a free port")?.local_addr()?.port();
        Self::start_on(Some(free))
    }

    fn start_on(port: Option<u16>) -> anyhow::Result<Self> {
        let bin = find_programs()?;
        let account = Account::find()?;
        let folder = std::env::temp_dir().join(format!("tradewind-xtask-{}", std::process::id()));
        std::fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
        account.own(&folder)?;
        let data = folder.join("data");
        let initdb = account
            .command(&bin.join("initdb"))
            .arg("-D")
            .arg(&data)
            .args(["-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .output()?;
        if !initdb.status.success() {
            bail!("initdb failed:\n{}", String::from_utf8_lossy(&initdb.stderr));
        }
        let settings = [
            format!("unix_socket_directories={}", folder.display()),
            format!("listen_addresses={}", port.map_or("", |_| "127.0.0.1")),
            format!("port={}", port.unwrap_or(USUAL_PORT)),
            "fsync=off".to_owned(),
        ];
        let mut command = account.command(&bin.join("postgres"));
        command.arg("-D").arg(&data);
        for setting in &settings {
            command.args(["-c", setting]);
        }
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("starting postgres")?;
        let mut server = Self { folder, bin, port, process };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// The address as `DATABASE_URL` has it.
    pub(crate) fn url(&self) -> String {
        match self.port {
            Some(port) => format!("postgres://{USER}@127.0.0.1:{port}/{DATABASE}"),
            None => format!("postgres://{USER}@localhost/{DATABASE}?host={}", self.folder.display()),
        }
    }

    /// Runs a command that finds the server's address in `DATABASE_URL`, and the folder with `psql` in `PG_BIN`.
    pub(crate) fn run_beside(&self, command: &[String]) -> anyhow::Result<()> {
        let (program, arguments) = command.split_first().context("which command?")?;
        let status = Command::new(program).args(arguments).env("DATABASE_URL", self.url()).env("PG_BIN", &self.bin).status()?;
        if !status.success() {
            bail!("{}: {status}", command.join(" "));
        }
        Ok(())
    }

    /// Runs statements, all or none.
    pub(crate) fn run(&self, statements: &str) -> anyhow::Result<()> {
        let file = self.folder.join("statements.sql");
        std::fs::write(&file, statements)?;
        let output = self.psql().args(["--single-transaction", "-f"]).arg(&file).output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    fn psql(&self) -> Command {
        let mut command = Command::new(self.bin.join("psql"));
        command
            .args(["--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-U", USER, "-d", DATABASE, "-h"])
            .arg(&self.folder)
            .args(["-p", &self.port.unwrap_or(USUAL_PORT).to_string()]);
        command.env("PGOPTIONS", "-c client_min_messages=warning").stdin(Stdio::null());
        command
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait()? {
                bail!("postgres ended at once ({status})");
            }
            if self.psql().args(["-c", "select 1"]).output()?.status.success() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("postgres did not accept connections within {} s", PATIENCE.as_secs())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing in it is worth keeping, and there is nobody to tell if it does not go.
        drop(Command::new("kill").args(["-INT", &self.process.id().to_string()]).status());
        drop(self.process.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// The folder with `initdb`, `postgres` and `psql`: where `pg_config` says, or the newest of the distribution's.
fn find_programs() -> anyhow::Result<PathBuf> {
    let asked = Command::new("pg_config").arg("--bindir").output().ok().filter(|output| output.status.success());
    let asked = asked.and_then(|output| String::from_utf8(output.stdout).ok()).map(|text| PathBuf::from(text.trim()));
    let mut versioned: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versioned.sort();
    let usual = ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from);
    let folders = asked.into_iter().chain(versioned.into_iter().rev().map(|(_, folder)| folder)).chain(usual);
    let complete = |folder: &PathBuf| ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).exists());
    folders
        .into_iter()
        .find(complete)
        .context("no PostgreSQL with initdb, postgres and psql was found: `apt-get install postgresql` or `brew install postgresql@17`")
}

/// Who runs the server: ourselves, or somebody else when we are root, as whom PostgreSQL refuses to run.
struct Account(Option<(String, String)>);

impl Account {
    fn find() -> anyhow::Result<Self> {
        if id(&["-u"])? != "0" {
            return Ok(Self(None));
        }
        let name =
            ["postgres", "nobody"].into_iter().find(|name| id(&["-u", name]).is_ok()).context("no account `postgres` or `nobody` to run PostgreSQL as")?;
        Ok(Self(Some((id(&["-u", name])?, id(&["-g", name])?))))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = match &self.0 {
            None => Command::new(program),
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--regid", group, "--clear-groups", "--"]).arg(program);
                command
            }
        };
        command.stdin(Stdio::null()).current_dir("/");
        command
    }

    fn own(&self, path: &Path) -> anyhow::Result<()> {
        if let Some((user, group)) = &self.0 {
            std::os::unix::fs::chown(path, Some(user.parse()?), Some(group.parse()?))?;
        }
        Ok(())
    }
}

fn id(arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("id").args(arguments).output().context("running id")?;
    if !output.status.success() {
        bail!("id {} failed", arguments.join(" "));
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
