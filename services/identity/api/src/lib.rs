//! The contract of identity: staff, invitations and sessions.

use garde::Validate;
use kernel::{Endpoint, Method, Timestamp, Token};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

kernel::id_kind!(/// A member of staff.
    pub Staff => StaffId, "stf");
kernel::id_kind!(/// A signed-in browser or program of a member of staff.
    pub StaffSession => StaffSessionId, "ses");
kernel::id_kind!(/// A filter of a list that somebody keeps.
    pub SavedView => SavedViewId, "viw");

/// The identity endpoints, all on the admin surface.
pub mod endpoints {
    use super::{
        AcceptInvitation, Endpoint, InvitationCreated, InviteStaff, Method, NewSavedView, SavedViewAnswer, SavedViewList, SessionCreated, SignIn, StaffAnswer,
        StaffList,
    };

    /// Signs in with e-mail and password. Needs no session.
    pub const CREATE_SESSION: Endpoint<SignIn, SessionCreated> = Endpoint::new(Method::Post, "/admin/v1/sessions");
    /// Signs out.
    pub const DELETE_SESSION: Endpoint<(), ()> = Endpoint::new(Method::Delete, "/admin/v1/sessions/current");
    /// Who is signed in.
    pub const GET_ME: Endpoint<(), StaffAnswer> = Endpoint::new(Method::Get, "/admin/v1/me");
    /// Everyone on the staff.
    pub const LIST_STAFF: Endpoint<(), StaffList> = Endpoint::new(Method::Get, "/admin/v1/staff");
    /// Invites somebody; the secret of the link is told once.
    pub const INVITE_STAFF: Endpoint<InviteStaff, InvitationCreated> = Endpoint::new(Method::Post, "/admin/v1/invitations");
    /// Takes an invitation with a name and a password, and signs in. Needs no session.
    pub const ACCEPT_INVITATION: Endpoint<AcceptInvitation, SessionCreated> = Endpoint::new(Method::Post, "/admin/v1/invitations/accept");
    /// The views of a list that the caller keeps; query [`super::SavedViewQuery`].
    pub const LIST_SAVED_VIEWS: Endpoint<(), SavedViewList> = Endpoint::new(Method::Get, "/admin/v1/saved-views");
    /// Keeps a view for the caller.
    pub const CREATE_SAVED_VIEW: Endpoint<NewSavedView, SavedViewAnswer> = Endpoint::new(Method::Post, "/admin/v1/saved-views");
    /// Forgets one of the caller's views.
    pub const DELETE_SAVED_VIEW: Endpoint<(), ()> = Endpoint::new(Method::Delete, "/admin/v1/saved-views/{id}");
}

/// What a member of staff may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but staff.
    Manager,
    /// Reads everything, changes nothing.
    Viewer,
}

impl Role {
    /// The word used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Viewer => "viewer",
        }
    }
}

/// The text names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be owner, manager or viewer")]
pub struct RoleError;

impl std::str::FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        [Self::Owner, Self::Manager, Self::Viewer].into_iter().find(|role| role.as_str() == text).ok_or(RoleError)
    }
}

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffAnswer {
    /// The member's id.
    pub id: StaffId,
    /// The address to sign in with.
    pub email: String,
    /// The name.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// Everyone on the staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffList {
    /// By name.
    pub items: Vec<StaffAnswer>,
}

/// Credentials.
#[derive(Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The address.
    #[garde(length(min = 1, max = 254))]
    pub email: String,
    /// The password.
    #[garde(length(min = 1, max = 1_000))]
    pub password: String,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("email", &self.email).finish_non_exhaustive()
    }
}

/// A new session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SessionCreated {
    /// The bearer secret; told once.
    pub token: Token,
    /// Who signed in.
    pub staff: StaffAnswer,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// Whom to invite.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct InviteStaff {
    /// The address.
    #[garde(email, length(max = 254))]
    pub email: String,
    /// What they may do.
    #[garde(skip)]
    pub role: Role,
}

/// A new invitation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct InvitationCreated {
    /// Whom it is for.
    pub email: String,
    /// The secret of the link `/backoffice/invitation?token=…`; told once.
    pub token: Token,
    /// Until when it can be taken.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// Taking an invitation.
#[derive(Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// The secret of the link.
    #[garde(skip)]
    pub token: Token,
    /// The name to show.
    #[garde(length(chars, min = 1, max = 200))]
    pub name: String,
    /// A password of 12 characters or more.
    #[garde(length(chars, min = 12, max = 1_000))]
    pub password: String,
}

impl std::fmt::Debug for AcceptInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AcceptInvitation").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A list whose filters can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViewedList {
    /// The orders.
    Orders,
}

impl ViewedList {
    /// The word used in tables and addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
        }
    }
}

/// The most views one keeps of a list.
pub const MOST_SAVED_VIEWS: i64 = 20;

/// The views of which list.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SavedViewQuery {
    /// The list.
    #[param(inline)]
    pub list: ViewedList,
}

/// The views somebody keeps of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedViewList {
    /// In the order they were made.
    pub items: Vec<SavedViewAnswer>,
}

/// A filter of a list that somebody keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedViewAnswer {
    /// The view's id.
    pub id: SavedViewId,
    /// Of which list.
    pub list: ViewedList,
    /// Its name.
    pub name: String,
    /// The filter, as the query of an address: `state=placed&channel=smoke`.
    pub query: String,
}

/// A filter to be kept.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewSavedView {
    /// Of which list.
    #[garde(skip)]
    pub list: ViewedList,
    /// Its name, used once for each list.
    #[garde(length(chars, min = 1, max = 40), custom(one_line))]
    pub name: String,
    /// The filter, as the query of an address.
    #[garde(length(max = 1_000), pattern("^[!-~]*$"))]
    pub query: String,
}

/// Refuses names that show nothing or break the line.
fn one_line(text: &str, (): &()) -> garde::Result {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(garde::Error::new("must hold more than spaces, and no control characters"));
    }
    Ok(())
}
