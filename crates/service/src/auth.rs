use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use db::Actor;
use futures_util::future::BoxFuture;
use http::request::Parts;
use kernel::{Problem, Token};
use uuid::Uuid;

use crate::{Context, Failure};

/// What a member of staff may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See everything.
    View,
    /// Change products, categories and prices.
    EditCatalog,
    /// Change stock.
    EditStock,
    /// Capture, cancel and comment on orders.
    HandleOrders,
    /// Put dead jobs back in the queue.
    ReplayJobs,
    /// Invite staff and change what they may do.
    ManageStaff,
}

/// Who a bearer token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The member of staff.
    pub id: Uuid,
    /// The name written beside what they do.
    pub name: String,
    /// The session the token opens.
    pub session_id: Uuid,
    /// What they may do.
    pub permissions: Vec<Permission>,
}

impl Principal {
    /// The principal as events and journals name it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::staff(self.id, &self.name)
    }

    /// Refuses what the principal may not do.
    ///
    /// # Errors
    /// 403 `forbidden`.
    pub fn require(&self, permission: Permission) -> Result<(), Problem> {
        if self.permissions.contains(&permission) { Ok(()) } else { Err(Problem::forbidden()) }
    }
}

/// Turns a bearer token into the one it belongs to. The service `identity` does; the binary hands it to everyone.
pub trait Authenticator: Send + Sync + 'static {
    /// Nothing if the token opens no session any more.
    fn authenticate<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<Option<Principal>, Failure>>;
}

/// The member of staff who calls. Present on every route of the admin surface that is not declared open.
#[derive(Debug, Clone)]
pub struct Staff(pub Principal);

impl Staff {
    /// Refuses what the caller may not do.
    ///
    /// # Errors
    /// 403 `forbidden`.
    pub fn require(&self, permission: Permission) -> Result<(), Problem> {
        self.0.require(permission)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Arc<Principal>>().map(|principal| Self(principal.as_ref().clone())).ok_or_else(Problem::unauthenticated)
    }
}

/// The layer around the closed part of the admin surface: no valid bearer token, no entry.
pub async fn require_staff(State(context): State<Context>, mut request: Request, next: Next) -> Response {
    let Some(token) = bearer(request.headers()) else { return Problem::unauthenticated().into_response() };
    match context.authenticator().authenticate(&token).await {
        Ok(Some(principal)) => {
            request.extensions_mut().insert(Arc::new(principal));
            next.run(request).await
        }
        Ok(None) => Problem::unauthenticated().into_response(),
        Err(failure) => failure.into_response(),
    }
}

/// The token of `Authorization: Bearer …`, if there is one of ours.
pub(crate) fn bearer(headers: &http::HeaderMap) -> Option<Token> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") { token.trim().parse().ok() } else { None }
}
