//! The sandbox's test cards: sixteen digits that begin with 0000, where no real card begins, and what each makes happen.

use kernel::Problem;
use payments_api::{PaymentChoice, TestCard};

/// How the sandbox answers the first request for a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// The money is held at once.
    Authorized,
    /// No, with this code.
    Declined(&'static str),
    /// The shopper has to confirm on a page first.
    SecondStep,
    /// It works on it, and then the money is held.
    LaterAuthorized,
    /// It works on it, and then says no with this code.
    LaterDeclined(&'static str),
    /// The request is lost on the way.
    Lost,
}

/// How the sandbox answers the first request for a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaptureManner {
    /// It does it and says so.
    Prompt,
    /// It does it and the answer is lost.
    Silent,
    /// It says no.
    Refused,
}

/// A test card.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Card {
    /// The number.
    pub(crate) number: &'static str,
    /// The name under which the number is kept; the number itself is not.
    pub(crate) instrument: &'static str,
    /// What it does, for people.
    behaviour: &'static str,
    /// How a payment begins.
    pub(crate) opening: Opening,
    /// Whether the first request is answered at all.
    pub(crate) answers: bool,
    /// How many times the same news is sent a little later.
    pub(crate) news: usize,
    /// How a capture goes.
    pub(crate) capture: CaptureManner,
}

const fn card(number: &'static str, instrument: &'static str, behaviour: &'static str, opening: Opening) -> Card {
    Card { number, instrument, behaviour, opening, answers: true, news: 0, capture: CaptureManner::Prompt }
}

/// Every card the sandbox knows.
pub(crate) static CARDS: [Card; 12] = [
    card("0000000000001000", "approved", "Approved at once", Opening::Authorized),
    card("0000000000002001", "card_declined", "Declined: the bank says no", Opening::Declined("card_declined")),
    card("0000000000002002", "insufficient_funds", "Declined: not enough money", Opening::Declined("insufficient_funds")),
    card("0000000000002003", "expired_card", "Declined: the card has expired", Opening::Declined("expired_card")),
    card("0000000000003000", "second_step", "Asks for a second step: approve or decline on a page", Opening::SecondStep),
    Card { answers: false, ..card("0000000000004000", "times_out", "Answers nothing in time, and approves a little later", Opening::LaterAuthorized) },
    Card { answers: false, ..card("0000000000004001", "is_lost", "The request never arrives", Opening::Lost) },
    Card { news: 1, ..card("0000000000005000", "answers_late", "Approves after about two seconds", Opening::LaterAuthorized) },
    Card { news: 1, ..card("0000000000005001", "declines_late", "Declines after about two seconds", Opening::LaterDeclined("card_declined")) },
    Card { news: 2, ..card("0000000000006000", "answers_twice", "Approves at once, and says so twice again later", Opening::Authorized) },
    Card {
        capture: CaptureManner::Silent,
        ..card("0000000000007000", "capture_times_out", "Approves; captures are done, but not answered", Opening::Authorized)
    },
    Card { capture: CaptureManner::Refused, ..card("0000000000008000", "capture_refused", "Approves; captures are refused", Opening::Authorized) },
];

/// The cards as payment methods show them.
pub(crate) fn test_cards() -> Vec<TestCard> {
    CARDS.iter().map(|card| TestCard { number: card.number.to_owned(), behaviour: card.behaviour.to_owned() }).collect()
}

/// The card a shopper chose, spaces ignored. The refusal does not repeat what was typed: it may be a real number.
///
/// # Errors
/// 422 `invalid_body` at `/payment/test_card`: absent, or no test card.
pub(crate) fn card_of(choice: &PaymentChoice) -> Result<&'static Card, Problem> {
    let Some(typed) = &choice.test_card else {
        return Err(Problem::invalid_body().field("/payment/test_card", "required", "must be one of the test cards of the payment methods"));
    };
    let is_typed = |card: &&Card| typed.bytes().filter(|byte| *byte != b' ').eq(card.number.bytes());
    CARDS.iter().find(is_typed).ok_or_else(|| {
        Problem::invalid_body().field(
            "/payment/test_card",
            "unknown_test_card",
            "must be one of the test cards of the payment methods; never enter a real card",
        )
    })
}

/// The card of a kept name.
pub(crate) fn card_named(instrument: &str) -> Option<&'static Card> {
    CARDS.iter().find(|card| card.instrument == instrument)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::sandbox::CODE;

    fn choice(number: &str) -> PaymentChoice {
        PaymentChoice { provider: CODE.to_owned(), test_card: Some(number.to_owned()) }
    }

    #[test]
    fn every_card_is_obviously_fake_and_found_by_number_and_by_name() {
        for card in &CARDS {
            assert!(card.number.len() == 16 && card.number.starts_with("0000"), "{}", card.number);
            assert_eq!(card_of(&choice(card.number)).unwrap().instrument, card.instrument);
            assert_eq!(card_named(card.instrument).unwrap().number, card.number);
        }
    }

    #[test]
    fn spaces_between_the_digits_do_not_matter() {
        assert_eq!(card_of(&choice("0000 0000 0000 1000")).unwrap().instrument, "approved");
    }

    #[test]
    fn a_refusal_never_repeats_the_number() {
        let number = "4929000000006";
        let refusal = serde_json::to_string(&card_of(&choice(number)).unwrap_err()).unwrap();
        assert!(!refusal.contains(number));
        assert!(!format!("{:?}", choice(number)).contains(number));
    }
}
