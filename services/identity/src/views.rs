//! The views of lists that staff keep for themselves.

use axum::extract::State;
use db::Tx;
use identity_api::{MOST_SAVED_VIEWS, NewSavedView, SavedViewAnswer, SavedViewId, SavedViewList, SavedViewQuery, StaffId};
use kernel::Problem;
use platform::http::{Path, Query};
use service::{Answer, Command, Context, Failure, Permission, Staff};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::store::views as store;

/// The routes, for signed-in staff; everyone sees and changes their own views only.
pub(crate) fn routes(context: &Context) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list_saved_views, create_saved_view)).routes(routes!(delete_saved_view)).with_state(context.clone())
}

/// The views of a list that the caller keeps.
#[utoipa::path(
    get,
    path = "/admin/v1/saved-views",
    tag = "staff",
    params(SavedViewQuery),
    responses((status = 200, body = SavedViewList), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn list_saved_views(State(context): State<Context>, staff: Staff, Query(query): Query<SavedViewQuery>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let mut conn = context.db().read_latest().await?;
    Answer::ok(&SavedViewList { items: store::list(&mut conn, StaffId::from_uuid(staff.0.id), query.list).await? })
}

/// Keeps a view for the caller.
#[utoipa::path(
    post,
    path = "/admin/v1/saved-views",
    tag = "staff",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless.")),
    request_body = NewSavedView,
    responses(
        (status = 201, body = SavedViewAnswer),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, description = "`view_name_taken`; `too_many_views`: 20 are kept of each list.", body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn create_saved_view(State(context): State<Context>, staff: Staff, command: Command<NewSavedView>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let Command { body, call, key } = command;
    let owner = StaffId::from_uuid(staff.0.id);
    context.mutate(&call, key, move |tx| Box::pin(async move { Answer::created(&keep(tx, owner, body).await?) })).await
}

async fn keep(tx: &mut Tx, owner: StaffId, new: NewSavedView) -> Result<SavedViewAnswer, Failure> {
    let now = tx.now();
    let view = SavedViewAnswer { id: SavedViewId::new(now), list: new.list, name: new.name.trim().to_owned(), query: new.query };
    if store::count_locked(tx.conn(), owner, view.list).await? >= MOST_SAVED_VIEWS {
        let detail = format!("{MOST_SAVED_VIEWS} views are kept of each list. Delete one first.");
        return Err(Problem::new(409, "too_many_views", "No more views are kept").detail(detail).into());
    }
    match store::insert(tx.conn(), owner, &view, now).await {
        Err(error) if db::constraint_of(&error) == Some("saved_view_name_unique") => {
            Err(Problem::new(409, "view_name_taken", "You have a view of this name").field("/name", "taken", "is in use already").into())
        }
        kept => Ok(kept.map(|()| view)?),
    }
}

/// Forgets one of the caller's views.
#[utoipa::path(
    delete,
    path = "/admin/v1/saved-views/{id}",
    tag = "staff",
    params(("id" = SavedViewId, Path)),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, description = "`saved_view_not_found`: never kept, forgotten, or somebody else's.", body = Problem),
    )
)]
async fn delete_saved_view(State(context): State<Context>, staff: Staff, Path(id): Path<SavedViewId>, command: Command<()>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let owner = StaffId::from_uuid(staff.0.id);
    context
        .mutate(&command.call, command.key, move |tx| {
            Box::pin(async move {
                let is_gone = store::delete(tx.conn(), owner, id).await?;
                if is_gone { Ok(Answer::no_content()) } else { Err(Problem::not_found("saved_view").into()) }
            })
        })
        .await
}
