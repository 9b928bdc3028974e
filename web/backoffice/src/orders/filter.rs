//! Which orders the list shows: what an address asks for, as the API takes it and as people read it.

use catalog_api::{ChannelAnswer, ChannelKind};
use orders_api::{OrderQuery, OrderSort, OrderState};
use payments_api::PaymentStatus;
use serde::Serialize;

use crate::chips::Chip;
use crate::fields::{Fields, address};

/// Where the list is.
pub(super) const PATH: &str = "/backoffice/orders";
/// What the channel's field holds for all test channels; the code of a channel has no such sign.
const ALL_TEST: &str = "*test";
/// The states an order can be listed by; drafts come with the service that makes them.
const STATES: [OrderState; 4] = [OrderState::Placed, OrderState::Pending, OrderState::Closed, OrderState::Canceled];

/// How the orders of a list stand in money. Some of the statuses belong together for those who look for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payment {
    /// Nothing is held: it waits for its payment, or was never paid.
    Nothing,
    /// Money is held and not, or not wholly, captured.
    Held,
    /// One status.
    Only(PaymentStatus),
}

impl Payment {
    const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Held,
        Self::Only(PaymentStatus::Authorized),
        Self::Only(PaymentStatus::PartiallyPaid),
        Self::Only(PaymentStatus::Paid),
        Self::Only(PaymentStatus::Voided),
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Held => "held",
            Self::Only(status) => status.as_str(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "Nothing held",
            Self::Held => "Held, to capture",
            Self::Only(status) => Chip::from(status).word,
        }
    }

    /// As the API takes it.
    fn statuses(self) -> String {
        match self {
            Self::Nothing => PaymentStatus::Pending.as_str().to_owned(),
            Self::Held => format!("{},{}", PaymentStatus::Authorized.as_str(), PaymentStatus::PartiallyPaid.as_str()),
            Self::Only(status) => status.as_str().to_owned(),
        }
    }
}

/// What an address asks for. What it does not know is left out rather than refused: the list is the way back from a mistake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    q: Option<String>,
    state: Option<OrderState>,
    payment: Option<Payment>,
    capture_failed: bool,
    /// A channel's code, or [`ALL_TEST`].
    channel: Option<String>,
    from: Option<String>,
    until: Option<String>,
    oldest_first: bool,
}

/// One choice of a field.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Choice {
    value: String,
    name: String,
    chosen: bool,
}

/// A part of the filter, and the address of the list without it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Part {
    label: &'static str,
    value: String,
    without: String,
}

impl Filter {
    pub(crate) fn of(parameters: &Fields) -> Self {
        let word = |name: &str| parameters.filled(name);
        Self {
            q: word("q"),
            state: word("state").and_then(|text| STATES.into_iter().find(|known| known.as_str() == text)),
            payment: word("payment").and_then(|text| Payment::ALL.into_iter().find(|known| known.word() == text)),
            capture_failed: word("capture").as_deref() == Some("failed"),
            channel: word("channel"),
            from: word("from").filter(|day| is_day(day)),
            until: word("until").filter(|day| is_day(day)),
            oldest_first: word("sort").as_deref() == Some("oldest"),
        }
    }

    /// As the API takes it.
    pub(super) fn query(&self, limit: u32, after: Option<String>) -> OrderQuery {
        let is_all_test = self.channel.as_deref() == Some(ALL_TEST);
        OrderQuery {
            q: self.q.clone(),
            state: self.state,
            payment_status: self.payment.map(Payment::statuses),
            capture_failed: self.capture_failed.then_some(true),
            channel: self.channel.clone().filter(|_| !is_all_test),
            kind: is_all_test.then_some(ChannelKind::Test),
            from: self.from.clone(),
            until: self.until.clone(),
            sort: self.oldest_first.then_some(OrderSort::Oldest),
            limit: Some(limit),
            after,
        }
    }

    /// The address of `path` with this filter.
    pub(super) fn address(&self, path: &str, after: Option<&str>) -> String {
        let parameters = [
            ("q", self.q.as_deref()),
            ("state", self.state.map(OrderState::as_str)),
            ("payment", self.payment.map(Payment::word)),
            ("capture", self.capture_failed.then_some("failed")),
            ("channel", self.channel.as_deref()),
            ("from", self.from.as_deref()),
            ("until", self.until.as_deref()),
            ("sort", self.oldest_first.then_some("oldest")),
            ("after", after),
        ];
        address(path, &parameters)
    }

    /// The filter as the query of an address, always in the same order.
    pub(super) fn text(&self) -> String {
        self.address("", None).trim_start_matches('?').to_owned()
    }

    pub(super) fn is_set(&self) -> bool {
        *self != Self::default()
    }

    pub(super) const fn is_oldest_first(&self) -> bool {
        self.oldest_first
    }

    pub(super) fn q(&self) -> &str {
        self.q.as_deref().unwrap_or_default()
    }

    pub(super) fn days(&self) -> (&str, &str) {
        (self.from.as_deref().unwrap_or_default(), self.until.as_deref().unwrap_or_default())
    }

    pub(super) const fn asks_for_failed_captures(&self) -> bool {
        self.capture_failed
    }

    /// The set parts but what is typed into the search, in words.
    pub(super) fn parts(&self, channels: &[ChannelAnswer]) -> Vec<Part> {
        let part = |label, value: String, rest: Self| Part { label, value, without: rest.address(PATH, None) };
        let state = self.state.map(|state| part("State is", Chip::from(state).word.to_owned(), Self { state: None, ..self.clone() }));
        let payment = self.payment.map(|payment| part("Payment is", payment.name().to_owned(), Self { payment: None, ..self.clone() }));
        let capture = self.capture_failed.then(|| part("Capture", "failed".to_owned(), Self { capture_failed: false, ..self.clone() }));
        let channel = self.channel.as_deref().map(|code| part("Channel is", channel_name(code, channels), Self { channel: None, ..self.clone() }));
        let from = self.from.clone().map(|day| part("Made from", day, Self { from: None, ..self.clone() }));
        let until = self.until.clone().map(|day| part("Made until", day, Self { until: None, ..self.clone() }));
        let sort = self.oldest_first.then(|| part("Sorted by", "oldest first".to_owned(), Self { oldest_first: false, ..self.clone() }));
        [state, payment, capture, channel, from, until, sort].into_iter().flatten().collect()
    }

    pub(super) fn states(&self) -> Vec<Choice> {
        let choice =
            |state: OrderState| Choice { value: state.as_str().to_owned(), name: Chip::from(state).word.to_owned(), chosen: self.state == Some(state) };
        STATES.into_iter().map(choice).collect()
    }

    pub(super) fn payments(&self) -> Vec<Choice> {
        let choice = |payment: Payment| Choice { value: payment.word().to_owned(), name: payment.name().to_owned(), chosen: self.payment == Some(payment) };
        Payment::ALL.into_iter().map(choice).collect()
    }

    pub(super) fn channels(&self, channels: &[ChannelAnswer]) -> Vec<Choice> {
        let chosen = |value: &str| self.channel.as_deref() == Some(value);
        let choice = |value: &str, name: String| Choice { value: value.to_owned(), name, chosen: chosen(value) };
        let known = channels.iter().map(|channel| choice(&channel.code, channel_name(&channel.code, channels)));
        std::iter::once(choice(ALL_TEST, "Test channels".to_owned())).chain(known).collect()
    }
}

fn channel_name(code: &str, channels: &[ChannelAnswer]) -> String {
    if code == ALL_TEST {
        return "Test channels".to_owned();
    }
    let found = channels.iter().find(|channel| channel.code == code);
    let kind = |channel: &ChannelAnswer| if channel.kind == ChannelKind::Test { ", test" } else { "" };
    found.map_or_else(|| code.to_owned(), |channel| format!("{} ({}{})", channel.name, channel.code, kind(channel)))
}

/// Whether a text looks like `2026-11-23`; whether there is such a day is the API's to say.
fn is_day(text: &str) -> bool {
    let is_digit_or_dash = |(place, byte): (usize, u8)| if matches!(place, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10 && text.bytes().enumerate().all(is_digit_or_dash)
}

/// The views everybody has, with the name of each.
pub(super) fn views() -> [(View, Filter); 7] {
    let placed = Filter { state: Some(OrderState::Placed), ..Filter::default() };
    [
        (View::All, Filter::default()),
        (View::ToCapture, Filter { payment: Some(Payment::Held), ..placed.clone() }),
        (View::FailedCaptures, Filter { capture_failed: true, ..Filter::default() }),
        (View::Pending, Filter { state: Some(OrderState::Pending), ..Filter::default() }),
        (View::Placed, placed),
        (View::Canceled, Filter { state: Some(OrderState::Canceled), ..Filter::default() }),
        (View::Test, Filter { channel: Some(ALL_TEST.to_owned()), ..Filter::default() }),
    ]
}

/// A view that everybody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    All,
    ToCapture,
    FailedCaptures,
    Pending,
    Placed,
    Canceled,
    Test,
}

impl View {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::ToCapture => "To capture",
            Self::FailedCaptures => "Failed captures",
            Self::Pending => "Pending",
            Self::Placed => "Placed",
            Self::Canceled => "Canceled",
            Self::Test => "Test channels",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Filter {
        Filter::of(&Fields::parse(text.as_bytes()))
    }

    #[test]
    fn a_filter_survives_its_address_and_what_it_does_not_know_is_left_out() {
        let text = "q=ada%40&state=placed&payment=held&capture=failed&channel=*test&from=2026-11-01&until=2026-11-30&sort=oldest";
        assert_eq!(read(text).text(), text);
        assert_eq!(read("state=draft&payment=all&capture=no&from=today&until=2026-1-01&sort=up"), Filter::default());
        for (_, filter) in views() {
            assert_eq!(read(&filter.text()), filter);
        }
    }

    #[test]
    fn all_test_channels_are_a_kind_and_one_of_them_a_code() {
        let query = read("channel=*test").query(50, None);
        assert_eq!((query.channel, query.kind), (None, Some(ChannelKind::Test)));
        let query = read("channel=smoke").query(50, None);
        assert_eq!((query.channel.as_deref(), query.kind), (Some("smoke"), None));
        assert_eq!(read("payment=held").query(1, None).payment_status.as_deref(), Some("authorized,partially_paid"));
    }
}
