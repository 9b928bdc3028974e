//! What happened to an order, in words.

use orders_api::{TimelineEntryAnswer, TimelineEntryId};
use serde::Serialize;

use crate::format::{Moment, initials, moment, money, parse_amount};

/// An entry as the page shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    id: String,
    /// Whether it begins a day.
    new_day: bool,
    who: Option<String>,
    initials: Option<String>,
    icon: &'static str,
    what: String,
    detail: Option<String>,
    /// Whether the detail is somebody's own words.
    quoted: bool,
    at: Moment,
}

/// What happened since a page was opened.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Change {
    who: String,
    what: String,
    detail: Option<String>,
    at: Moment,
}

/// Every entry, the newest first, as `entries` come oldest first.
pub(crate) fn newest_first(entries: &[TimelineEntryAnswer]) -> Vec<Entry> {
    let days = std::iter::once(None).chain(entries.iter().rev().map(|entry| Some(entry.occurred_at.date_naive())));
    entries.iter().rev().zip(days).map(|(entry, day_before)| shown(entry, day_before != Some(entry.occurred_at.date_naive()))).collect()
}

/// What came after the entry a page had last; everything if it had none.
pub(crate) fn since(entries: &[TimelineEntryAnswer], seen: Option<TimelineEntryId>) -> Vec<Change> {
    let place = entries.iter().position(|entry| Some(entry.id) == seen).map_or(0, |place| place + 1);
    entries.iter().skip(place).map(change).collect()
}

fn shown(entry: &TimelineEntryAnswer, new_day: bool) -> Entry {
    let person = person(&entry.actor);
    let (by_person, alone, icon) = words(&entry.kind);
    let staff = entry.actor.starts_with("staff:");
    Entry {
        id: entry.id.to_string(),
        new_day,
        initials: person.as_deref().filter(|_| staff).map(initials).filter(|letters| !letters.is_empty()),
        what: if person.is_some() { by_person } else { alone },
        who: person,
        icon,
        detail: detail(entry),
        quoted: entry.kind == "comment",
        at: moment(entry.occurred_at),
    }
}

fn change(entry: &TimelineEntryAnswer) -> Change {
    let person = person(&entry.actor);
    let (by_person, alone, _) = words(&entry.kind);
    let what = if person.is_some() { by_person } else { alone };
    Change { who: person.unwrap_or_default(), what, detail: detail(entry), at: moment(entry.occurred_at) }
}

/// What was said, as it was said; an amount as amounts are shown, a stable code as words.
fn detail(entry: &TimelineEntryAnswer) -> Option<String> {
    let text = entry.detail.as_deref()?;
    if entry.kind.starts_with("capture_")
        && let Some((figures, rest)) = text.split_once(' ')
    {
        // A failed one says why behind its amount.
        let (currency, why) = rest.split_once(' ').map_or((rest, None), |(currency, why)| (currency, Some(why)));
        if let Ok(amount) = currency.parse().map_err(drop).and_then(|currency| parse_amount(figures, currency).map_err(drop)) {
            return Some(why.map_or_else(|| money(amount), |why| format!("{}: {}", money(amount), why.replace('_', " "))));
        }
    }
    let is_code = entry.kind != "comment" && text.contains('_') && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    Some(if is_code { text.replace('_', " ") } else { text.to_owned() })
}

/// The name behind an actor; nobody for parts of the shop itself.
pub(crate) fn person(actor: &str) -> Option<String> {
    if let Some(staff) = actor.strip_prefix("staff:") {
        return Some(staff.split_once(':').map_or(staff, |(_, name)| name).to_owned());
    }
    (actor == "guest").then(|| "The shopper".to_owned())
}

/// What is said of a kind of entry after a name, what without one, and its icon.
fn words(kind: &str) -> (String, String, &'static str) {
    let (by_person, alone, icon) = match kind {
        "comment" => ("commented", "Comment", "note"),
        "created" => ("made the order", "Order made", "order"),
        "placed" => ("placed the order", "Order placed", "order"),
        "canceled" => ("canceled the order", "Order canceled", "x"),
        "capture_requested" => ("asked for a capture", "Capture asked for", "card"),
        "capture_succeeded" => ("captured", "Captured", "card"),
        "capture_failed" => ("was refused a capture", "The provider refused a capture", "alert"),
        "payment_voided" => ("let the held money go", "Held money let go", "undo"),
        other => {
            let plain = other.replace('_', " ");
            let alone = crate::notice::sentence(&plain).trim_end_matches('.').to_owned();
            return (format!("noted: {plain}"), alone, "clock");
        }
    };
    (by_person.to_owned(), alone.to_owned(), icon)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Timestamp;

    fn entry(at_seconds: i64, kind: &str, actor: &str) -> TimelineEntryAnswer {
        let at = Timestamp::from_timestamp(at_seconds, 0).unwrap_or_default();
        TimelineEntryAnswer { id: TimelineEntryId::new(at), kind: kind.to_owned(), detail: None, actor: actor.to_owned(), occurred_at: at }
    }

    #[test]
    fn the_newest_comes_first_and_each_day_once() {
        let entries = [entry(0, "created", "guest"), entry(60, "placed", "system:checkout"), entry(90_000, "comment", "staff:1:Ines Varga")];
        let shown = newest_first(&entries);
        let days: Vec<_> = shown.iter().map(|entry| entry.new_day).collect();
        assert_eq!(days, [true, true, false]);
        let told: Vec<_> = shown.iter().map(|entry| format!("{} {}", entry.who.as_deref().unwrap_or_default(), entry.what)).collect();
        assert_eq!(told, ["Ines Varga commented", " Order placed", "The shopper made the order"]);
    }

    #[test]
    fn amounts_and_codes_are_told_in_words_and_comments_as_they_were_typed() {
        let told = |kind: &str, text: &str| detail(&TimelineEntryAnswer { detail: Some(text.to_owned()), ..entry(0, kind, "guest") });
        assert_eq!(told("capture_succeeded", "1050.00 EUR").as_deref(), Some("€1,050.00"));
        assert_eq!(told("capture_failed", "62.90 EUR capture_refused").as_deref(), Some("€62.90: capture refused"));
        assert_eq!(told("canceled", "canceled_by_staff").as_deref(), Some("canceled by staff"));
        assert_eq!(told("comment", "see_you 5 EUR").as_deref(), Some("see_you 5 EUR"));
    }

    #[test]
    fn only_what_came_after_the_seen_entry_is_a_change() {
        let entries = [entry(0, "created", "guest"), entry(60, "placed", "guest"), entry(120, "comment", "guest")];
        let seen = entries.get(1).map(|entry| entry.id);
        assert_eq!(since(&entries, seen).len(), 1);
        assert_eq!(since(&entries, None).len(), 3);
        assert_eq!(since(&entries, entries.last().map(|entry| entry.id)).len(), 0);
    }
}
