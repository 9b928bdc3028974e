//! The rules of payments, without input or output: the three state machines, what may be captured, what an order's status is.

use catalog_api::ChannelKind;
use kernel::{Currency, Money, MoneyError};
use payments_api::{AttemptAnswer, AttemptState, CaptureState, PaymentStatus, PaymentSummary, VoidState};

/// What can happen to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptEvent {
    /// The shopper has to do something.
    RequireAction,
    /// The provider is working on it, or did not answer.
    Process,
    /// The provider holds the money for us.
    Authorize,
    /// The provider said no.
    Fail,
    /// It was taken back.
    Cancel,
    /// It was taken back because nobody finished it in time.
    Expire,
}

/// The life of an attempt: from, event, to. What is not here changes nothing.
pub(crate) const ATTEMPT_TRANSITIONS: &[(AttemptState, AttemptEvent, AttemptState)] = &[
    (AttemptState::Created, AttemptEvent::RequireAction, AttemptState::RequiresAction),
    (AttemptState::Created, AttemptEvent::Process, AttemptState::Processing),
    (AttemptState::Created, AttemptEvent::Authorize, AttemptState::Authorized),
    (AttemptState::Created, AttemptEvent::Fail, AttemptState::Failed),
    (AttemptState::Created, AttemptEvent::Cancel, AttemptState::Canceled),
    (AttemptState::Created, AttemptEvent::Expire, AttemptState::Expired),
    (AttemptState::RequiresAction, AttemptEvent::Process, AttemptState::Processing),
    (AttemptState::RequiresAction, AttemptEvent::Authorize, AttemptState::Authorized),
    (AttemptState::RequiresAction, AttemptEvent::Fail, AttemptState::Failed),
    (AttemptState::RequiresAction, AttemptEvent::Cancel, AttemptState::Canceled),
    (AttemptState::RequiresAction, AttemptEvent::Expire, AttemptState::Expired),
    // A call that was not answered in time left us at `processing`; the provider may say later that it waits for the shopper.
    (AttemptState::Processing, AttemptEvent::RequireAction, AttemptState::RequiresAction),
    (AttemptState::Processing, AttemptEvent::Authorize, AttemptState::Authorized),
    (AttemptState::Processing, AttemptEvent::Fail, AttemptState::Failed),
    (AttemptState::Processing, AttemptEvent::Cancel, AttemptState::Canceled),
    (AttemptState::Processing, AttemptEvent::Expire, AttemptState::Expired),
];

/// What can happen to a capture or a void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettlementEvent {
    /// The provider did it.
    Succeed,
    /// The provider said no.
    Fail,
    /// The provider did not answer in time.
    LoseTrack,
}

/// The life of a capture: from, event, to.
pub(crate) const CAPTURE_TRANSITIONS: &[(CaptureState, SettlementEvent, CaptureState)] = &[
    (CaptureState::Requested, SettlementEvent::Succeed, CaptureState::Succeeded),
    (CaptureState::Requested, SettlementEvent::Fail, CaptureState::Failed),
    (CaptureState::Requested, SettlementEvent::LoseTrack, CaptureState::Unknown),
    (CaptureState::Unknown, SettlementEvent::Succeed, CaptureState::Succeeded),
    (CaptureState::Unknown, SettlementEvent::Fail, CaptureState::Failed),
];

/// The life of a void: from, event, to.
pub(crate) const VOID_TRANSITIONS: &[(VoidState, SettlementEvent, VoidState)] = &[
    (VoidState::Requested, SettlementEvent::Succeed, VoidState::Succeeded),
    (VoidState::Requested, SettlementEvent::Fail, VoidState::Failed),
    (VoidState::Requested, SettlementEvent::LoseTrack, VoidState::Unknown),
    (VoidState::Unknown, SettlementEvent::Succeed, VoidState::Succeeded),
    (VoidState::Unknown, SettlementEvent::Fail, VoidState::Failed),
];

/// Where an event leads; nothing when it changes nothing.
pub(crate) fn step<S: Copy + PartialEq, E: Copy + PartialEq>(table: &[(S, E, S)], from: S, event: E) -> Option<S> {
    table.iter().find(|(state, known, _)| *state == from && *known == event).map(|(_, _, to)| *to)
}

/// What an authorization holds, and what of it is taken or being taken. The conditional update in the store keeps the same rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Authorization {
    /// What was authorized.
    pub(crate) amount_minor: i64,
    /// What succeeded captures took.
    pub(crate) captured_minor: i64,
    /// What open captures may take.
    pub(crate) capturing_minor: i64,
}

impl Authorization {
    /// What can still be asked for.
    pub(crate) const fn rest_minor(self) -> i64 {
        self.amount_minor.saturating_sub(self.captured_minor).saturating_sub(self.capturing_minor)
    }

    /// How much a capture takes: what is asked for, or all that is left. Nothing if that is not there.
    pub(crate) fn takes(self, asked_minor: Option<i64>) -> Option<i64> {
        let takes = asked_minor.unwrap_or(self.rest_minor());
        (1..=self.rest_minor()).contains(&takes).then_some(takes)
    }
}

/// How an order stands in money. The one place where the status is derived; an attempt counts while it is authorized and not let go.
pub(crate) fn summarize(attempts: Vec<AttemptAnswer>) -> Result<PaymentSummary, MoneyError> {
    // An order without attempts has no money and so no currency of its own; nothing in euro is nothing.
    let currency = attempts.first().map_or(Currency::EUR, |attempt| attempt.amount.currency());
    let holds = |attempt: &&AttemptAnswer| attempt.state == AttemptState::Authorized && !is_voided(attempt);
    let authorized = Money::sum(currency, attempts.iter().filter(holds).map(|attempt| attempt.amount))?;
    let captures = attempts.iter().flat_map(|attempt| &attempt.captures);
    let captured = Money::sum(currency, captures.filter(|capture| capture.state == CaptureState::Succeeded).map(|capture| capture.amount))?;
    let any_voided = attempts.iter().any(|attempt| attempt.state == AttemptState::Authorized && is_voided(attempt));
    let status = match (captured.amount_minor(), authorized.amount_minor()) {
        (0, 0) if any_voided => PaymentStatus::Voided,
        (0, 0) => PaymentStatus::Pending,
        (0, _) => PaymentStatus::Authorized,
        (captured, authorized) if captured < authorized => PaymentStatus::PartiallyPaid,
        _ => PaymentStatus::Paid,
    };
    Ok(PaymentSummary { status, authorized, captured, attempts })
}

fn is_voided(attempt: &AttemptAnswer) -> bool {
    attempt.void.as_ref().is_some_and(|void| void.state == VoidState::Succeeded)
}

/// Whether a shopper may be sent there: a path on this shop, and nothing a browser could read as another host.
pub(crate) fn is_path_on_this_shop(url: &str) -> bool {
    url.starts_with('/') && !url.starts_with("//") && url.len() <= 500 && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// A channel's kind as the tables hold it.
pub(crate) fn channel_kind(text: &str) -> Option<ChannelKind> {
    [ChannelKind::Live, ChannelKind::Test].into_iter().find(|kind| kind.as_str() == text)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use chrono::DateTime;
    use payments_api::{AttemptId, CaptureAnswer, CaptureId, VoidAnswer, VoidId};
    use proptest::prelude::*;

    fn attempt_event() -> impl Strategy<Value = AttemptEvent> {
        use AttemptEvent::{Authorize, Cancel, Expire, Fail, Process, RequireAction};
        prop::sample::select(vec![RequireAction, Process, Authorize, Fail, Cancel, Expire])
    }

    fn settlement_event() -> impl Strategy<Value = SettlementEvent> {
        prop::sample::select(vec![SettlementEvent::Succeed, SettlementEvent::Fail, SettlementEvent::LoseTrack])
    }

    proptest! {
        #[test]
        fn no_sequence_of_events_leaves_an_end_or_authorizes_twice(events in prop::collection::vec(attempt_event(), 0..40)) {
            let mut state = AttemptState::Created;
            let mut authorizations = 0;
            for event in events {
                if let Some(next) = step(ATTEMPT_TRANSITIONS, state, event) {
                    prop_assert!(!state.is_final());
                    prop_assert_ne!(next, AttemptState::Created);
                    authorizations += u32::from(next == AttemptState::Authorized);
                    state = next;
                }
            }
            prop_assert!(authorizations <= 1);
        }

        #[test]
        fn captures_and_voids_settle_at_most_once(events in prop::collection::vec(settlement_event(), 0..20)) {
            let (mut capture, mut void, mut settled) = (CaptureState::Requested, VoidState::Requested, 0);
            for event in events {
                if let Some(next) = step(CAPTURE_TRANSITIONS, capture, event) {
                    prop_assert!(!matches!(capture, CaptureState::Succeeded | CaptureState::Failed));
                    settled += u32::from(matches!(next, CaptureState::Succeeded | CaptureState::Failed));
                    capture = next;
                }
                if let Some(next) = step(VOID_TRANSITIONS, void, event) {
                    prop_assert!(!matches!(void, VoidState::Succeeded | VoidState::Failed));
                    void = next;
                }
                prop_assert_eq!(capture.as_str(), void.as_str());
            }
            prop_assert!(settled <= 1);
        }

        #[test]
        fn captures_never_exceed_what_is_authorized(
            amount in 1_i64..1_000,
            asked in prop::collection::vec((prop::option::of(-50_i64..1_200), settlement_event()), 0..30),
        ) {
            let mut authorization = Authorization { amount_minor: amount, captured_minor: 0, capturing_minor: 0 };
            for (asked, event) in asked {
                let Some(takes) = authorization.takes(asked) else { continue };
                prop_assert!(takes > 0);
                authorization.capturing_minor += takes;
                if event != SettlementEvent::LoseTrack {
                    authorization.capturing_minor -= takes;
                    authorization.captured_minor += if event == SettlementEvent::Succeed { takes } else { 0 };
                }
                prop_assert!(authorization.captured_minor + authorization.capturing_minor <= amount);
                prop_assert!(authorization.rest_minor() >= 0);
            }
        }

        #[test]
        fn a_return_address_never_leaves_the_shop(rest in ".{0,60}") {
            let url = format!("/{rest}");
            if is_path_on_this_shop(&url) {
                prop_assert!(!url.starts_with("//") && !url.contains('\\') && !url.chars().any(|letter| letter.is_control() || letter.is_whitespace()));
            }
        }
    }

    #[test]
    fn every_open_state_of_an_attempt_can_reach_every_end() {
        for from in AttemptState::ALL.into_iter().filter(|state| !state.is_final()) {
            for event in [AttemptEvent::Authorize, AttemptEvent::Fail, AttemptEvent::Cancel, AttemptEvent::Expire] {
                assert!(step(ATTEMPT_TRANSITIONS, from, event).unwrap().is_final(), "{from:?} {event:?}");
            }
        }
    }

    #[test]
    fn addresses_elsewhere_are_no_paths_on_this_shop() {
        for url in ["", "https://evil.example/", "//evil.example", "/\\evil.example", "checkout", "/a b", "/a\nb", "/ä"] {
            assert!(!is_path_on_this_shop(url), "{url:?}");
        }
        assert!(is_path_on_this_shop("/checkout/return?cart=1"));
    }

    fn attempt(state: AttemptState, captured: &[(CaptureState, i64)], void: Option<VoidState>) -> AttemptAnswer {
        let now = DateTime::UNIX_EPOCH;
        let capture = |(state, amount): &(CaptureState, i64)| CaptureAnswer {
            id: CaptureId::new(now),
            state: *state,
            amount: Money::new(*amount, Currency::EUR),
            failure_code: None,
            created_at: now,
        };
        AttemptAnswer {
            id: AttemptId::new(now),
            provider: "manual".to_owned(),
            state,
            amount: Money::new(100, Currency::EUR),
            provider_reference: None,
            failure_code: None,
            created_at: now,
            captures: captured.iter().map(capture).collect(),
            void: void.map(|state| VoidAnswer { id: VoidId::new(now), state, failure_code: None, created_at: now }),
        }
    }

    #[test]
    fn the_status_of_an_order_follows_from_its_rows() {
        use AttemptState::{Authorized, Canceled, Failed, Processing};
        use CaptureState::{Succeeded, Unknown};
        let cases = [
            (vec![], PaymentStatus::Pending),
            (vec![attempt(Failed, &[], None), attempt(Processing, &[], None)], PaymentStatus::Pending),
            (vec![attempt(Failed, &[], None), attempt(Authorized, &[], None)], PaymentStatus::Authorized),
            (vec![attempt(Authorized, &[(Unknown, 100)], None)], PaymentStatus::Authorized),
            (vec![attempt(Authorized, &[(Succeeded, 40)], None)], PaymentStatus::PartiallyPaid),
            (vec![attempt(Authorized, &[(Succeeded, 40), (CaptureState::Failed, 60)], None)], PaymentStatus::PartiallyPaid),
            (vec![attempt(Authorized, &[(Succeeded, 40), (Succeeded, 60)], None)], PaymentStatus::Paid),
            (vec![attempt(Authorized, &[], Some(VoidState::Requested))], PaymentStatus::Authorized),
            (vec![attempt(Authorized, &[], Some(VoidState::Succeeded))], PaymentStatus::Voided),
            // An authorization that came too late was never the order's money.
            (vec![attempt(Canceled, &[], Some(VoidState::Succeeded))], PaymentStatus::Pending),
        ];
        for (attempts, status) in cases {
            assert_eq!(summarize(attempts.clone()).unwrap().status, status, "{attempts:?}");
        }
    }
}
