use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

/// A secret setting: given as it is, or as a file whose present content counts. Never shown.
#[derive(Clone)]
pub struct Secret(Source);

#[derive(Clone)]
enum Source {
    Inline(SecretString),
    File(PathBuf),
}

impl Secret {
    /// A secret given as it is.
    #[must_use]
    pub fn inline(text: String) -> Self {
        Self(Source::Inline(text.into()))
    }

    /// A secret in a file, such as a mounted one that is rotated.
    #[must_use]
    pub const fn file(path: PathBuf) -> Self {
        Self(Source::File(path))
    }

    /// The secret as it stands now; a file is read anew each time.
    ///
    /// # Errors
    /// The file cannot be read or is empty.
    pub fn current(&self) -> std::io::Result<SecretString> {
        match &self.0 {
            Source::Inline(text) => Ok(text.clone()),
            Source::File(path) => {
                let text = std::fs::read_to_string(path)?;
                let text = text.trim_end_matches(['\r', '\n']);
                if text.is_empty() { Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "the file is empty")) } else { Ok(text.to_owned().into()) }
            }
        }
    }

    /// Whether the secret lies in a file, and may be another when it is read again.
    #[must_use]
    pub const fn is_file(&self) -> bool {
        matches!(self.0, Source::File(_))
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.0, Source::Inline(text) if text.expose_secret().is_empty())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
