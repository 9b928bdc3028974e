//! Who did what to which record, as staff see it: the ground floor's own part of the admin surface.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::Timestamp;

crate::id_kind!(/// Something that was written down for later.
    pub AuditEntry => AuditEntryId, "aud");

/// The endpoint of the audit, for staff.
pub mod endpoints {
    use super::AuditEntryAnswer;
    use crate::{Endpoint, Method, Page};

    /// What was done to a record, the latest first; query [`super::AuditQuery`].
    pub const ADMIN_LIST_AUDIT_ENTRIES: Endpoint<(), Page<AuditEntryAnswer>> = Endpoint::new(Method::Get, "/admin/v1/audit-entries");
}

/// Something that was done. Written in the transaction that did it, and never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntryAnswer {
    /// The entry's id.
    #[schema(value_type = String, example = "aud_01jd4x3h5yfb0v7q0000000000")]
    pub id: AuditEntryId,
    /// Who did it.
    pub actor: String,
    /// The stable name of what was done, such as `product.updated`.
    pub action: String,
    /// The record it was done to.
    pub subject: String,
    /// What was asked for.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
}

/// Which entries to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// The record, by its id, such as `prd_…`.
    pub subject: String,
    /// How many items at most, 1 to 100; 24 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 100, default = 24)]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
