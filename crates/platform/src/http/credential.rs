use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use http::{HeaderMap, HeaderValue};
use kernel::headers;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The secret by which the API knows our own web tier. Clones share it, so a rotated one is set once and holds everywhere.
///
/// While two processes hold different ones for a moment, the pages' calls count as a stranger's: limits see the pages' address, nothing fails.
#[derive(Clone)]
pub struct InternalCredential(Arc<RwLock<SecretString>>);

impl InternalCredential {
    /// Replaces the secret.
    pub fn set(&self, secret: SecretString) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = secret;
    }

    /// Whether a request carries the secret; compared in constant time. An empty secret is nobody's.
    #[must_use]
    pub fn is_sent_in(&self, sent: &HeaderMap) -> bool {
        let secret = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let secret = secret.expose_secret();
        let credential = sent.get(headers::INTERNAL_CREDENTIAL).map(HeaderValue::as_bytes).unwrap_or_default();
        !secret.is_empty() && bool::from(credential.ct_eq(secret.as_bytes()))
    }

    /// The secret as the header carries it.
    #[must_use]
    pub fn reveal(&self) -> String {
        self.0.read().unwrap_or_else(PoisonError::into_inner).expose_secret().to_owned()
    }
}

impl From<SecretString> for InternalCredential {
    fn from(secret: SecretString) -> Self {
        Self(Arc::new(RwLock::new(secret)))
    }
}

impl From<&str> for InternalCredential {
    fn from(secret: &str) -> Self {
        SecretString::from(secret).into()
    }
}

impl fmt::Debug for InternalCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
