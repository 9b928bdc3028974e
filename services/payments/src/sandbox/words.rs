//! What the sandbox's bank says, in the language of whoever reads it.

/// The texts of the page.
#[derive(Debug)]
pub(super) struct Words {
    /// The page's language (BCP 47).
    pub(super) language: &'static str,
    pub(super) bank: &'static str,
    pub(super) trial: &'static str,
    pub(super) confirm: &'static str,
    pub(super) amount: &'static str,
    pub(super) reference: &'static str,
    pub(super) approve: &'static str,
    pub(super) decline: &'static str,
    pub(super) nothing_left: &'static str,
    pub(super) approved: &'static str,
    pub(super) declined: &'static str,
    pub(super) processing: &'static str,
    pub(super) canceled: &'static str,
    pub(super) back: &'static str,
    pub(super) unknown: &'static str,
    pub(super) unknown_text: &'static str,
    pub(super) undecided: &'static str,
    pub(super) undecided_text: &'static str,
}

const ENGLISH: Words = Words {
    language: "en",
    bank: "Sandbox bank",
    trial: "This is a trial. No money moves.",
    confirm: "Confirm your payment",
    amount: "Amount",
    reference: "Reference",
    approve: "Approve",
    decline: "Decline",
    nothing_left: "Nothing left to confirm",
    approved: "This payment was approved.",
    declined: "This payment was declined.",
    processing: "This payment is being worked on.",
    canceled: "This payment was canceled.",
    back: "Back to the shop",
    unknown: "No such payment",
    unknown_text: "Check the address, or go back to the shop.",
    undecided: "Nothing was decided",
    undecided_text: "Go back and choose approve or decline.",
};

const GERMAN: Words = Words {
    language: "de",
    bank: "Probebank",
    trial: "Dies ist eine Probe. Es fließt kein Geld.",
    confirm: "Bestätigen Sie Ihre Zahlung",
    amount: "Betrag",
    reference: "Zeichen",
    approve: "Bestätigen",
    decline: "Ablehnen",
    nothing_left: "Nichts mehr zu bestätigen",
    approved: "Diese Zahlung wurde bestätigt.",
    declined: "Diese Zahlung wurde abgelehnt.",
    processing: "Diese Zahlung wird bearbeitet.",
    canceled: "Diese Zahlung wurde abgebrochen.",
    back: "Zurück zum Laden",
    unknown: "Diese Zahlung gibt es nicht",
    unknown_text: "Prüfen Sie die Adresse oder gehen Sie zurück zum Laden.",
    undecided: "Nichts wurde entschieden",
    undecided_text: "Gehen Sie zurück und wählen Sie Bestätigen oder Ablehnen.",
};

impl Words {
    /// The texts in the first known language of an `Accept-Language`; English if none is.
    pub(super) fn of(accepted: &str) -> &'static Self {
        let language = |entry: &str| entry.split([';', '-']).next().unwrap_or_default().trim().to_ascii_lowercase();
        let first = accepted.split(',').map(language).find(|language| matches!(language.as_str(), "en" | "de"));
        if first.as_deref() == Some("de") { &GERMAN } else { &ENGLISH }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_language_is_spoken() {
        for (accepted, language) in [("", "en"), ("fr, de-AT;q=0.8, en;q=0.5", "de"), ("en-GB,de", "en"), ("DE", "de"), ("*", "en")] {
            assert_eq!(Words::of(accepted).language, language, "{accepted}");
        }
    }
}
