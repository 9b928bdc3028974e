//! storefront.
