use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{random, validated_text};

/// How many random bytes a token holds.
pub const TOKEN_BYTES: usize = 32;

/// A bearer secret of 32 random bytes, shown once as 43 base64url characters. Only its [`TokenHash`] is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; TOKEN_BYTES]);

/// The text is no token.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a token")]
pub struct TokenError;

impl Token {
    /// Makes a new secret.
    #[must_use]
    pub fn generate() -> Self {
        Self(random::bytes())
    }

    /// What the database keeps: SHA-256. The token's 256 random bits need no salt and no slow hash.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }

    /// The secret as text, to hand to its owner.
    #[must_use]
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let mut bytes = [0; TOKEN_BYTES];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(TOKEN_BYTES) => Ok(Self(bytes)),
            _ => Err(TokenError),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reveal())
    }
}

validated_text!(Token, "Token", |object| object.description(Some("A secret of 43 base64url characters; keep it, it is shown once.")));

/// The SHA-256 of a [`Token`], compared in constant time.
#[derive(Debug, Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The bytes a `bytea` column holds.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether a stored hash is this one.
    #[must_use]
    pub fn matches(&self, stored: &[u8]) -> bool {
        self.0.ct_eq(stored).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_text_and_never_shows_in_debug() {
        let token = Token::generate();
        assert_eq!(token.reveal().parse(), Ok(token.clone()));
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert!(token.hash().matches(token.hash().as_bytes()));
        assert!(!token.hash().matches(Token::generate().hash().as_bytes()));
    }

    #[test]
    fn texts_of_another_length_are_refused() {
        for text in ["", "abc", &"a".repeat(42), &"a".repeat(44), &"a".repeat(4_000)] {
            assert_eq!(text.parse::<Token>(), Err(TokenError));
        }
    }
}
