//! The rules of a completion, without input or output.

use std::time::Duration;

use cart_api::{CartAnswer, CartState, Notice};
use catalog_api::ChannelKind;
use checkout_api::CompleteCart;
use chrono::TimeDelta;
use db::Tx;
use kernel::{Country, Problem};
use payments_api::AttemptState;

/// How long a hold lasts while nobody has heard from the provider.
pub(crate) const HOLD_LIFE: TimeDelta = TimeDelta::minutes(15);
/// How long the request that began a completion may hold its idempotency key before another may finish the work.
pub(crate) const KEY_LEASE: Duration = Duration::from_secs(30);
/// How long a request waits for a completion that another one drives.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long settled completions are kept, for those who look into an incident.
pub(crate) const KEPT: TimeDelta = TimeDelta::days(90);

/// Where a completion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionState {
    /// The intent is written; the provider has not been heard.
    Started,
    /// The shopper or the provider has to act.
    Waiting,
    /// It is a sale.
    Placed,
    /// It came to nothing; the cart is open again.
    Failed,
}

impl CompletionState {
    pub(crate) const ALL: [Self; 4] = [Self::Started, Self::Waiting, Self::Placed, Self::Failed];

    /// The word used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Waiting => "waiting",
            Self::Placed => "placed",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether anything can still come of it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Started | Self::Waiting)
    }
}

/// What an attempt's state asks of the order, the hold and the cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// Nothing is known yet.
    Nothing,
    /// Keep the stock for as long as it takes.
    Wait,
    /// Make it a sale.
    Place,
    /// Let everything go and open the cart again.
    Release,
}

/// What has to happen to an open completion whose attempt stands there.
pub(crate) const fn settlement(attempt: AttemptState) -> Settlement {
    match attempt {
        AttemptState::Created => Settlement::Nothing,
        AttemptState::RequiresAction | AttemptState::Processing => Settlement::Wait,
        AttemptState::Authorized => Settlement::Place,
        AttemptState::Failed | AttemptState::Canceled | AttemptState::Expired => Settlement::Release,
    }
}

/// Refuses a completion that is not what the shopper agreed to, or cannot be delivered.
///
/// # Errors
/// `cart_empty`, `nothing_to_pay`, `cart_changed` (the context holds the cart as it is now), `invalid_body`.
pub(crate) fn check(cart: &CartAnswer, body: &CompleteCart, delivers_to: &[Country]) -> Result<(), Problem> {
    if !delivers_to.contains(&body.shipping_address.country) {
        let codes: Vec<&str> = delivers_to.iter().map(Country::code).collect();
        let detail = format!("is not delivered to; one of {}", codes.join(", "));
        return Err(Problem::invalid_body().field("/shipping_address/country", "not_delivered", detail));
    }
    if body.return_url.as_deref().is_some_and(|url| !is_path_here(url)) {
        return Err(Problem::invalid_body().field("/return_url", "invalid", "must be a path on this shop, such as /checkout/return"));
    }
    if cart.lines.is_empty() {
        return Err(Problem::new(409, "cart_empty", "The cart is empty"));
    }
    let unavailable = cart.lines.iter().any(|line| line.notices.contains(&Notice::Unavailable));
    if unavailable || cart.totals.total != body.expected_total {
        let detail = if unavailable { "Something in it is no longer sold." } else { "The total is not the one that was agreed to." };
        return Err(Problem::new(409, "cart_changed", "The cart has changed").detail(detail).context(serde_json::json!({ "cart": cart })));
    }
    if cart.totals.total.amount_minor() == 0 {
        return Err(Problem::new(409, "nothing_to_pay", "There is nothing to pay").detail("An order that costs nothing cannot be placed."));
    }
    Ok(())
}

/// Whether an address is a path on the shop itself, so that nobody is sent elsewhere.
fn is_path_here(url: &str) -> bool {
    url.starts_with('/') && !url.starts_with("//") && !url.chars().any(|letter| letter == '\\' || letter.is_control() || letter.is_whitespace())
}

/// Refuses a cart that is not, or no longer, to be bought.
pub(crate) fn closed(state: CartState) -> Problem {
    match state {
        CartState::Completed => Problem::new(409, "cart_completed", "This cart has become an order"),
        state => Problem::new(409, "cart_closed", "This cart is closed").context(serde_json::json!({ "state": state })),
    }
}

/// Why nothing was sold, in words for the shopper.
pub(crate) fn failure(code: &str) -> Problem {
    let (status, kind, title, detail) = match code {
        "insufficient_stock" => {
            (409, "insufficient_stock", "Not enough in stock", "The last one was sold while the payment was confirmed. Nothing was charged.")
        }
        "payment_canceled" => (402, "payment_canceled", "The payment was canceled", "Nothing was charged. The cart is as it was."),
        "payment_expired" => (402, "payment_expired", "The payment was not confirmed in time", "Nothing was charged. The cart is as it was."),
        _ => (402, "payment_declined", "The payment was declined", "Nothing was charged. Try another card or another way to pay."),
    };
    Problem::new(status, kind, title).detail(detail).context(serde_json::json!({ "failure_code": code }))
}

/// The stable code of an attempt that came to nothing.
pub(crate) fn failure_code(state: AttemptState, provider_code: Option<String>) -> String {
    match state {
        AttemptState::Canceled => "payment_canceled".to_owned(),
        AttemptState::Expired => "payment_expired".to_owned(),
        _ => provider_code.unwrap_or_else(|| "declined".to_owned()),
    }
}

/// Counts what became of a completion, once that is committed.
pub(crate) fn count(tx: &mut Tx, outcome: &'static str, kind: ChannelKind) {
    tx.after_commit(move || metrics::counter!("checkout_completions_total", "outcome" => outcome, "channel_kind" => kind.as_str()).increment(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_on_the_shop_lead_back() {
        for url in ["/checkout/return", "/checkout/return?cart=1"] {
            assert!(is_path_here(url), "{url}");
        }
        for url in ["https://elsewhere.example/", "//elsewhere.example", "checkout", "/\\elsewhere.example", "/a b", "javascript:alert(1)"] {
            assert!(!is_path_here(url), "{url}");
        }
    }

    #[test]
    fn states_survive_the_round_trip_through_their_words() {
        for state in CompletionState::ALL {
            assert_eq!(CompletionState::of(state.as_str()), Some(state));
        }
        assert_eq!(CompletionState::of("lost"), None);
    }
}
