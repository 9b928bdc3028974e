//! The secret by which the API knows our own web tier.

use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::Context as _;
use kernel::Token;
use platform::config::Config;
use secrecy::SecretString;

use crate::target::Target;

/// The credential of this process: the configured one; else the one kept in the data folder; and one that nobody else knows where
/// there are no pages to use it and no data folder of ours.
///
/// # Errors
/// A file cannot be read or written.
pub(crate) fn internal(config: &Config, target: &Target) -> anyhow::Result<SecretString> {
    if let Some(secret) = &config.web.internal_credential {
        return secret.current().context("web.internal_credential");
    }
    if !target.has_pages() && config.database.url.is_some() {
        return Ok(Token::generate().reveal().into());
    }
    kept(&config.data_dir, "internal-credential")
}

/// A secret in `<data folder>/secrets`, made at first use, for nobody but us to read.
fn kept(data_dir: &Path, name: &str) -> anyhow::Result<SecretString> {
    let folder = data_dir.join("secrets");
    let path = folder.join(name);
    let failed = || format!("the secret {}", path.display());
    std::fs::create_dir_all(data_dir).with_context(failed)?;
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        other => other.with_context(failed)?,
    }
    if !path.exists() {
        write_once(&folder, &path).with_context(failed)?;
    }
    let text = std::fs::read_to_string(&path).with_context(failed)?;
    anyhow::ensure!(!text.trim().is_empty(), "{} is empty: delete it, and it is made anew", path.display());
    Ok(text.trim().to_owned().into())
}

/// Writes a new secret beside its place and links it there, so that of two processes that begin at once one wins and none
/// reads half a secret.
fn write_once(folder: &Path, path: &Path) -> std::io::Result<()> {
    let fresh = folder.join(format!(".new-{}", std::process::id()));
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    writeln!(file, "{}", Token::generate().reveal())?;
    file.sync_all()?;
    let linked = match std::fs::hard_link(&fresh, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    };
    std::fs::remove_file(&fresh)?;
    linked
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = kept(dir.path(), "s").unwrap();
        let second = kept(dir.path(), "s").unwrap();
        assert_eq!(first.expose_secret(), second.expose_secret());
        assert!(first.expose_secret().len() >= 43);
        let mode = |path: &str| std::fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("secrets"), mode("secrets/s")), (0o700, 0o600));
        assert_eq!(std::fs::read_dir(dir.path().join("secrets")).unwrap().count(), 1);
    }
}
