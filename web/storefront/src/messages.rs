//! The texts shoppers read, from `messages/<language>.ftl`, and how a language writes amounts and dates.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::Datelike;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use kernel::{Country, Locale, Money, Timestamp};
use unic_langid::LanguageIdentifier;

use crate::{countries, money};

/// The language of a shop whose own we have no messages for, or that nobody could be asked about.
pub(crate) const FALLBACK: &str = "en";

/// The languages there are, with their messages.
const SOURCES: [(&str, &str); 2] = [("en", include_str!("../messages/en.ftl")), ("de", include_str!("../messages/de.ftl"))];

/// The messages of one language.
pub(crate) struct Messages {
    language: &'static str,
    bundle: FluentBundle<FluentResource>,
}

/// Every language.
#[derive(Debug, Clone)]
pub(crate) struct Languages(BTreeMap<&'static str, Arc<Messages>>);

/// The language of a channel: its messages, and the habits of its region.
#[derive(Debug, Clone)]
pub(crate) struct Tongue {
    locale: Locale,
    messages: Arc<Messages>,
}

impl Languages {
    pub(crate) fn load() -> Self {
        Self(SOURCES.into_iter().map(|(language, source)| (language, Arc::new(Messages::read(language, source)))).collect())
    }

    /// Each language by its code.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &Arc<Messages>)> {
        self.0.iter().map(|(language, messages)| (*language, messages))
    }

    /// The tongue of a locale.
    pub(crate) fn tongue(&self, locale: &Locale) -> Tongue {
        Tongue { locale: locale.clone(), messages: self.messages(locale.language()) }
    }

    /// The messages of a language, or those that stand in for them.
    pub(crate) fn messages(&self, language: &str) -> Arc<Messages> {
        let known = self.0.get(language).or_else(|| self.0.get(FALLBACK));
        known.cloned().unwrap_or_else(|| Arc::new(Messages::read(FALLBACK, "")))
    }
}

impl Messages {
    /// What cannot be read is left out; a test sees to it that everything can.
    fn read(language: &'static str, source: &str) -> Self {
        let identifier: LanguageIdentifier = language.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
        // The marks that keep a value's direction apart would stand in every address and price.
        bundle.set_use_isolating(false);
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(readable, errors)| {
            tracing::error!(language, ?errors, "messages cannot be read");
            readable
        });
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(language, ?errors, "messages stand twice");
        }
        Self { language, bundle }
    }

    /// A message without values.
    pub(crate) fn text(&self, key: &str) -> String {
        self.format(key, &FluentArgs::new()).unwrap_or_else(|| key.to_owned())
    }

    /// A message with its values put in; nothing if there is none of this name or a value is missing.
    pub(crate) fn format(&self, key: &str, values: &FluentArgs<'_>) -> Option<String> {
        let pattern = self.bundle.get_message(key)?.value()?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(values), &mut errors).into_owned();
        if errors.is_empty() {
            return Some(text);
        }
        tracing::error!(language = self.language, key, ?errors, "message not formatted");
        None
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Messages").field(&self.language).finish()
    }
}

impl Tongue {
    /// A message without values.
    pub(crate) fn text(&self, key: &str) -> String {
        self.with(key, [])
    }

    /// A message with values. Its name stands in for one that is not there, which a test keeps from happening.
    pub(crate) fn with<const N: usize>(&self, key: &str, values: [(&str, FluentValue<'_>); N]) -> String {
        self.messages.format(key, &values.into_iter().collect()).unwrap_or_else(|| key.to_owned())
    }

    /// A message of a name that comes from elsewhere, if there is one.
    pub(crate) fn find(&self, key: &str) -> Option<String> {
        self.messages.bundle.has_message(key).then(|| self.text(key))
    }

    pub(crate) fn money(&self, amount: Money) -> String {
        money::format(amount, &self.locale)
    }

    /// An amount without the part of a unit, where there is none.
    pub(crate) fn money_short(&self, amount: Money) -> String {
        money::format_short(amount, &self.locale)
    }

    /// An amount, or that there is nothing to pay.
    pub(crate) fn price_or_free(&self, price: Money) -> String {
        if price.is_zero() { self.text("free") } else { self.money(price) }
    }

    /// A day, written out.
    pub(crate) fn date(&self, at: Timestamp) -> String {
        // The year is a name here: as a number some languages would part its thousands.
        self.with("date", [("day", at.day().into()), ("month", at.month().into()), ("year", at.year().to_string().into())])
    }

    pub(crate) fn country(&self, country: Country) -> &'static str {
        countries::name(country, self.messages.language)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn tongue(locale: &str) -> Tongue {
        Languages::load().tongue(&locale.parse().unwrap())
    }

    /// The messages of a file: the name, and all that stands up to the next one.
    fn messages(source: &str) -> BTreeMap<&str, String> {
        let mut messages: BTreeMap<&str, String> = BTreeMap::new();
        let mut name = "";
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            let begins = line.starts_with(|letter: char| letter.is_ascii_alphabetic());
            let (begun, rest) = line.split_once(" = ").filter(|_| begins).unwrap_or((name, line));
            name = begun;
            let text = messages.entry(name).or_default();
            assert!(!begins || text.is_empty(), "{name} stands twice");
            text.push_str(rest);
        }
        messages.into_iter().filter(|(name, _)| !name.is_empty()).collect()
    }

    fn values(text: &str) -> BTreeSet<&str> {
        text.split('$').skip(1).map(|rest| rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next().unwrap()).collect()
    }

    /// Every file below a folder of this crate, with its path.
    fn files(folder: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        found
    }

    /// The names of messages that a text asks for.
    fn asked(text: &str) -> BTreeSet<String> {
        let starts = [" t(\"", "(t(\"", "=t(\"", "tongue.text(\"", "messages.text(\"", "tongue.with(\""];
        starts.iter().flat_map(|start| text.split(start).skip(1)).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_language_has_the_same_messages_with_the_same_values() {
        let [(_, english), others @ ..] = SOURCES;
        let english = messages(english);
        for (language, source) in others {
            let translated = messages(source);
            assert_eq!(translated.keys().collect::<Vec<_>>(), english.keys().collect::<Vec<_>>(), "{language}");
            for (name, text) in &translated {
                assert_eq!(values(text), values(english.get(name).unwrap()), "{language} {name}");
                assert!(!text.trim().is_empty(), "{language} {name}");
            }
        }
    }

    #[test]
    fn every_message_can_be_read() {
        for (language, source) in SOURCES {
            assert!(FluentResource::try_new(source.to_owned()).is_ok(), "{language}");
            let tongue = tongue(language);
            for (name, text) in messages(source) {
                let values: FluentArgs<'_> = values(&text).into_iter().map(|value| (value, FluentValue::from(2))).collect();
                assert!(tongue.messages.format(name, &values).is_some(), "{language} {name}");
            }
        }
    }

    #[test]
    fn what_is_asked_for_is_there_and_what_is_there_is_asked_for() {
        let [(_, source), ..] = SOURCES;
        let there: BTreeSet<String> = messages(source).into_keys().map(ToOwned::to_owned).collect();
        let this_file = Path::new("src/messages.rs");
        let sources: Vec<_> = files("src").into_iter().filter(|(path, _)| !Path::new(path).ends_with(this_file)).chain(files("templates")).collect();
        for (path, text) in &sources {
            for name in asked(text).iter().filter(|name| !name.contains('{')) {
                assert!(there.contains(name), "{path} asks for {name}");
            }
        }
        let all: String = sources.into_iter().map(|(_, text)| text).collect();
        // Named after something of the API's: a field, a way to pay, a test card.
        let families = ["field-", "hint-", "method-", "card-"];
        for name in there.iter().filter(|name| !families.iter().any(|family| name.starts_with(family))) {
            let is_named = all.contains(&format!("\"{name}\"")) || name.strip_suffix("-title").is_some_and(|stem| all.contains(&format!("\"{stem}\"")));
            assert!(is_named || name == "date" || name == "free", "nobody asks for {name}");
        }
    }

    #[test]
    fn templates_hold_no_words_of_their_own() {
        for (path, text) in files("templates").into_iter().filter(|(path, _)| Path::new(path).extension().is_some_and(|kind| kind == "html")) {
            let plain = without(&without(&without(&text, "{#", "#}"), "{%", "%}"), "{{", "}}");
            let words = without(&plain, "<", ">").replace(" srcset=\" \" sizes=\" \"", "");
            assert!(!words.contains(|letter: char| letter.is_alphabetic()), "{path} says {:?}", words.trim());
            for attribute in ["aria-label=\"", "alt=\"", "title=\"", "placeholder=\"", "content=\""] {
                for value in plain.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                    let is_code = ["width=", "#", "noindex", "summary_large_image"].iter().any(|code| value.starts_with(code));
                    assert!(is_code || !value.contains(|letter: char| letter.is_alphabetic()), "{path} says {value:?}");
                }
            }
        }
    }

    fn without(text: &str, start: &str, end: &str) -> String {
        let mut parts = text.split(start);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |kept, part| kept + " " + part.split_once(end).map_or("", |(_, rest)| rest))
    }

    #[test]
    fn a_language_counts_in_its_own_way() {
        assert_eq!(tongue("en").with("items", [("count", 1.into())]), "1 item");
        assert_eq!(tongue("en-GB").with("items", [("count", 2.into())]), "2 items");
        assert_eq!(tongue("de-AT").with("pieces", [("count", 1.into())]), "1 Stück");
        assert_eq!(tongue("de").with("pieces", [("count", 0.into())]), "0 Stücke");
    }

    #[test]
    fn days_amounts_and_countries_follow_the_channel() {
        let day: Timestamp = "2026-03-05T11:04:00Z".parse().unwrap();
        let price = Money::new(123_450, kernel::Currency::EUR);
        assert_eq!((tongue("en").date(day), tongue("en").money(price)), ("5 March 2026".to_owned(), "€1,234.50".to_owned()));
        assert_eq!((tongue("de").date(day), tongue("de").money(price)), ("5. März 2026".to_owned(), "1.234,50\u{a0}€".to_owned()));
        assert_eq!(tongue("de").country("AT".parse().unwrap()), "Österreich");
    }

    #[test]
    fn a_language_without_messages_reads_english() {
        assert_eq!(tongue("fr").text("free"), "Free");
        assert_eq!(tongue("fr").money(Money::new(100, kernel::Currency::EUR)), "1,00\u{a0}€");
        assert_eq!(tongue("de").find("method-unheard-of"), None);
    }
}
