//! Attempts: writing one down, and moving it by what its provider says.

use catalog_api::ChannelKind;
use db::{DbError, Tx};
use kernel::{Money, Problem, Timestamp};
use payments_api::{AttemptChanged, AttemptId, AttemptState, NextAction, PaymentChoice};
use service::Failure;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::{ATTEMPT_TRANSITIONS, AttemptEvent, is_path_on_this_shop, step};
use crate::provider::{Outcome, instrument_of};
use crate::store::attempts::{self as store, Move, NewRow};
use crate::voids::{self, Reason};

/// A try to pay an order, to be written down.
#[derive(Debug, Clone)]
pub struct NewAttempt {
    /// The order.
    pub order_id: Uuid,
    /// Whether its sale is real.
    pub channel_kind: ChannelKind,
    /// How much; above zero.
    pub amount: Money,
    /// How the shopper pays.
    pub choice: PaymentChoice,
    /// Where a second step leads back to, a path on this shop.
    pub return_url: Option<String>,
}

/// A try to pay an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which.
    pub id: AttemptId,
    /// The order it pays.
    pub order_id: Uuid,
    /// Who processes it.
    pub provider: String,
    /// What is charged, as the provider names it; never a card number.
    pub instrument: Option<String>,
    /// Where it stands.
    pub state: AttemptState,
    /// How much.
    pub amount: Money,
    /// Whether the order's sale is real.
    pub channel_kind: ChannelKind,
    /// The provider's name for the payment, once known.
    pub provider_reference: Option<String>,
    /// Why it failed, as a stable code.
    pub failure_code: Option<String>,
    /// What the shopper has to do, while it is `requires_action`.
    pub next_action: Option<NextAction>,
    /// Where a second step leads back to.
    pub return_url: Option<String>,
    /// What succeeded captures took.
    pub captured: Money,
    /// What open captures may take.
    pub capturing: Money,
    /// Whether a void is requested, unknown or succeeded.
    pub is_let_go: bool,
    /// Counts every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Attempt {
    /// The provider's idempotency key.
    pub(crate) fn key(&self) -> String {
        self.id.uuid().to_string()
    }
}

/// Why an attempt cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// The choice names no provider, or nothing it could charge.
    #[error("the choice cannot be charged")]
    Choice(#[source] Box<Problem>),
    /// The return address leads elsewhere.
    #[error("the return address is no path on this shop")]
    ReturnUrl,
    /// There is nothing to pay.
    #[error("the amount is not above zero")]
    Amount,
    /// The order has an attempt that is open or authorized.
    #[error("the order has a live attempt")]
    AlreadyOpen,
    /// The database failed.
    #[error("database failed")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for AttemptError {
    fn from(error: sqlx::Error) -> Self {
        if db::constraint_of(&error) == Some("attempt_one_live_per_order") { Self::AlreadyOpen } else { Self::Database(error) }
    }
}

impl From<AttemptError> for Failure {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::Choice(problem) => Self::Problem(problem),
            AttemptError::ReturnUrl => Problem::invalid_body().field("/return_url", "invalid", "must be a path on this shop, such as /checkout/return").into(),
            AttemptError::AlreadyOpen => Problem::new(409, "payment_in_progress", "This order is being paid already").into(),
            error @ AttemptError::Amount => Self::Internal(error.into()),
            AttemptError::Database(error) => error.into(),
        }
    }
}

/// Writes an attempt, `created`. Part of the caller's transaction; an order has at most one attempt that is open or authorized.
///
/// # Errors
/// See [`AttemptError`].
pub async fn insert_attempt(tx: &mut Tx, new: NewAttempt) -> Result<Attempt, AttemptError> {
    let instrument = instrument_of(&new.choice).map_err(|problem| AttemptError::Choice(Box::new(problem)))?;
    if new.return_url.as_deref().is_some_and(|url| !is_path_on_this_shop(url)) {
        return Err(AttemptError::ReturnUrl);
    }
    if new.amount.amount_minor() <= 0 {
        return Err(AttemptError::Amount);
    }
    let now = tx.now();
    let id = AttemptId::new(now);
    let row = NewRow {
        order_id: new.order_id,
        channel_kind: new.channel_kind,
        provider: &new.choice.provider,
        instrument: instrument.as_deref(),
        amount: new.amount,
        return_url: new.return_url.as_deref(),
    };
    Ok(store::insert(tx.conn(), id, &row, now).await?)
}

/// One attempt.
///
/// # Errors
/// The database failed.
pub async fn find_attempt(conn: &mut PgConnection, id: AttemptId) -> Result<Option<Attempt>, sqlx::Error> {
    store::find(conn, id).await
}

/// An attempt after news of it was recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// How it stands now.
    pub attempt: Attempt,
    /// Whether the news moved it.
    pub changed: bool,
}

/// Why news of an attempt cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is no such attempt.
    #[error("no attempt {0}")]
    NotFound(AttemptId),
    /// The provider holds another amount than was asked for. Nothing is changed; the reconciler refuses the payment and lets it go.
    #[error("the provider holds {held} for attempt {id} of {wanted}")]
    AmountMismatch {
        /// Which attempt.
        id: AttemptId,
        /// What was asked for.
        wanted: Money,
        /// What the provider holds.
        held: Money,
    },
    /// The database failed.
    #[error("database failed")]
    Database(#[from] sqlx::Error),
    /// The database failed while work was left for later.
    #[error("database failed")]
    Db(#[from] DbError),
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Database(error) => error.into(),
            RecordError::Db(error) => error.into(),
            error @ (RecordError::NotFound(_) | RecordError::AmountMismatch { .. }) => Self::Internal(error.into()),
        }
    }
}

/// Records what a provider said of an attempt. Part of the caller's transaction, which decides what else follows.
///
/// Stale and repeated outcomes change nothing. An authorization of an attempt that has failed or was taken back does not change it
/// either: the money is let go at the provider.
///
/// # Errors
/// See [`RecordError`].
pub async fn record(tx: &mut Tx, id: AttemptId, outcome: &Outcome) -> Result<Recorded, RecordError> {
    record_as(tx, id, outcome, AttemptEvent::Cancel).await
}

/// Records what an immediate provider said of an attempt that was written in this very transaction, so that nobody else can have moved it.
///
/// # Errors
/// See [`RecordError`].
pub async fn record_at_once(tx: &mut Tx, attempt: Attempt, outcome: &Outcome) -> Result<Attempt, RecordError> {
    Ok(record_of(tx, attempt, outcome, AttemptEvent::Cancel).await?.attempt)
}

/// Records an outcome; a cancellation counts as `cancellation`, which is [`AttemptEvent::Expire`] when nobody finished in time.
pub(crate) async fn record_as(tx: &mut Tx, id: AttemptId, outcome: &Outcome, cancellation: AttemptEvent) -> Result<Recorded, RecordError> {
    let attempt = store::lock(tx.conn(), id).await?.ok_or(RecordError::NotFound(id))?;
    record_of(tx, attempt, outcome, cancellation).await
}

/// Records an outcome of an attempt that nobody else can move.
async fn record_of(tx: &mut Tx, attempt: Attempt, outcome: &Outcome, cancellation: AttemptEvent) -> Result<Recorded, RecordError> {
    let unchanged = Recorded { attempt: attempt.clone(), changed: false };
    match outcome {
        Outcome::Authorized { reference, amount } => match attempt.state {
            AttemptState::Authorized => Ok(unchanged),
            state if state.is_final() => {
                voids::insert_void(tx, &attempt, Reason::LateAuthorization).await?;
                Ok(unchanged)
            }
            _ if *amount != attempt.amount => Err(RecordError::AmountMismatch { id: attempt.id, wanted: attempt.amount, held: *amount }),
            _ => change(tx, attempt, AttemptEvent::Authorize, Move { reference: Some(reference), ..Move::default() }).await,
        },
        Outcome::RequiresAction { reference, next_action } => {
            let next_action = Some(serde_json::to_value(next_action).map_err(DbError::from)?);
            change(tx, attempt, AttemptEvent::RequireAction, Move { reference: Some(reference), next_action, ..Move::default() }).await
        }
        Outcome::Processing { reference } => change(tx, attempt, AttemptEvent::Process, Move { reference: Some(reference), ..Move::default() }).await,
        Outcome::Declined { reference, code } => {
            change(tx, attempt, AttemptEvent::Fail, Move { reference: Some(reference), failure_code: Some(code), ..Move::default() }).await
        }
        Outcome::Canceled => change(tx, attempt, cancellation, Move::default()).await,
        // Not answered in time: from now on it is the provider's word that counts, however late. What waits goes on waiting.
        Outcome::Unknown if attempt.state == AttemptState::Created => change(tx, attempt, AttemptEvent::Process, Move::default()).await,
        Outcome::Unknown | Outcome::Unheard => Ok(unchanged),
    }
}

/// Takes in an outcome nobody waits for, and tells the others if it moved the attempt. A payment of another amount is refused: the attempt
/// fails and the money is let go.
pub(crate) async fn take_in(tx: &mut Tx, id: AttemptId, outcome: &Outcome, cancellation: AttemptEvent) -> Result<Recorded, RecordError> {
    let recorded = match record_as(tx, id, outcome, cancellation).await {
        Err(error @ RecordError::AmountMismatch { .. }) => {
            tracing::error!(%error, "payment of another amount refused");
            refuse_amount(tx, id).await?
        }
        other => other?,
    };
    if recorded.changed {
        let attempt = &recorded.attempt;
        tx.publish(&AttemptChanged { attempt_id: id, order_id: attempt.order_id, state: attempt.state }).await?;
    }
    Ok(recorded)
}

async fn refuse_amount(tx: &mut Tx, id: AttemptId) -> Result<Recorded, RecordError> {
    let attempt = store::lock(tx.conn(), id).await?.ok_or(RecordError::NotFound(id))?;
    voids::insert_void(tx, &attempt, Reason::AmountMismatch).await?;
    change(tx, attempt, AttemptEvent::Fail, Move { failure_code: Some("amount_mismatch"), ..Move::default() }).await
}

/// Moves a locked attempt by the table, or leaves it as it is.
async fn change(tx: &mut Tx, attempt: Attempt, event: AttemptEvent, with: Move<'_>) -> Result<Recorded, RecordError> {
    let Some(to) = step(ATTEMPT_TRANSITIONS, attempt.state, event) else { return Ok(Recorded { attempt, changed: false }) };
    let now = tx.now();
    let Some(moved) = store::update_state(tx.conn(), &attempt, to, &with, now).await? else {
        let attempt = store::find(tx.conn(), attempt.id).await?.ok_or(RecordError::NotFound(attempt.id))?;
        return Ok(Recorded { attempt, changed: false });
    };
    let labels = [("provider", moved.provider.clone()), ("outcome", to.as_str().to_owned()), ("channel_kind", moved.channel_kind.as_str().to_owned())];
    tx.after_commit(move || metrics::counter!("payments_total", &labels).increment(1));
    Ok(Recorded { attempt: moved, changed: true })
}
