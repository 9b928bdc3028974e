//! Bank transfer: the shop trusts the order, and staff capture it when the money has arrived.

use catalog_api::ChannelKind;
use kernel::Problem;
use payments_api::{PaymentChoice, PaymentMethod};

use super::{CaptureRequest, Outcome, PaymentRequest, Provider, Reply, SettlementOutcome, VoidRequest};

/// The provider's code.
pub(crate) const CODE: &str = "manual";

/// The provider without an outside: what we write down is what is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manual;

/// Refuses a card number: nothing here could charge one, and none may be kept.
pub(crate) fn check(choice: &PaymentChoice) -> Result<(), Problem> {
    match choice.test_card {
        None => Ok(()),
        Some(_) => Err(Problem::invalid_body().field("/payment/test_card", "not_accepted", "a bank transfer takes no card; leave this out")),
    }
}

impl Provider for Manual {
    fn code(&self) -> &'static str {
        CODE
    }

    fn method(&self) -> PaymentMethod {
        PaymentMethod {
            provider: CODE.to_owned(),
            name: "Bank transfer".to_owned(),
            description: "Transfer the total after ordering. We send the goods when the money has arrived.".to_owned(),
            test_cards: Vec::new(),
        }
    }

    fn serves(&self, _: ChannelKind) -> bool {
        true
    }

    fn is_immediate(&self) -> bool {
        true
    }

    fn check(&self, choice: &PaymentChoice) -> Result<(), Problem> {
        check(choice)
    }

    fn authorize(&self, request: PaymentRequest) -> Reply<Outcome> {
        ready(Outcome::Authorized { reference: request.key, amount: request.amount })
    }

    fn look_up(&self, _: String) -> Reply<Outcome> {
        // An attempt that is not authorized was never recorded as such, and there is nobody else to ask.
        ready(Outcome::Unheard)
    }

    fn cancel(&self, _: String) -> Reply<Outcome> {
        ready(Outcome::Canceled)
    }

    fn capture(&self, _: CaptureRequest) -> Reply<SettlementOutcome> {
        ready(SettlementOutcome::Succeeded)
    }

    fn look_up_capture(&self, _: String) -> Reply<SettlementOutcome> {
        ready(SettlementOutcome::Unheard)
    }

    fn void(&self, _: VoidRequest) -> Reply<SettlementOutcome> {
        ready(SettlementOutcome::Succeeded)
    }

    fn look_up_void(&self, _: String) -> Reply<SettlementOutcome> {
        ready(SettlementOutcome::Unheard)
    }
}

fn ready<T: Send + 'static>(answer: T) -> Reply<T> {
    Box::pin(std::future::ready(Ok(answer)))
}
