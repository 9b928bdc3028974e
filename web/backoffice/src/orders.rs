//! Orders: the list, one order, and what staff do to it.

mod actions;
mod detail;
mod filter;
mod list;
mod timeline;
mod views;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};
use orders_api::OrderId;
use platform::http::Path;

use crate::Office;

#[cfg(test)]
pub(crate) use detail::{Rendering, order_page};
#[cfg(test)]
pub(crate) use filter::Filter;
pub(crate) use list::up_to;
#[cfg(test)]
pub(crate) use list::{Rendering as ListRendering, Stand, list_page};
pub(crate) use timeline::person;

pub(crate) fn routes() -> Router<Office> {
    Router::new()
        .route("/backoffice/orders", get(list::list))
        .route(list::FILE, get(list::file))
        .route("/backoffice/orders/views", post(views::keep).get(to_list))
        .route("/backoffice/orders/views/{id}/delete", post(views::forget).get(to_list))
        .route("/backoffice/orders/{id}", get(detail::detail))
        .route("/backoffice/orders/{id}/capture", post(actions::capture).get(back))
        .route("/backoffice/orders/{id}/cancel", post(actions::cancel).get(back))
        .route("/backoffice/orders/{id}/comments", post(actions::comment).get(back))
}

async fn to_list() -> Redirect {
    Redirect::to(filter::PATH)
}

/// Where an order's page is.
fn path_of(id: OrderId) -> String {
    format!("/backoffice/orders/{id}")
}

/// Somebody reloads the page that a form answered with.
async fn back(Path(id): Path<OrderId>) -> Redirect {
    Redirect::to(&path_of(id))
}
