//! The rules of staff access, without input or output.

use std::net::IpAddr;

use chrono::TimeDelta;
use identity_api::{Role, StaffId, StaffSessionId};
use kernel::Timestamp;
use service::Permission;
use sha2::{Digest, Sha256};

/// How long an invitation can be taken.
pub(crate) const INVITATION_LIFE: TimeDelta = TimeDelta::days(7);
/// How long a session lasts at most: a working day, so that the next one begins with a sign-in.
pub(crate) const SESSION_LIFE: TimeDelta = TimeDelta::hours(12);
/// How long a session lasts unseen.
pub(crate) const SESSION_IDLE: TimeDelta = TimeDelta::hours(2);
/// How far behind the last-seen time of a session may be, to spare a write on every request.
pub(crate) const SEEN_PRECISION: TimeDelta = TimeDelta::minutes(1);
/// How long ended sessions and invitations are kept, for those who look into an incident.
pub(crate) const KEPT: TimeDelta = TimeDelta::days(30);

/// How the bus names a session: said when it ends before its time.
#[must_use]
pub(crate) fn session_tag(id: StaffSessionId) -> String {
    format!("session:{id}")
}

/// How the bus names a member of staff: said when what they may do has changed, or all their sessions have ended.
#[must_use]
pub(crate) fn staff_tag(id: StaffId) -> String {
    format!("staff:{id}")
}

/// In what time sign-ins are counted.
pub(crate) const THROTTLE_WINDOW: TimeDelta = TimeDelta::minutes(15);
/// How many sign-ins one e-mail address may try in a window.
const TRIES_PER_EMAIL: i32 = 10;
/// How many sign-ins one network address may try in a window; a whole office may share one.
const TRIES_PER_ADDRESS: i32 = 50;

/// An e-mail address as it is kept and compared.
#[must_use]
pub(crate) fn normalize_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Whether a text could be an e-mail address: something, an at sign, a domain, no spaces.
#[must_use]
pub(crate) fn is_email(email: &str) -> bool {
    let parts = email.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
    parts.is_some() && email.len() <= 254 && !email.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

/// Why a password is refused. Its length is checked by the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordRefused {
    /// It is the e-mail address, or its part before the at sign repeated.
    #[error("must not be the e-mail address")]
    Email,
    /// It is one letter over and over.
    #[error("must not be one character repeated")]
    Repeated,
}

/// Refuses passwords that everybody would try first.
///
/// # Errors
/// See [`PasswordRefused`].
pub(crate) fn check_password(password: &str, email: &str) -> Result<(), PasswordRefused> {
    let lower = password.trim().to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    if lower == email || (!local.is_empty() && lower.replace(local, "").is_empty()) {
        return Err(PasswordRefused::Email);
    }
    let mut letters = password.chars();
    let first = letters.next();
    if letters.all(|letter| Some(letter) == first) {
        return Err(PasswordRefused::Repeated);
    }
    Ok(())
}

/// What a role may do.
#[must_use]
pub(crate) fn permissions(role: Role) -> Vec<Permission> {
    use Permission::{EditCatalog, EditStock, HandleOrders, ManageStaff, ReplayJobs, View};
    match role {
        Role::Owner => vec![View, EditCatalog, EditStock, HandleOrders, ReplayJobs, ManageStaff],
        Role::Manager => vec![View, EditCatalog, EditStock, HandleOrders, ReplayJobs],
        Role::Viewer => vec![View],
    }
}

/// What tries are counted under: one e-mail address, or one network address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ThrottleSubjects {
    /// The e-mail address, hashed: people type passwords into the wrong field.
    pub(crate) email: String,
    /// The network address; of IPv6 the part a household or office has for itself (/64).
    pub(crate) address: String,
}

impl ThrottleSubjects {
    /// The subjects of one try; `email` is normalized.
    #[must_use]
    pub(crate) fn new(email: &str, address: IpAddr) -> Self {
        let hash = Sha256::digest(email.as_bytes()).iter().take(16).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        Self { email: format!("email:{hash}"), address: format!("address:{}", network(address)) }
    }

    /// How many tries a subject has in a window.
    #[must_use]
    pub(crate) fn limit(&self, subject: &str) -> i32 {
        if subject == self.email { TRIES_PER_EMAIL } else { TRIES_PER_ADDRESS }
    }
}

fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// The tries of one subject in its present window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tries {
    /// Whose.
    pub(crate) subject: String,
    /// How many, this one included.
    pub(crate) attempts: i32,
    /// Since when.
    pub(crate) window_started_at: Timestamp,
}

/// How many seconds to wait, when any subject has used up its tries.
#[must_use]
pub(crate) fn throttled(subjects: &ThrottleSubjects, tries: &[Tries], now: Timestamp) -> Option<u32> {
    let over = tries.iter().filter(|tries| tries.attempts > subjects.limit(&tries.subject));
    let seconds = over.map(|tries| (tries.window_started_at + THROTTLE_WINDOW - now).num_seconds().max(0)).max()?;
    Some(u32::try_from(seconds).unwrap_or(u32::MAX).saturating_add(1))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn addresses_of_one_person_compare_equal() {
        assert_eq!(normalize_email("  Ada@Example.COM "), "ada@example.com");
    }

    #[test]
    fn texts_without_a_domain_are_no_addresses() {
        for text in ["", "ada", "@example.com", "ada@", "a da@example.com", "ada@exam\nple.com"] {
            assert!(!is_email(text), "{text:?}");
        }
        assert!(is_email("ada@example.com"));
    }

    #[test]
    fn passwords_everybody_would_try_are_refused() {
        let email = "ada.lovelace@example.com";
        assert_eq!(check_password("Ada.Lovelace@example.com", email), Err(PasswordRefused::Email));
        assert_eq!(check_password("ada.lovelaceada.lovelace", email), Err(PasswordRefused::Email));
        assert_eq!(check_password("aaaaaaaaaaaaaaaa", email), Err(PasswordRefused::Repeated));
        assert_eq!(check_password("correct horse battery", email), Ok(()));
    }

    #[test]
    fn only_owners_manage_staff_and_viewers_change_nothing() {
        assert!(permissions(Role::Owner).contains(&Permission::ManageStaff));
        assert!(!permissions(Role::Manager).contains(&Permission::ManageStaff));
        assert!(permissions(Role::Manager).contains(&Permission::ReplayJobs));
        assert_eq!(permissions(Role::Viewer), [Permission::View]);
    }

    #[test]
    fn one_household_of_ipv6_counts_as_one_address() {
        let of = |text: &str| ThrottleSubjects::new("a@b.example", text.parse().unwrap()).address;
        assert_eq!(of("2001:db8:1:2::7"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::7"), of("2001:db8:1:3::7"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
    }

    #[test]
    fn the_wait_ends_with_the_window() {
        let subjects = ThrottleSubjects::new("a@b.example", "192.0.2.7".parse().unwrap());
        let start = Timestamp::UNIX_EPOCH;
        let tries = |attempts| [Tries { subject: subjects.email.clone(), attempts, window_started_at: start }];
        let now = start + TimeDelta::minutes(5);
        assert_eq!(throttled(&subjects, &tries(TRIES_PER_EMAIL), now), None);
        assert_eq!(throttled(&subjects, &tries(TRIES_PER_EMAIL + 1), now), Some(601));
    }
}
