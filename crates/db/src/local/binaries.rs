use std::path::{Path, PathBuf};
use std::process::Command;

use super::LocalError;

/// The oldest version that has what we need.
const OLDEST: u32 = 15;

/// PostgreSQL's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) initdb: PathBuf,
    pub(super) postgres: PathBuf,
}

impl Binaries {
    /// Finds the programs: in `configured` alone if given, else wherever systems keep them; the newest version, or exactly
    /// the one that made the existing cluster.
    pub(super) fn find(configured: Option<&Path>, cluster_version: Option<&str>) -> Result<Self, LocalError> {
        let folders = configured.map_or_else(usual_folders, |folder| vec![folder.to_owned()]);
        let wanted = cluster_version.and_then(|version| version.parse::<u32>().ok());
        let newest = folders
            .into_iter()
            .filter_map(|folder| Some((version_of(&folder)?, folder)))
            .filter(|(version, _)| wanted.map_or(*version >= OLDEST, |wanted| *version == wanted))
            .max_by_key(|(version, _)| *version);
        let (_, folder) = newest.ok_or_else(|| {
            LocalError::NoBinaries(wanted.map_or_else(|| format!("{OLDEST} or newer"), |wanted| format!("{wanted} (the version that made the existing data)")))
        })?;
        Ok(Self { initdb: folder.join("initdb"), postgres: folder.join("postgres") })
    }
}

fn usual_folders() -> Vec<PathBuf> {
    let asked = Command::new("pg_config").arg("--bindir").output().ok().filter(|output| output.status.success());
    let asked = asked.and_then(|output| String::from_utf8(output.stdout).ok()).map(|folder| PathBuf::from(folder.trim()));
    let versioned = ["/usr/lib/postgresql", "/usr/local/opt", "/opt/homebrew/opt", "/usr"].into_iter().flat_map(|parent| {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| is_versioned(path)).map(|path| path.join("bin")).collect::<Vec<_>>()
    });
    let plain = ["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin"].map(PathBuf::from);
    asked.into_iter().chain(versioned).chain(plain).filter(|folder| folder.join("initdb").exists() && folder.join("postgres").exists()).collect()
}

/// `15` of Debian, `postgresql@15` of Homebrew, `pgsql-15` of Red Hat.
fn is_versioned(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let number = name.trim_start_matches("postgresql@").trim_start_matches("pgsql-");
    number.parse::<u32>().is_ok()
}

/// The major version, as the program tells it: `postgres (PostgreSQL) 15.18 (…)`.
fn version_of(folder: &Path) -> Option<u32> {
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    parse_version(&String::from_utf8(output.stdout).ok()?)
}

fn parse_version(text: &str) -> Option<u32> {
    let number = text.split_whitespace().find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()))?;
    number.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_program_says() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_version("nothing"), None);
    }

    #[test]
    fn a_folder_without_programs_gives_the_install_line() {
        let error = Binaries::find(Some(Path::new("/nonexistent")), None).err().map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.contains("apt-get install postgresql")));
    }
}
