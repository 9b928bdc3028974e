//! What identity does in the background: forgetting.

use std::time::Duration;

use db::Actor;
use service::{Context, Failure};

use crate::store;

/// How often ended sessions and invitations are looked for.
pub(crate) const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// Deletes sessions and invitations that ended long ago, and tries whose window is over.
///
/// # Errors
/// The database failed; the next run does it.
pub(crate) async fn sweep(context: Context) -> Result<(), Failure> {
    let mut tx = context.db().begin(Actor::system("identity.sweep")).await?;
    let now = tx.now();
    let deleted = store::sweep(tx.conn(), now).await?;
    tx.commit().await?;
    tracing::debug!(deleted, "old sessions, invitations and sign-in tries deleted");
    Ok(())
}
