//! The route of the audit: what was done to a record.

use axum::extract::State;
use kernel::audit::{AuditEntryAnswer, AuditQuery};
use kernel::{Page, PageQuery, Problem};
use platform::http::Query;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{Answer, Context, Failure, Permission, Staff};

/// The longest name of a record that is looked for.
const MOST_CHARS: usize = 254;

/// The route, closed to all but staff.
pub(crate) fn routes(context: &Context) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list_audit_entries)).with_state(context.clone())
}

/// What was done to a record, the latest first.
#[utoipa::path(
    get,
    path = "/admin/v1/audit-entries",
    tag = "audit",
    params(AuditQuery),
    responses(
        (status = 200, body = Page<AuditEntryAnswer>),
        (status = 400, description = "`invalid_query`", body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    )
)]
async fn list_audit_entries(State(context): State<Context>, staff: Staff, Query(query): Query<AuditQuery>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let page = PageQuery { limit: query.limit, after: query.after };
    let limit = page.limit()?;
    if query.subject.is_empty() || query.subject.chars().count() > MOST_CHARS || query.subject.chars().any(char::is_control) {
        return Err(Problem::invalid_query("subject", "must be the id of a record").into());
    }
    // The writer: whoever changed the record a moment ago finds it written down.
    let mut conn = context.db().read_latest().await?;
    let rows = db::audit::list(&mut conn, &query.subject, page.position()?, i64::from(limit) + 1).await?;
    Answer::ok(&Page::cut(rows, limit, |entry| (entry.occurred_at, entry.id)))
}
