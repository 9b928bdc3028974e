//! What makes this build a bad release, so that one can see what becomes of a bad release.
//!
//! Only a build with the cargo feature `faults` has them. `TRADEWIND_FAULT` names the one that it has from its start to its end, or a fault
//! point of a checkout ([`checkout::faults`]). In every other build nothing here does anything.

#[cfg(feature = "faults")]
mod seeded;
#[cfg(not(feature = "faults"))]
mod without;

#[cfg(feature = "faults")]
pub(crate) use seeded::{crash_later, expansion, failing_migration, port, refuse_unknown, spoil};
#[cfg(not(feature = "faults"))]
pub(crate) use without::{crash_later, expansion, failing_migration, port, refuse_unknown, spoil};
