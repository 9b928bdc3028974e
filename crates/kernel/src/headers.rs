//! The request headers Tradewind's parts agree on, in small letters.

/// Names a channel by code.
pub const CHANNEL: &str = "x-channel";
/// The shopper's address, passed on by our own web tier.
pub const CLIENT_ADDRESS: &str = "x-client-address";
/// Proves that a caller is our own web tier.
pub const INTERNAL_CREDENTIAL: &str = "x-internal-credential";
/// Our own web tier heard of a change so many milliseconds ago: the answer must not be older. Heard from the web tier only.
pub const FRESHER_THAN_MS: &str = "x-fresher-than-ms";
/// Names what an answer shows, for caches to drop it by.
pub const SURROGATE_KEY: &str = "surrogate-key";
/// Names one request in answers, logs and problems.
pub const REQUEST_ID: &str = "x-request-id";
/// The client's key that makes a repeat harmless.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The secret that opens a cart.
pub const CART_TOKEN: &str = "x-cart-token";
/// The secret that opens a guest's order.
pub const ORDER_TOKEN: &str = "x-order-token";
/// A script of the storefront asks for a part of a page.
pub const FOR_A_PART: &str = "hx-request";
