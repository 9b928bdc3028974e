//! Money, times and counts as people read and type them. No float touches money.

use kernel::{Currency, Money, Timestamp};
use serde::Serialize;

/// A true minus sign, as wide as a figure.
const MINUS: char = '\u{2212}';

/// An amount with its currency: `€1,142.40`, `CHF 12.00`, `−€5.00`.
pub(crate) fn money(money: Money) -> String {
    let sign = if money.amount_minor() < 0 { String::from(MINUS) } else { String::new() };
    let figures = figures(money.amount_minor().unsigned_abs(), money.currency(), true);
    match symbol(money.currency()) {
        Some(symbol) => format!("{sign}{symbol}{figures}"),
        None => format!("{sign}{} {figures}", money.currency()),
    }
}

/// An amount whose currency stands in the head of its column: `1,142.40`.
pub(crate) fn amount(money: Money) -> String {
    let figures = figures(money.amount_minor().unsigned_abs(), money.currency(), true);
    if money.amount_minor() < 0 { format!("{MINUS}{figures}") } else { figures }
}

/// An amount for the scale of a drawing: `€2,000` where there are no cents.
pub(crate) fn short_money(money: Money) -> String {
    let unit = 10_i64.pow(money.currency().exponent());
    let whole = self::money(money);
    if unit > 1 && money.amount_minor() % unit == 0 { whole.split('.').next().unwrap_or(&whole).to_owned() } else { whole }
}

/// An amount to edit: `1142.40`.
pub(crate) fn editable(money: Money) -> String {
    let figures = figures(money.amount_minor().unsigned_abs(), money.currency(), false);
    if money.amount_minor() < 0 { format!("-{figures}") } else { figures }
}

/// The sign of a currency that needs no explanation.
pub(crate) fn symbol(currency: Currency) -> Option<&'static str> {
    match currency.code() {
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        "USD" => Some("$"),
        "JPY" => Some("¥"),
        _ => None,
    }
}

fn figures(size: u64, currency: Currency, grouped: bool) -> String {
    let exponent = currency.exponent();
    let unit = 10_u64.pow(exponent);
    let whole = (size / unit).to_string();
    let whole = if grouped { group(&whole) } else { whole };
    let places = usize::try_from(exponent).unwrap_or(0);
    if places == 0 { whole } else { format!("{whole}.{:0places$}", size % unit) }
}

/// Commas between thousands.
fn group(digits: &str) -> String {
    let first = digits.len() % 3;
    digits.char_indices().fold(String::new(), |mut text, (index, digit)| {
        if index > 0 && index % 3 == first {
            text.push(',');
        }
        text.push(digit);
        text
    })
}

/// A whole number with commas: `12,400`.
pub(crate) fn count(number: i64) -> String {
    let digits = group(&number.unsigned_abs().to_string());
    if number < 0 { format!("{MINUS}{digits}") } else { digits }
}

/// Reads a whole number as typed: digits, with or without commas between thousands.
pub(crate) fn parse_count(text: &str) -> Option<i64> {
    let digits = text.trim().replace(',', "");
    let number: i64 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    (text.trim() == digits || text.trim() == count(number)).then_some(number)
}

/// `1 unit`, `7 units`.
pub(crate) fn counted(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Why a typed amount is none. Shown beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AmountError {
    #[error("Enter an amount, such as {0}.")]
    Empty(String),
    #[error("Not an amount: write it like {0}.")]
    NotANumber(String),
    #[error("{0} has no more than {1} decimal places.")]
    TooFine(Currency, u32),
    #[error("This amount is too large.")]
    TooLarge,
}

/// Reads an amount as typed: digits, and a point or comma before the decimals. No thousands separators: `1,200` could mean two things.
///
/// # Errors
/// See [`AmountError`].
pub(crate) fn parse_amount(text: &str, currency: Currency) -> Result<Money, AmountError> {
    let example = || editable(Money::new(7_900, currency));
    let text = text.trim();
    if text.is_empty() {
        return Err(AmountError::Empty(example()));
    }
    let (whole, decimals) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(decimals) || whole.is_empty() || text.ends_with(['.', ',']) {
        return Err(AmountError::NotANumber(example()));
    }
    let places = usize::try_from(currency.exponent()).unwrap_or(0);
    if decimals.len() > places {
        return Err(AmountError::TooFine(currency, currency.exponent()));
    }
    let minor = format!("{whole}{decimals:0<places$}");
    minor.parse().map(|minor| Money::new(minor, currency)).map_err(|_| AmountError::TooLarge)
}

/// A moment for a page: what people read (UTC, said so) and what machines read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Moment {
    /// `22 Nov 2026, 14:07 UTC`.
    pub(crate) text: String,
    /// `22 Nov 2026, 14:07`, under a head that says UTC.
    pub(crate) short: String,
    /// `22 Nov, 14:07`, where there is little room.
    pub(crate) brief: String,
    /// `14:07`.
    pub(crate) clock: String,
    /// `Sunday, 22 November 2026`.
    pub(crate) day: String,
    /// RFC 3339.
    pub(crate) iso: String,
}

/// Prepares a moment for a page.
pub(crate) fn moment(at: Timestamp) -> Moment {
    let form = |pattern: &str| at.format(pattern).to_string();
    Moment {
        text: form("%-d %b %Y, %H:%M UTC"),
        short: form("%-d %b %Y, %H:%M"),
        brief: form("%-d %b, %H:%M"),
        clock: form("%H:%M"),
        day: form("%A, %-d %B %Y"),
        iso: form("%Y-%m-%dT%H:%M:%SZ"),
    }
}

/// The first letters of the first and the last word of a name.
pub(crate) fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().next());
    let first = words.next();
    [first, words.next_back()].into_iter().flatten().flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn yen() -> Currency {
        "JPY".parse().unwrap()
    }

    #[test]
    fn money_reads_as_people_write_it() {
        assert_eq!(money(Money::new(114_240, Currency::EUR)), "€1,142.40");
        assert_eq!(money(Money::new(-500, Currency::EUR)), "−€5.00");
        assert_eq!(money(Money::new(1_234_567, yen())), "¥1,234,567");
        assert_eq!(money(Money::new(1_200, "CHF".parse().unwrap())), "CHF 12.00");
        assert_eq!(money(Money::new(5_001, "KWD".parse().unwrap())), "KWD 5.001");
        assert_eq!(amount(Money::new(-7, Currency::EUR)), "−0.07");
        drop(money(Money::new(i64::MIN, Currency::EUR)));
    }

    #[test]
    fn the_scale_of_a_drawing_has_cents_only_where_they_count() {
        assert_eq!(short_money(Money::new(200_000, Currency::EUR)), "€2,000");
        assert_eq!(short_money(Money::new(50, Currency::EUR)), "€0.50");
        assert_eq!(short_money(Money::new(1_234, yen())), "¥1,234");
        assert_eq!(short_money(Money::new(0, Currency::EUR)), "€0");
    }

    #[test]
    fn typed_counts_take_commas_between_thousands_and_nowhere_else() {
        assert_eq!(["0", "10000", "10,000", " 1,234,567 "].map(parse_count), [Some(0), Some(10_000), Some(10_000), Some(1_234_567)]);
        for wrong in ["", "1,5", "10,00", "1,0000", ",", "-5", "1.5", "1 000"] {
            assert_eq!(parse_count(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn typed_amounts_take_point_or_comma_and_nothing_doubtful() {
        let euro = |text| parse_amount(text, Currency::EUR).map(Money::amount_minor);
        assert_eq!(euro("79"), Ok(7_900));
        assert_eq!(euro(" 79,5 "), Ok(7_950));
        assert_eq!(euro("0.05"), Ok(5));
        for doubtful in ["79.OO", "1,200.00", "-5", "79.", ".5", "€79", "1e3", "١"] {
            assert!(matches!(euro(doubtful), Err(AmountError::NotANumber(_))), "{doubtful}");
        }
        assert_eq!(euro("1,200"), Err(AmountError::TooFine(Currency::EUR, 2)));
        assert_eq!(parse_amount("5.0", yen()), Err(AmountError::TooFine(yen(), 0)));
        assert_eq!(euro("99999999999999999999"), Err(AmountError::TooLarge));
        assert_eq!(euro("").unwrap_err().to_string(), "Enter an amount, such as 79.00.");
    }

    proptest! {
        #[test]
        fn what_is_shown_for_editing_reads_back_as_the_same_amount(minor in 0_i64..i64::MAX) {
            for currency in [Currency::EUR, yen(), "KWD".parse().unwrap()] {
                prop_assert_eq!(parse_amount(&editable(Money::new(minor, currency)), currency), Ok(Money::new(minor, currency)));
            }
        }
    }

    #[test]
    fn times_say_that_they_are_utc() {
        let at = Timestamp::from_timestamp(1_795_356_420, 0).unwrap();
        let moment = moment(at);
        assert_eq!(moment.text, "22 Nov 2026, 14:07 UTC");
        assert_eq!(moment.iso, "2026-11-22T14:07:00Z");
        assert_eq!(moment.day, "Sunday, 22 November 2026");
    }

    #[test]
    fn initials_come_from_the_first_and_the_last_word() {
        assert_eq!(initials("Ines Varga"), "IV");
        assert_eq!(initials("noor van elst"), "NE");
        assert_eq!(initials("Prince"), "P");
        assert_eq!(initials("  "), "");
    }
}
