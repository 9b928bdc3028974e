//! What staff do to levels.

use db::{DbError, Tx};
use inventory_api::{AdjustLevel, LevelAnswer, MovementId};
use kernel::Problem;
use service::Failure;

use crate::bands;
use crate::domain::{Adjustment, MOST_ON_HAND, explains};
use crate::store::{self, OnHandMove};

/// Why a level stays as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdjustError {
    /// There is no such location.
    #[error("no such stock location")]
    LocationUnknown,
    /// An existing level is set to a figure without saying which version was looked at.
    #[error("the version is required")]
    VersionRequired,
    /// The level changed since it was looked at.
    #[error("the level has version {current}")]
    Stale {
        /// The version now, 0 if there was no level.
        current: i64,
    },
    /// More is reserved than would be left.
    #[error("{reserved} of {on_hand} are reserved")]
    BelowReserved {
        /// What lies there.
        on_hand: i64,
        /// What is promised of it.
        reserved: i64,
    },
    /// There would be more than a location can hold.
    #[error("more than {MOST_ON_HAND}")]
    TooMany,
    /// The reason does not explain the change.
    #[error("the reason does not explain a change by {delta}")]
    Unexplained {
        /// The change.
        delta: i64,
    },
    /// The database failed.
    #[error("database failed")]
    Database(#[from] sqlx::Error),
    /// An event or the audit entry could not be written.
    #[error("change could not be told")]
    Db(#[from] DbError),
}

/// Changes what is on hand, with its movement, its audit entry and the news of crossed bands; makes the level if there is none.
///
/// # Errors
/// See [`AdjustError`]; the transaction must be rolled back then.
pub(crate) async fn adjust(tx: &mut Tx, body: &AdjustLevel, adjustment: Adjustment, expected: Option<i64>) -> Result<LevelAnswer, AdjustError> {
    let (location, variant) = (body.location_id, body.variant_id);
    let is_new = store::insert_level(tx.conn(), location, variant).await.map_err(domain_error)?;
    if is_new {
        store::insert_bands(tx.conn(), location, variant).await?;
    }
    let before = store::lock_level(tx.conn(), location, variant).await?;
    check_version(adjustment, expected, is_new, before.version)?;
    let on_hand = adjustment.apply(before.on_hand);
    let delta = on_hand - before.on_hand;
    check_figure(&before, on_hand)?;
    if !explains(body.reason, delta) {
        return Err(AdjustError::Unexplained { delta });
    }

    let actor = tx.actor().clone();
    let now = tx.now();
    let change = OnHandMove { id: MovementId::new(now), location_id: location, variant_id: variant, kind: body.reason.into(), delta };
    let after = store::move_on_hand(tx.conn(), &change, actor.as_str(), now).await?;
    let detail = serde_json::json!({ "location_id": location, "reason": body.reason, "delta": delta, "on_hand": after.on_hand });
    tx.audit("stock.adjusted", &variant.to_string(), detail).await?;
    bands::announce(tx, &[variant], &[location]).await?;
    Ok(after)
}

/// A figure replaces what somebody else may have changed, so it needs the version it was made on; a change by so many does not.
fn check_version(adjustment: Adjustment, expected: Option<i64>, is_new: bool, version: i64) -> Result<(), AdjustError> {
    match (expected, adjustment) {
        (Some(expected), _) if is_new || expected != version => Err(AdjustError::Stale { current: version }),
        (None, Adjustment::Set(_)) if !is_new => Err(AdjustError::VersionRequired),
        _ => Ok(()),
    }
}

fn check_figure(before: &LevelAnswer, on_hand: i64) -> Result<(), AdjustError> {
    if on_hand < before.reserved {
        return Err(AdjustError::BelowReserved { on_hand: before.on_hand, reserved: before.reserved });
    }
    if on_hand > MOST_ON_HAND { Err(AdjustError::TooMany) } else { Ok(()) }
}

fn domain_error(error: sqlx::Error) -> AdjustError {
    match db::constraint_of(&error) {
        Some("level_location") => AdjustError::LocationUnknown,
        _ => AdjustError::Database(error),
    }
}

impl From<AdjustError> for Failure {
    fn from(error: AdjustError) -> Self {
        match error {
            AdjustError::LocationUnknown => Problem::invalid_body().field("/location_id", "unknown", "must be one of the stock locations").into(),
            AdjustError::VersionRequired => Problem::version_required().into(),
            AdjustError::Stale { current } => Problem::stale(current).into(),
            AdjustError::BelowReserved { on_hand, reserved } => Problem::new(409, "below_reserved", "More is reserved than would be left")
                .detail(format!("{reserved} of the {on_hand} units there are promised to checkouts and orders."))
                .context(serde_json::json!({ "on_hand": on_hand, "reserved": reserved }))
                .into(),
            AdjustError::TooMany => Problem::invalid_body().field("/delta", "invalid", format!("must leave at most {MOST_ON_HAND} on hand")).into(),
            AdjustError::Unexplained { delta } => Problem::invalid_body()
                .field("/reason", "invalid", format!("does not explain a change by {delta}: received is more, written_off is less, counted may be anything"))
                .into(),
            AdjustError::Database(error) => error.into(),
            AdjustError::Db(error) => error.into(),
        }
    }
}
