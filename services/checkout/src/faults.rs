//! Fault points: the places in a completion between which a killed process leaves something to be put right.
//!
//! With the cargo feature `faults` a test arms one of them, and the process kills itself when it comes by. Without the feature
//! [`reach`] is nothing.

/// Where a completion may be cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultPoint {
    /// Everything of a payment that needs no outside call is written and not committed.
    ImmediateWritten,
    /// The same, committed; the shopper has no answer yet.
    ImmediateCommitted,
    /// The intent (hold, pending order, attempt, claim on the cart) is written and not committed.
    IntentWritten,
    /// The intent is committed; the provider has not been called.
    IntentCommitted,
    /// The provider has answered; nothing of it is written.
    ProviderAnswered,
    /// The outcome and all that follows from it is written and not committed.
    OutcomeWritten,
    /// The outcome is committed; the shopper has no answer yet.
    OutcomeCommitted,
    /// The shopper came back and the provider told how it stands; nothing of it is written.
    ResumeAnswered,
    /// News of an attempt that came without the shopper is settled and not committed.
    NewsWritten,
}

impl FaultPoint {
    /// Every fault point.
    pub const ALL: [Self; 9] = [
        Self::ImmediateWritten,
        Self::ImmediateCommitted,
        Self::IntentWritten,
        Self::IntentCommitted,
        Self::ProviderAnswered,
        Self::OutcomeWritten,
        Self::OutcomeCommitted,
        Self::ResumeAnswered,
        Self::NewsWritten,
    ];

    /// The name by which a test arms it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ImmediateWritten => "immediate_written",
            Self::ImmediateCommitted => "immediate_committed",
            Self::IntentWritten => "intent_written",
            Self::IntentCommitted => "intent_committed",
            Self::ProviderAnswered => "provider_answered",
            Self::OutcomeWritten => "outcome_written",
            Self::OutcomeCommitted => "outcome_committed",
            Self::ResumeAnswered => "resume_answered",
            Self::NewsWritten => "news_written",
        }
    }
}

/// The environment variable that arms a fault point, by its name.
pub const VARIABLE: &str = "TRADEWIND_FAULT";

/// Kills the process (SIGKILL, as a power cut would) if this point is armed.
#[cfg(feature = "faults")]
pub fn reach(point: FaultPoint) {
    #[expect(clippy::disallowed_methods, reason = "a switch for tests, compiled into test builds only, not a setting")]
    let armed = std::env::var(VARIABLE).is_ok_and(|name| name == point.as_str());
    if armed {
        tracing::warn!(point = point.as_str(), "fault point reached, killing this process");
        platform::telemetry::flush_logs();
        if let Err(error) = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL) {
            tracing::error!(%error, "this process cannot kill itself");
        }
        // The signal may take a moment; nothing must happen meanwhile.
        loop {
            std::thread::park();
        }
    }
}

/// Nothing: the build has no fault points.
#[cfg(not(feature = "faults"))]
pub const fn reach(_point: FaultPoint) {}

#[cfg(test)]
mod tests {
    use super::FaultPoint;

    #[test]
    fn every_fault_point_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = FaultPoint::ALL.iter().map(|point| point.as_str()).collect();
        assert_eq!(names.len(), FaultPoint::ALL.len());
    }
}
