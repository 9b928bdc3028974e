//! The sandbox: another company's payment server in small, for trials and demo shops.
//!
//! It keeps books of its own (`payments.sandbox_*`), writes them in transactions of its own, honours idempotency keys, and can be slow,
//! silent, late and repetitive. The rest of payments knows it as a [`Provider`] only.

mod cards;
mod page;
mod server;
mod words;

use catalog_api::ChannelKind;
use kernel::Problem;
use payments_api::{PaymentChoice, PaymentMethod};
use service::Context;

pub(crate) use cards::card_of;
pub(crate) use page::routes;
pub(crate) use server::{NEWS_JOB, News, read_news};

use crate::provider::{CaptureRequest, Outcome, PaymentRequest, Provider, Reply, SettlementOutcome, VoidRequest};

/// The provider's code.
pub(crate) const CODE: &str = "sandbox";

/// The sandbox as a provider. Each call is done to its end by the other side, whoever hangs up.
#[derive(Clone)]
pub(crate) struct Sandbox {
    context: Context,
}

impl Sandbox {
    /// The sandbox beside this process's database.
    pub(crate) const fn new(context: Context) -> Self {
        Self { context }
    }
}

impl Provider for Sandbox {
    fn code(&self) -> &'static str {
        CODE
    }

    fn method(&self) -> PaymentMethod {
        PaymentMethod {
            provider: CODE.to_owned(),
            name: "Test card".to_owned(),
            description: "For trials only: choose a test card. No money moves, and real cards are refused.".to_owned(),
            test_cards: cards::test_cards(),
        }
    }

    fn serves(&self, kind: ChannelKind) -> bool {
        kind == ChannelKind::Test || self.context.demo()
    }

    fn is_immediate(&self) -> bool {
        false
    }

    fn check(&self, choice: &PaymentChoice) -> Result<(), Problem> {
        card_of(choice).map(drop)
    }

    fn authorize(&self, request: PaymentRequest) -> Reply<Outcome> {
        let context = self.context.clone();
        Box::pin(async move {
            let work = server::open_payment(context.clone(), request);
            let (outcome, is_answered) = context.detached("sandbox authorize", work).await?;
            answer(outcome, is_answered).await
        })
    }

    fn look_up(&self, payment_key: String) -> Reply<Outcome> {
        let context = self.context.clone();
        Box::pin(async move { Ok(context.detached("sandbox look up", server::look_up(context.clone(), payment_key)).await?) })
    }

    fn cancel(&self, payment_key: String) -> Reply<Outcome> {
        let context = self.context.clone();
        Box::pin(async move { Ok(context.detached("sandbox cancel", server::cancel(context.clone(), payment_key)).await?) })
    }

    fn capture(&self, request: CaptureRequest) -> Reply<SettlementOutcome> {
        let context = self.context.clone();
        Box::pin(async move {
            let (outcome, is_answered) = context.detached("sandbox capture", server::capture(context.clone(), request)).await?;
            answer(outcome, is_answered).await
        })
    }

    fn look_up_capture(&self, key: String) -> Reply<SettlementOutcome> {
        self.look_up_operation(key)
    }

    fn void(&self, request: VoidRequest) -> Reply<SettlementOutcome> {
        let context = self.context.clone();
        Box::pin(async move { Ok(context.detached("sandbox void", server::void(context.clone(), request)).await?) })
    }

    fn look_up_void(&self, key: String) -> Reply<SettlementOutcome> {
        self.look_up_operation(key)
    }
}

impl Sandbox {
    fn look_up_operation(&self, key: String) -> Reply<SettlementOutcome> {
        let context = self.context.clone();
        Box::pin(async move { Ok(context.detached("sandbox look up", server::look_up_operation(context.clone(), key)).await?) })
    }
}

/// Answers, or keeps the line open without a word: the caller's patience ends it.
async fn answer<T>(answer: T, is_answered: bool) -> Result<T, crate::provider::ProviderError> {
    if is_answered { Ok(answer) } else { std::future::pending().await }
}
