use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kernel::Problem;
use platform::config::Networks;
use stores::{Rate, TooOften, subject_of};

use crate::Context;
use crate::call::client_address;

/// How the routes end by which a cart is bought: each may be a try of somebody else's card.
const PURCHASE: &str = "/complete";

/// How often one address may do things at the store API. What stands behind these limits (stock, sign-ins, idempotency) holds without them;
/// they keep one address from taking everybody's time.
#[derive(Debug, Clone)]
pub struct ShopperLimits {
    changes: Rate,
    purchases: Rate,
    uncounted: Networks,
}

impl ShopperLimits {
    /// So many changes, and of these so many attempts to buy, in a minute; 0 is no limit. Addresses in `uncounted` are our own proxies' and
    /// processes': whoever stands behind one that does not tell is nobody in particular, and all together would be too many.
    #[must_use]
    pub const fn new(changes_per_minute: u32, purchases_per_minute: u32, uncounted: Networks) -> Self {
        let changes = Rate { name: "changes", per_minute: changes_per_minute };
        Self { changes, purchases: Rate { name: "purchases", per_minute: purchases_per_minute }, uncounted }
    }
}

/// The layer around the store API: what changes something is counted, and refused when it is too much.
pub(crate) async fn limit_changes(State(context): State<Context>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let ShopperLimits { changes, purchases, uncounted } = context.limits();
    let address = client_address(request.headers(), request.extensions(), &context);
    let Some(subject) = subject_of(address).filter(|_| !uncounted.contain(address)) else { return next.run(request).await };
    let is_purchase = request.extensions().get::<MatchedPath>().is_some_and(|path| path.as_str().ends_with(PURCHASE));
    for rate in [Some(*changes), Some(*purchases).filter(|_| is_purchase)].into_iter().flatten() {
        if let Err(TooOften { wait }) = context.stores().limits().take(rate, &subject).await {
            return too_often(wait.as_secs()).into_response();
        }
    }
    next.run(request).await
}

fn too_often(whole_seconds: u64) -> Problem {
    let seconds = u32::try_from(whole_seconds).unwrap_or(u32::MAX).saturating_add(1);
    Problem::new(429, "too_many_requests", "Too many requests from this address").detail("Nothing was done. Come again a little later.").retry_after(seconds)
}
