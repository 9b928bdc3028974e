use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

/// Who runs the server: ourselves, or a service account when we are root, as which PostgreSQL refuses to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    service: Option<Service>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Service {
    user: u32,
    group: u32,
}

impl Account {
    pub(super) fn current() -> Self {
        let service = rustix::process::geteuid().is_root().then(|| service_account(&std::fs::read_to_string("/etc/passwd").unwrap_or_default()));
        Self { service }
    }

    pub(super) const fn is_service(&self) -> bool {
        self.service.is_some()
    }

    /// A command that runs as the account and, on Linux, gets SIGINT when the thread that spawns it ends.
    pub(super) fn command(&self, program: &Path, dies_with_us: bool) -> Command {
        if !cfg!(target_os = "linux") {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        if let Some(service) = self.service {
            command.args(["--reuid", &service.user.to_string(), "--regid", &service.group.to_string(), "--clear-groups"]);
        }
        if dies_with_us {
            command.args(["--pdeathsig", "INT"]);
        }
        if self.service.is_none() && !dies_with_us {
            return Command::new(program);
        }
        command.arg("--").arg(program);
        command
    }

    /// Gives a file or folder to the account.
    pub(super) fn own(&self, path: &Path) -> std::io::Result<()> {
        match self.service {
            Some(service) => std::os::unix::fs::chown(path, Some(service.user), Some(service.group)),
            None => Ok(()),
        }
    }

    /// Whether the account may pass through every folder above `path`.
    pub(super) fn reaches(&self, path: &Path) -> bool {
        let Some(service) = self.service else { return true };
        path.ancestors().skip(1).filter_map(|folder| std::fs::metadata(folder).ok()).all(|folder| {
            let bit = if folder.uid() == service.user {
                0o100
            } else if folder.gid() == service.group {
                0o010
            } else {
                0o001
            };
            folder.mode() & bit != 0
        })
    }
}

/// The user `postgres` if the system has one, else `nobody`.
fn service_account(passwd: &str) -> Service {
    let find = |name: &str| {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == name).then_some(())?;
            let mut numbers = fields.skip(1).map_while(|field| field.parse().ok());
            Some(Service { user: numbers.next()?, group: numbers.next()? })
        })
    };
    find("postgres").or_else(|| find("nobody")).unwrap_or(Service { user: 65_534, group: 65_534 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_is_preferred_and_nobody_is_the_fallback() {
        let both = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533:n:/:/x\npostgres:x:101:104:p:/:/x\n";
        assert_eq!(service_account(both), Service { user: 101, group: 104 });
        assert_eq!(service_account("nobody:x:65534:65533:n:/:/x"), Service { user: 65_534, group: 65_533 });
        assert_eq!(service_account(""), Service { user: 65_534, group: 65_534 });
    }
}
