//! All the SQL of the catalogue.

pub(crate) mod categories;
pub(crate) mod channels;
pub(crate) mod facets;
pub(crate) mod listing;
pub(crate) mod offers;
pub(crate) mod products;
pub(crate) mod stock;
pub(crate) mod writing;
