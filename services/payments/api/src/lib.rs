//! The contract of payments: attempts, captures, and what is derived from them.

use std::fmt;

use garde::Validate;
use kernel::{Endpoint, Event, Method, Money, Timestamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

kernel::id_kind!(/// One try to pay an order.
    pub Attempt => AttemptId, "att");
kernel::id_kind!(/// Money taken from an authorized attempt.
    pub Capture => CaptureId, "cap");
kernel::id_kind!(/// An authorized attempt let go.
    pub Void => VoidId, "vod");

/// The payment endpoints.
pub mod endpoints {
    use super::{Endpoint, Method, PaymentMethods};

    /// How one can pay in this channel.
    pub const LIST_PAYMENT_METHODS: Endpoint<(), PaymentMethods> = Endpoint::new(Method::Get, "/store/v1/payment-methods");
}

/// How one can pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentMethods {
    /// The methods, the preferred one first.
    pub items: Vec<PaymentMethod>,
}

/// One way to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentMethod {
    /// The provider's code, to send back in `payment.provider`.
    #[schema(example = "manual")]
    pub provider: String,
    /// Its name, as shoppers see it.
    #[schema(example = "Bank transfer")]
    pub name: String,
    /// What happens when one chooses it, in a sentence.
    pub description: String,
    /// The test cards of the sandbox; empty for real providers.
    pub test_cards: Vec<TestCard>,
}

/// A card number that only the sandbox knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TestCard {
    /// The number, without spaces.
    pub number: String,
    /// What it does.
    pub behaviour: String,
}

/// How the shopper wants to pay.
///
/// Its debug form hides the number: people type their real card into any field that asks for one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PaymentChoice {
    /// The provider's code, one of the channel's payment methods.
    #[garde(length(min = 1, max = 40))]
    pub provider: String,
    /// For the sandbox only: one of its test card numbers. Any other number is refused and not kept.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "card_text")]
    #[garde(inner(length(max = 40)))]
    pub test_card: Option<String>,
}

/// Reads the number as text. A refusal of serde's own would repeat what was sent, and that may be a real number.
fn card_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Sent {
        Text(String),
        Nothing(()),
        Other(IgnoredAny),
    }
    match Sent::deserialize(deserializer)? {
        Sent::Text(text) => Ok(Some(text)),
        Sent::Nothing(()) => Ok(None),
        Sent::Other(_) => Err(serde::de::Error::custom("must be text, such as one of the test cards")),
    }
}

impl fmt::Debug for PaymentChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentChoice").field("provider", &self.provider).field("test_card", &self.test_card.as_ref().map(|_| "…")).finish()
    }
}

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Written down; the provider may or may not know of it yet.
    Created,
    /// The shopper has to do something, such as confirm with the bank.
    RequiresAction,
    /// The provider is working on it or has not answered.
    Processing,
    /// The money is held for us.
    Authorized,
    /// The provider said no.
    Failed,
    /// Taken back before it was authorized.
    Canceled,
    /// Nobody finished it in time.
    Expired,
}

impl AttemptState {
    /// Every state, in the order of a usual life.
    pub const ALL: [Self; 7] = [Self::Created, Self::RequiresAction, Self::Processing, Self::Authorized, Self::Failed, Self::Canceled, Self::Expired];

    /// Whether the attempt has ended: nothing leads out of this state.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Authorized | Self::Failed | Self::Canceled | Self::Expired)
    }

    /// The word used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Authorized => "authorized",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }
}

/// Where a capture stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptureState {
    /// Written down; the provider may or may not know of it yet.
    Requested,
    /// The money is ours.
    Succeeded,
    /// The provider said no.
    Failed,
    /// The provider did not answer; it settles by itself when it does.
    Unknown,
}

impl CaptureState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Requested, Self::Succeeded, Self::Failed, Self::Unknown];

    /// The word used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// Where a void stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoidState {
    /// Written down; the provider may or may not know of it yet.
    Requested,
    /// The money is no longer held.
    Succeeded,
    /// The provider said no.
    Failed,
    /// The provider did not answer; it settles by itself when it does.
    Unknown,
}

impl VoidState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Requested, Self::Succeeded, Self::Failed, Self::Unknown];

    /// The word used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// How an order stands in money; derived from its attempts and captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// No money is held.
    Pending,
    /// The whole amount is held.
    Authorized,
    /// Some of it is captured.
    PartiallyPaid,
    /// All of it is captured.
    Paid,
    /// Some of what was captured went back.
    PartiallyRefunded,
    /// All of what was captured went back.
    Refunded,
    /// What was held is let go.
    Voided,
}

impl PaymentStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [Self::Pending, Self::Authorized, Self::PartiallyPaid, Self::Paid, Self::PartiallyRefunded, Self::Refunded, Self::Voided];

    /// The word used in tables and addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorized => "authorized",
            Self::PartiallyPaid => "partially_paid",
            Self::Paid => "paid",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Voided => "voided",
        }
    }
}

/// An attempt as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptAnswer {
    /// The attempt's id.
    pub id: AttemptId,
    /// Who processes it.
    pub provider: String,
    /// Where it stands.
    pub state: AttemptState,
    /// How much.
    pub amount: Money,
    /// The provider's name for it, once known.
    pub provider_reference: Option<String>,
    /// Why it failed, as a stable code.
    pub failure_code: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// What was taken from it, oldest first.
    pub captures: Vec<CaptureAnswer>,
    /// Whether and how far it was let go; the newest try.
    #[serde(default)]
    pub void: Option<VoidAnswer>,
}

/// A capture as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaptureAnswer {
    /// The capture's id.
    pub id: CaptureId,
    /// Where it stands.
    pub state: CaptureState,
    /// How much.
    pub amount: Money,
    /// Why the provider said no, as a stable code.
    #[serde(default)]
    pub failure_code: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A void as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VoidAnswer {
    /// The void's id.
    pub id: VoidId,
    /// Where it stands.
    pub state: VoidState,
    /// Why the provider said no, as a stable code.
    pub failure_code: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// How an order stands in money, with the figures it is derived from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentSummary {
    /// The derived status.
    pub status: PaymentStatus,
    /// How much is held or captured.
    pub authorized: Money,
    /// How much is captured.
    pub captured: Money,
    /// Every attempt, oldest first.
    pub attempts: Vec<AttemptAnswer>,
}

/// What the shopper has to do to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NextAction {
    /// Go to this address; it leads back to `return_url`.
    Redirect {
        /// Where to.
        url: String,
    },
}

/// An attempt reached an end or moved without the shopper's request: a provider's late answer or the reconciler.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AttemptChanged {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// The order it pays.
    pub order_id: Uuid,
    /// Where it stands now.
    pub state: AttemptState,
}

impl Event for AttemptChanged {
    const NAME: &'static str = "payments.AttemptChanged";
    const VERSION: i32 = 1;
}

/// Money was captured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentCaptured {
    /// The capture.
    pub capture_id: CaptureId,
    /// The attempt it was taken from.
    pub attempt_id: AttemptId,
    /// The order it pays.
    pub order_id: Uuid,
    /// How much.
    pub amount: Money,
}

impl Event for PaymentCaptured {
    const NAME: &'static str = "payments.PaymentCaptured";
    const VERSION: i32 = 1;
}

/// The provider refused to give out money that is held: it is still held, and somebody has to look.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CaptureFailed {
    /// The capture.
    pub capture_id: CaptureId,
    /// The attempt it was to be taken from.
    pub attempt_id: AttemptId,
    /// The order it was to pay.
    pub order_id: Uuid,
    /// How much was asked for.
    pub amount: Money,
    /// Why the provider said no, as a stable code.
    pub code: String,
}

impl Event for CaptureFailed {
    const NAME: &'static str = "payments.CaptureFailed";
    const VERSION: i32 = 1;
}

/// Money that was held was let go.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentVoided {
    /// The void.
    pub void_id: VoidId,
    /// The attempt that held the money.
    pub attempt_id: AttemptId,
    /// The order it was meant for.
    pub order_id: Uuid,
}

impl Event for PaymentVoided {
    const NAME: &'static str = "payments.PaymentVoided";
    const VERSION: i32 = 1;
}
