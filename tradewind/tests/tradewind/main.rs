//! The real program on a data folder of its own: how it starts, refuses, drains, dies and comes back.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod api;
mod books;
mod browser;
mod check;
mod degradation;
#[cfg(feature = "faults")]
mod faults;
mod gateway;
mod journey;
mod lifecycle;
mod process;
mod random;
mod reads;
mod refusals;
#[cfg(feature = "faults")]
mod releases;
mod secrets;
mod seed;
mod sharing;
mod shopper;
mod smoke;
mod tools;
mod workers;
