//! Products: the list, one product, its pictures, its variants, its stock, and who changed what.

mod audit;
mod basics;
mod categories;
mod detail;
mod list;
mod media;
pub(crate) mod stock;
mod variants;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};
use catalog_api::ProductId;
use platform::http::Path;

use crate::Office;

#[cfg(test)]
pub(crate) use audit::audit_page;
#[cfg(test)]
pub(crate) use basics::{Clash, ConflictPage, Side};
pub(crate) use detail::{Rendering, variant_name};
#[cfg(test)]
pub(crate) use detail::{Stand, Typed, product_page};
#[cfg(test)]
pub(crate) use list::list_page;

pub(crate) fn routes() -> Router<Office> {
    Router::new()
        .route("/backoffice/products", get(list::list))
        .route("/backoffice/products/{id}", get(detail::detail).post(basics::save))
        .route(list::FILE, get(list::file))
        .route("/backoffice/products/{id}/media", post(media::save).get(back))
        .route("/backoffice/products/{id}/audit", get(audit::audit))
        .route("/backoffice/products/{id}/variants", post(variants::save).get(back))
        .route("/backoffice/products/{id}/stock", post(stock::save).get(back))
}

/// Where a product's page is.
fn path_of(id: ProductId) -> String {
    format!("/backoffice/products/{id}")
}

/// Somebody reloads the page that a form answered with.
async fn back(Path(id): Path<ProductId>) -> Redirect {
    Redirect::to(&path_of(id))
}
