//! What a payment provider is to us, and what it can tell.

pub(crate) mod manual;

use catalog_api::ChannelKind;
use kernel::{Money, Problem};
use payments_api::{NextAction, PaymentChoice, PaymentMethod};
use service::{BoxFuture, Failure};

use crate::sandbox;

/// What a provider says of a payment, or that it said nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The money is held for us.
    Authorized {
        /// The provider's name for the payment.
        reference: String,
        /// What is held; another amount than the attempt's is refused.
        amount: Money,
    },
    /// The shopper has to do something first.
    RequiresAction {
        /// The provider's name for the payment.
        reference: String,
        /// What.
        next_action: NextAction,
    },
    /// The provider is working on it and will say more later.
    Processing {
        /// The provider's name for the payment.
        reference: String,
    },
    /// The provider said no.
    Declined {
        /// The provider's name for the payment.
        reference: String,
        /// Why, as a stable code.
        code: String,
    },
    /// It is taken back, and a later authorization under the same key is refused.
    Canceled,
    /// The provider knows no such payment.
    Unheard,
    /// No answer in time: it may or may not have happened.
    Unknown,
}

impl Outcome {
    /// The word for logs and the inbox.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Authorized { .. } => "authorized",
            Self::RequiresAction { .. } => "requires_action",
            Self::Processing { .. } => "processing",
            Self::Declined { .. } => "declined",
            Self::Canceled => "canceled",
            Self::Unheard => "unheard",
            Self::Unknown => "unknown",
        }
    }
}

/// What a provider says of a capture or a void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SettlementOutcome {
    /// It is done.
    Succeeded,
    /// The provider said no.
    Failed {
        /// Why, as a stable code.
        code: String,
    },
    /// The provider knows no such request: asking again is safe.
    Unheard,
    /// No answer in time.
    Unknown,
}

/// A call that brought no answer one could act on: the provider is away, or its answer made no sense.
#[derive(Debug, thiserror::Error)]
#[error("the provider did not answer")]
pub(crate) struct ProviderError(#[source] anyhow::Error);

impl From<Failure> for ProviderError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Problem(problem) => Self(anyhow::Error::new(*problem)),
            Failure::Internal(error) => Self(error),
        }
    }
}

/// A payment to be authorized.
#[derive(Debug, Clone)]
pub(crate) struct PaymentRequest {
    /// The idempotency key, from the attempt's id.
    pub(crate) key: String,
    /// How much.
    pub(crate) amount: Money,
    /// What to charge, as the provider names it.
    pub(crate) instrument: Option<String>,
    /// Where a second step leads back to.
    pub(crate) return_url: Option<String>,
}

/// Money to be taken from an authorized payment.
#[derive(Debug, Clone)]
pub(crate) struct CaptureRequest {
    /// The idempotency key, from the capture's id.
    pub(crate) key: String,
    /// The key of the payment.
    pub(crate) payment_key: String,
    /// How much.
    pub(crate) amount: Money,
}

/// An authorized payment to be let go.
#[derive(Debug, Clone)]
pub(crate) struct VoidRequest {
    /// The idempotency key, from the void's id.
    pub(crate) key: String,
    /// The key of the payment.
    pub(crate) payment_key: String,
}

/// An answer that is waited for.
pub(crate) type Reply<T> = BoxFuture<'static, Result<T, ProviderError>>;

/// A payment provider. Every call may be repeated: the key makes the repeat harmless. Callers bound the time.
pub(crate) trait Provider: Send + Sync + 'static {
    /// The code shoppers' choices and tables name it by.
    fn code(&self) -> &'static str;
    /// How it is offered to shoppers.
    fn method(&self) -> PaymentMethod;
    /// Whether it may take payments in channels of this kind.
    fn serves(&self, kind: ChannelKind) -> bool;
    /// Whether it needs no outside call, so that an attempt can be authorized inside the caller's transaction.
    fn is_immediate(&self) -> bool;
    /// Refuses a choice it cannot charge.
    fn check(&self, choice: &PaymentChoice) -> Result<(), Problem>;

    /// Asks it to hold the money.
    fn authorize(&self, request: PaymentRequest) -> Reply<Outcome>;
    /// Asks how a payment stands; never creates one.
    fn look_up(&self, payment_key: String) -> Reply<Outcome>;
    /// Takes a payment back that is not authorized yet, also one that was never heard of.
    fn cancel(&self, payment_key: String) -> Reply<Outcome>;
    /// Takes held money.
    fn capture(&self, request: CaptureRequest) -> Reply<SettlementOutcome>;
    /// Asks how a capture stands.
    fn look_up_capture(&self, key: String) -> Reply<SettlementOutcome>;
    /// Lets held money go.
    fn void(&self, request: VoidRequest) -> Reply<SettlementOutcome>;
    /// Asks how a void stands.
    fn look_up_void(&self, key: String) -> Reply<SettlementOutcome>;
}

/// What a choice charges, as its provider names it. A card number ends here: only the name of a known test card goes on.
///
/// # Errors
/// 422 `invalid_body` with a pointer: no such provider, or nothing it could charge.
pub(crate) fn instrument_of(choice: &PaymentChoice) -> Result<Option<String>, Problem> {
    match choice.provider.as_str() {
        manual::CODE => manual::check(choice).map(|()| None),
        sandbox::CODE => sandbox::card_of(choice).map(|card| Some(card.instrument.to_owned())),
        _ => Err(unknown_provider()),
    }
}

/// 422: the provider is not one to choose here.
pub(crate) fn unknown_provider() -> Problem {
    Problem::invalid_body().field("/payment/provider", "unknown_provider", "must be one of the channel's payment methods")
}
