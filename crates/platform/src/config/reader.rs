use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::{ConfigErrors, Secret};

/// The prefix under which unknown environment variables are refused.
const PREFIX: &str = "TRADEWIND__";

/// A setting as it took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, such as `http.public_address`.
    pub key: String,
    /// Its value; secrets are redacted.
    pub value: Option<String>,
    /// Where the value came from.
    pub source: String,
}

/// Reads settings one by one and collects what is wrong with them.
pub(super) struct Reader {
    given: BTreeMap<String, Given>,
    settings: Vec<Setting>,
    problems: Vec<String>,
}

struct Given {
    text: String,
    source: String,
}

impl Reader {
    pub(super) fn new(file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>, aliases: &[(&str, &str)]) -> Self {
        let mut reader = Self { given: BTreeMap::new(), settings: Vec::new(), problems: Vec::new() };
        if let Some(path) = file {
            reader.read_file(path);
        }
        for (name, text) in environment {
            if let Some(key) = environment_key(&name, aliases) {
                reader.given.insert(key, Given { text, source: name });
            }
        }
        reader
    }

    fn read_file(&mut self, path: &Path) {
        let table =
            std::fs::read_to_string(path).map_err(|error| error.to_string()).and_then(|text| text.parse::<toml::Table>().map_err(|error| error.to_string()));
        match table {
            Ok(table) => self.flatten("", table, path),
            Err(error) => self.problems.push(format!("{}: {error}", path.display())),
        }
    }

    fn flatten(&mut self, section: &str, table: toml::Table, path: &Path) {
        for (name, value) in table {
            let key = if section.is_empty() { name } else { format!("{section}.{name}") };
            let text = match value {
                toml::Value::Table(inner) => {
                    self.flatten(&key, inner, path);
                    continue;
                }
                toml::Value::String(text) => text,
                other => other.to_string(),
            };
            self.given.insert(key, Given { text, source: path.display().to_string() });
        }
    }

    /// A setting with a default.
    pub(super) fn value<T: FromStr<Err: Display> + DefaultOf>(&mut self, key: &str, default: &str) -> T {
        let given = self.given.remove(key);
        let (text, source) = given.map_or((default.to_owned(), "default".to_owned()), |given| (given.text, given.source));
        match text.parse() {
            Ok(value) => {
                self.note(key, Some(text), source);
                value
            }
            Err(error) => {
                self.problems.push(format!("{source}: {key}: {error}: {text:?}"));
                default.parse().unwrap_or_else(|_| T::fallback())
            }
        }
    }

    /// A setting that may be absent; an empty text counts as absent.
    pub(super) fn optional<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<T> {
        let Some(given) = self.given.remove(key).filter(|given| !given.text.is_empty()) else {
            self.note(key, None, String::new());
            return None;
        };
        match given.text.parse() {
            Ok(value) => {
                self.note(key, Some(given.text), given.source);
                Some(value)
            }
            Err(error) => {
                self.problems.push(format!("{}: {key}: {error}: {:?}", given.source, given.text));
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(super) fn number<T>(&mut self, key: &str, default: T, bounds: RangeInclusive<T>) -> T
    where
        T: FromStr<Err: Display> + Display + PartialOrd + Copy + DefaultOf,
    {
        let before = self.problems.len();
        let number = self.value(key, &default.to_string());
        if self.problems.len() == before && !bounds.contains(&number) {
            let source = self.settings.last().map(|setting| setting.source.clone()).unwrap_or_default();
            self.problems.push(format!("{source}: {key}: must be from {} to {}: {number}", bounds.start(), bounds.end()));
        }
        number
    }

    /// A span of time in whole milliseconds.
    pub(super) fn milliseconds(&mut self, key: &str, default: u64, bounds: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(key, default, bounds))
    }

    /// A secret, given as it is or by the name of its file under `<key>_file`.
    pub(super) fn secret(&mut self, key: &str) -> Option<Secret> {
        let inline = self.given.remove(key);
        let file = self.given.remove(&format!("{key}_file"));
        let (secret, source) = match (inline, file) {
            (Some(inline), Some(file)) => {
                self.problems.push(format!("{key}: given twice, by {} and by {}", inline.source, file.source));
                return None;
            }
            (Some(inline), None) => (Secret::inline(inline.text), inline.source),
            (None, Some(file)) => {
                let secret = Secret::file(PathBuf::from(&file.text));
                if let Err(error) = secret.current() {
                    self.problems.push(format!("{}: {key}: {}: {error}", file.source, file.text));
                }
                (secret, file.source)
            }
            (None, None) => {
                self.note(key, None, String::new());
                return None;
            }
        };
        if secret.is_empty() {
            self.note(key, None, String::new());
            return None;
        }
        self.note(key, Some("(secret)".to_owned()), source);
        Some(secret)
    }

    fn note(&mut self, key: &str, value: Option<String>, source: String) {
        self.settings.push(Setting { key: key.to_owned(), value, source });
    }

    /// Ends the reading: what nobody asked for is unknown.
    pub(super) fn finish(mut self) -> Result<Vec<Setting>, ConfigErrors> {
        for (key, given) in std::mem::take(&mut self.given) {
            self.problems.push(format!("{}: {key}: no such setting", given.source));
        }
        if self.problems.is_empty() { Ok(self.settings) } else { Err(ConfigErrors(self.problems)) }
    }
}

/// A stand-in for a default that does not parse, which a test would have caught.
pub(super) trait DefaultOf {
    fn fallback() -> Self;
}

impl DefaultOf for std::net::SocketAddr {
    fn fallback() -> Self {
        Self::from(([127, 0, 0, 1], 0))
    }
}
impl DefaultOf for super::LogFormat {
    fn fallback() -> Self {
        Self::Auto
    }
}
macro_rules! plain_defaults {
    ($($type:ty),*) => { $(impl DefaultOf for $type { fn fallback() -> Self { Self::default() } })* };
}
plain_defaults!(PathBuf, String, bool, u32, u64, usize);

/// The setting an environment variable stands for: by its alias (or the alias's file), or under the prefix.
fn environment_key(name: &str, aliases: &[(&str, &str)]) -> Option<String> {
    if let Some(rest) = name.strip_prefix(PREFIX) {
        return Some(rest.to_ascii_lowercase().replace("__", "."));
    }
    let (stem, ending) = name.strip_suffix("_FILE").map_or((name, ""), |stem| (stem, "_file"));
    aliases.iter().find(|(alias, _)| *alias == stem).map(|(_, key)| format!("{key}{ending}"))
}
