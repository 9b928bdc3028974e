//! The providers, and how they are called: outside any transaction, within bounded time, by a key that makes a repeat harmless.

use std::sync::Arc;
use std::time::Duration;

use catalog_api::ChannelKind;
use db::Actor;
use kernel::Problem;
use payments_api::{CaptureId, CaptureState, PaymentChoice, PaymentMethod, VoidId, VoidState};
use service::{Context, Failure};

use crate::attempts::Attempt;
use crate::captures::record_capture;
use crate::provider::manual::Manual;
use crate::provider::{CaptureRequest, Outcome, PaymentRequest, Provider, Reply, SettlementOutcome, VoidRequest, unknown_provider};
use crate::sandbox::Sandbox;
use crate::store;
use crate::voids::record_void;

/// How patient payments are.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long a provider may take to answer.
    pub provider_timeout: Duration,
    /// How often the reconciler looks for what is left open.
    pub reconcile_every: Duration,
    /// How long a shopper may take for a second step, or a provider to come to an end, before the payment is taken back.
    pub action_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { provider_timeout: Duration::from_secs(5), reconcile_every: Duration::from_secs(10), action_timeout: Duration::from_secs(15 * 60) }
    }
}

/// The providers and how to call them. Cloning shares everything.
#[derive(Clone)]
pub struct Payments {
    context: Context,
    settings: Settings,
    providers: Arc<[Arc<dyn Provider>]>,
}

impl Payments {
    /// The providers this program knows. Nothing is called yet.
    #[must_use]
    pub fn new(context: &Context, settings: Settings) -> Self {
        let providers: Vec<Arc<dyn Provider>> = vec![Arc::new(Manual), Arc::new(Sandbox::new(context.clone()))];
        Self { context: context.clone(), settings, providers: providers.into() }
    }

    /// How one can pay in channels of this kind, the preferred way first. The sandbox serves test channels only, unless the shop runs
    /// with demo data.
    #[must_use]
    pub fn methods(&self, kind: ChannelKind) -> Vec<PaymentMethod> {
        self.providers.iter().filter(|provider| provider.serves(kind)).map(|provider| provider.method()).collect()
    }

    /// Refuses a choice that cannot be charged in channels of this kind. Any card number but a test card's is refused, and neither kept
    /// nor logged.
    ///
    /// # Errors
    /// 422 `invalid_body` at `/payment/provider` or `/payment/test_card`.
    pub fn check_choice(&self, kind: ChannelKind, choice: &PaymentChoice) -> Result<(), Problem> {
        self.provider(&choice.provider).filter(|provider| provider.serves(kind)).ok_or_else(unknown_provider)?.check(choice)
    }

    /// Whether this provider needs no outside call, so that its attempts can be authorized inside the transaction that writes them.
    #[must_use]
    pub fn is_immediate(&self, provider: &str) -> bool {
        self.provider(provider).is_some_and(|provider| provider.is_immediate())
    }

    /// Asks the provider to hold the money. Call it outside any transaction, unless the provider is immediate; repeat it as you like.
    pub async fn authorize(&self, attempt: &Attempt) -> Outcome {
        let request =
            PaymentRequest { key: attempt.key(), amount: attempt.amount, instrument: attempt.instrument.clone(), return_url: attempt.return_url.clone() };
        self.call(&attempt.provider, "authorize", |provider| provider.authorize(request)).await.unwrap_or(Outcome::Unknown)
    }

    /// Asks the provider how the payment stands; never creates one.
    pub async fn look_up(&self, attempt: &Attempt) -> Outcome {
        self.call(&attempt.provider, "look_up", |provider| provider.look_up(attempt.key())).await.unwrap_or(Outcome::Unknown)
    }

    /// Takes the payment back at the provider, also one it never heard of: a later authorization of this attempt is then refused. A
    /// payment that is authorized stays so, and the outcome says it.
    pub async fn cancel(&self, attempt: &Attempt) -> Outcome {
        self.call(&attempt.provider, "cancel", |provider| provider.cancel(attempt.key())).await.unwrap_or(Outcome::Unknown)
    }

    /// Takes the money of a committed capture at the provider and records what it says, with the ledger. May be repeated: a settled
    /// capture is left as it is, an unknown one is asked about first.
    ///
    /// # Errors
    /// 404 `capture_not_found`; the database failed. A provider that does not answer is no error: the capture is `unknown`.
    pub async fn capture(&self, id: CaptureId) -> Result<CaptureState, Failure> {
        let (capture, attempt) = {
            let mut conn = self.context.db().read_latest().await?;
            let capture = store::captures::find(&mut conn, id).await?.ok_or_else(|| Problem::not_found("capture"))?;
            let attempt = store::attempts::find(&mut conn, capture.attempt_id).await?.ok_or(sqlx::Error::RowNotFound)?;
            (capture, attempt)
        };
        let key = id.uuid().to_string();
        let request = CaptureRequest { key: key.clone(), payment_key: attempt.key(), amount: capture.amount };
        let provider = attempt.provider.as_str();
        let outcome = match capture.state {
            CaptureState::Succeeded | CaptureState::Failed => return Ok(capture.state),
            CaptureState::Requested => SettlementOutcome::Unheard,
            CaptureState::Unknown => self.settle(provider, "look_up_capture", |provider| provider.look_up_capture(key)).await,
        };
        let outcome = match outcome {
            SettlementOutcome::Unheard => self.settle(provider, "capture", |provider| provider.capture(request)).await,
            other => other,
        };
        let mut tx = self.context.db().begin(Actor::system("payments")).await?;
        let state = record_capture(&mut tx, id, &outcome).await?;
        tx.commit().await?;
        Ok(state)
    }

    /// Lets the money of a committed void go at the provider and records what it says. May be repeated, as [`Payments::capture`].
    ///
    /// # Errors
    /// 404 `void_not_found`; the database failed. A provider that does not answer is no error: the void is `unknown`.
    pub async fn void(&self, id: VoidId) -> Result<VoidState, Failure> {
        let (void, attempt) = {
            let mut conn = self.context.db().read_latest().await?;
            let void = store::voids::find(&mut conn, id).await?.ok_or_else(|| Problem::not_found("void"))?;
            let attempt = store::attempts::find(&mut conn, void.attempt_id).await?.ok_or(sqlx::Error::RowNotFound)?;
            (void, attempt)
        };
        let key = id.uuid().to_string();
        let request = VoidRequest { key: key.clone(), payment_key: attempt.key() };
        let provider = attempt.provider.as_str();
        let outcome = match void.state {
            VoidState::Succeeded | VoidState::Failed => return Ok(void.state),
            VoidState::Requested => SettlementOutcome::Unheard,
            VoidState::Unknown => self.settle(provider, "look_up_void", |provider| provider.look_up_void(key)).await,
        };
        let outcome = match outcome {
            SettlementOutcome::Unheard => self.settle(provider, "void", |provider| provider.void(request)).await,
            other => other,
        };
        let mut tx = self.context.db().begin(Actor::system("payments")).await?;
        let state = record_void(&mut tx, id, &outcome).await?;
        tx.commit().await?;
        Ok(state)
    }

    /// How patient these payments are.
    #[must_use]
    pub const fn settings(&self) -> Settings {
        self.settings
    }

    /// What the binary gave us.
    pub(crate) const fn context(&self) -> &Context {
        &self.context
    }

    fn provider(&self, code: &str) -> Option<&Arc<dyn Provider>> {
        self.providers.iter().find(|provider| provider.code() == code)
    }

    async fn settle(&self, provider: &str, call: &'static str, make: impl FnOnce(&dyn Provider) -> Reply<SettlementOutcome>) -> SettlementOutcome {
        self.call(provider, call, make).await.unwrap_or(SettlementOutcome::Unknown)
    }

    /// Calls a provider within bounded time; nothing when it gives no answer one could act on.
    async fn call<T>(&self, code: &str, call: &'static str, make: impl FnOnce(&dyn Provider) -> Reply<T>) -> Option<T> {
        let Some(provider) = self.provider(code) else {
            tracing::error!(provider = code, call, "no such provider");
            return None;
        };
        match tokio::time::timeout(self.settings.provider_timeout, make(provider.as_ref())).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                tracing::warn!(provider = code, call, error = ?error, "provider call failed");
                None
            }
            Err(_) => {
                tracing::warn!(provider = code, call, "provider did not answer in time");
                None
            }
        }
    }
}
