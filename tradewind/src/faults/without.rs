//! A build without faults.

use axum::Router;
use db::migrate::SchemaMigrations;
use platform::http::Answering;
use stores::Stores;

#[expect(clippy::unnecessary_wraps, reason = "with faults it may refuse")]
pub(crate) const fn refuse_unknown() -> anyhow::Result<()> {
    Ok(())
}

pub(crate) const fn spoil(router: Router) -> Router {
    router
}

pub(crate) fn port(stores: &Stores, router: Router) -> impl Answering + use<> {
    stores.shortcuts(router)
}

pub(crate) const fn crash_later() {}

pub(crate) const fn failing_migration() -> Option<SchemaMigrations> {
    None
}

pub(crate) const fn expansion() -> Option<SchemaMigrations> {
    None
}
