//! How amounts are written for people: by the language's habit, from whole minor units, without floating point.

use kernel::{Locale, Money};

/// A space that does not break the line, so that an amount and its currency stay together.
const NO_BREAK: &str = "\u{a0}";
const NARROW_NO_BREAK: &str = "\u{202f}";

/// How a language writes amounts.
struct Manner {
    decimal: &'static str,
    group: &'static str,
    /// Where the currency stands, and what parts it from the figures.
    currency: Place,
}

#[derive(Clone, Copy)]
enum Place {
    Before(&'static str),
    After(&'static str),
}

/// Writes an amount as `locale` does: `€1,234.50` in English, `1.234,50 €` in German. The minus is U+2212.
pub(crate) fn format(money: Money, locale: &Locale) -> String {
    write(money, locale, false)
}

/// The same, but `€12` where it is a whole number of units.
pub(crate) fn format_short(money: Money, locale: &Locale) -> String {
    write(money, locale, true)
}

fn write(money: Money, locale: &Locale, is_short: bool) -> String {
    let manner = manner(locale);
    let size = money.amount_minor().unsigned_abs();
    let exponent = money.currency().exponent();
    let unit = 10_u64.pow(exponent);
    let places = usize::try_from(exponent).unwrap_or(0);
    let mut figures = grouped(size / unit, manner.group);
    if places > 0 && !(is_short && size.is_multiple_of(unit)) {
        figures = format!("{figures}{}{:0places$}", manner.decimal, size % unit);
    }
    let symbol = symbol(money.currency().code());
    let sign = if money.amount_minor() < 0 { "\u{2212}" } else { "" };
    match manner.currency {
        // A code of letters never touches the figures.
        Place::Before("") if symbol.chars().all(char::is_alphabetic) => format!("{sign}{symbol}{NO_BREAK}{figures}"),
        Place::Before(gap) => format!("{sign}{symbol}{gap}{figures}"),
        Place::After(gap) => format!("{sign}{figures}{gap}{symbol}"),
    }
}

/// Writes an amount for machines: `1234.50`, without its currency.
pub(crate) fn plain(money: Money) -> String {
    let exponent = money.currency().exponent();
    let (size, unit) = (money.amount_minor().unsigned_abs(), 10_u64.pow(exponent));
    let sign = if money.amount_minor() < 0 { "-" } else { "" };
    let places = usize::try_from(exponent).unwrap_or(0);
    if places == 0 { format!("{sign}{size}") } else { format!("{sign}{}.{:0places$}", size / unit, size % unit) }
}

fn manner(locale: &Locale) -> Manner {
    let (decimal, group, currency) = match (locale.language(), locale.as_str()) {
        (_, "de-AT") => (",", NO_BREAK, Place::Before(NO_BREAK)),
        (_, "de-CH" | "it-CH" | "de-LI") => (".", "\u{2019}", Place::Before(NO_BREAK)),
        ("de" | "it" | "es" | "da" | "hr" | "sl" | "el" | "ro" | "tr" | "id", _) => (",", ".", Place::After(NO_BREAK)),
        ("fr", _) => (",", NARROW_NO_BREAK, Place::After(NO_BREAK)),
        ("nl", _) | (_, "pt-BR") => (",", ".", Place::Before(NO_BREAK)),
        ("pt" | "pl" | "cs" | "sk" | "hu" | "fi" | "sv" | "nb" | "no" | "bg" | "uk" | "ru" | "et" | "lv" | "lt", _) => (",", NO_BREAK, Place::After(NO_BREAK)),
        _ => (".", ",", Place::Before("")),
    };
    Manner { decimal, group, currency }
}

fn symbol(code: &'static str) -> &'static str {
    match code {
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        "JPY" => "¥",
        "INR" => "₹",
        "KRW" => "₩",
        "ILS" => "₪",
        "TRY" => "₺",
        "UAH" => "₴",
        "PLN" => "zł",
        "CZK" => "Kč",
        "HUF" => "Ft",
        "BRL" => "R$",
        other => other,
    }
}

/// The figures with `mark` between each three, counted from the end.
fn grouped(number: u64, mark: &str) -> String {
    let figures = number.to_string();
    let length = figures.len();
    figures.chars().enumerate().fold(String::with_capacity(length + length / 3), |mut text, (index, figure)| {
        if index > 0 && (length - index).is_multiple_of(3) {
            text.push_str(mark);
        }
        text.push(figure);
        text
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn written(amount_minor: i64, currency: &str, locale: &str) -> String {
        format(Money::new(amount_minor, currency.parse().unwrap()), &locale.parse().unwrap())
    }

    #[test]
    fn amounts_follow_the_habit_of_the_language() {
        assert_eq!(written(123_450, "EUR", "en"), "€1,234.50");
        assert_eq!(written(4_800, "EUR", "en-GB"), "€48.00");
        assert_eq!(written(123_450, "EUR", "de"), "1.234,50\u{a0}€");
        assert_eq!(written(123_450, "EUR", "de-AT"), "€\u{a0}1\u{a0}234,50");
        assert_eq!(written(123_450, "CHF", "de-CH"), "CHF\u{a0}1\u{2019}234.50");
        assert_eq!(written(123_450, "EUR", "fr-FR"), "1\u{202f}234,50\u{a0}€");
        assert_eq!(written(123_450, "CHF", "en"), "CHF\u{a0}1,234.50");
    }

    #[test]
    fn minor_units_are_those_of_the_currency() {
        assert_eq!(written(1_234, "JPY", "en"), "¥1,234");
        assert_eq!(written(1_234, "KWD", "en"), "KWD\u{a0}1.234");
        assert_eq!(written(5, "EUR", "en"), "€0.05");
        assert_eq!(written(0, "EUR", "en"), "€0.00");
    }

    #[test]
    fn machines_get_a_plain_number() {
        let plain = |amount_minor, currency: &str| plain(Money::new(amount_minor, currency.parse().unwrap()));
        assert_eq!(plain(123_450, "EUR"), "1234.50");
        assert_eq!(plain(5, "KWD"), "0.005");
        assert_eq!(plain(1_234, "JPY"), "1234");
        assert_eq!(plain(-5, "EUR"), "-0.05");
    }

    #[test]
    fn whole_units_are_written_short_where_that_is_asked() {
        let short = |amount_minor, locale: &str| format_short(Money::new(amount_minor, kernel::Currency::EUR), &locale.parse().unwrap());
        assert_eq!([short(9_000, "en"), short(9_050, "en"), short(9_000, "de")], ["€90", "€90.50", "90\u{a0}€"]);
    }

    #[test]
    fn the_least_amount_is_written_too() {
        assert_eq!(written(-1_080, "EUR", "en"), "\u{2212}€10.80");
        assert_eq!(written(i64::MIN, "EUR", "en"), "\u{2212}€92,233,720,368,547,758.08");
    }
}
