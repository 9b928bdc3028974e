//! The words every part of Tradewind shares: ids, money, quantities, places, pages, problems, events.
//!
//! No input or output happens here. Time and randomness enter through [`Clock`] and [`random`] only, so
//! that everything built on top can be replayed.

pub mod audit;
mod clock;
mod country;
mod endpoint;
mod event;
pub mod headers;
mod id;
pub mod jobs;
mod locale;
mod money;
mod page;
mod problem;
mod quantity;
pub mod random;
mod secret;
mod text;

pub use clock::{Clock, Timestamp};
pub use country::{Country, CountryError};
pub use endpoint::{Endpoint, Method};
pub use event::Event;
pub use id::{Id, IdError, Kind};
pub use locale::{Locale, LocaleError};
pub use money::{Currency, CurrencyError, Money, MoneyError};
pub use page::{Cursor, MAX_PAGE, Page, PageQuery};
pub use problem::{FieldProblem, Problem};
pub use quantity::{Quantity, QuantityError};
pub use secret::{TOKEN_BYTES, Token, TokenError, TokenHash};

/// Declares the id of one kind of thing: `id_kind!(/// An order.\n pub Order => OrderId, "ord")`.
#[macro_export]
macro_rules! id_kind {
    ($(#[$meta:meta])* $visibility:vis $kind:ident => $alias:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $visibility enum $kind {}
        impl $crate::Kind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        #[doc = concat!("Identifies one ", stringify!($kind), "; shown as `", $prefix, "_…`.")]
        $visibility type $alias = $crate::Id<$kind>;
    };
}
