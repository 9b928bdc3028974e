//! Which shape, tone and word a state is shown with. Nobody picks these by hand.

use catalog_api::StockBand;
use kernel::jobs::JobState;
use orders_api::OrderState;
use payments_api::{AttemptState, CaptureState, PaymentStatus, VoidState};
use serde::Serialize;

/// A state as pages show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Chip {
    shape: &'static str,
    tone: &'static str,
    pub(crate) word: &'static str,
}

const fn chip(shape: &'static str, tone: &'static str, word: &'static str) -> Chip {
    Chip { shape, tone, word }
}

impl From<OrderState> for Chip {
    fn from(state: OrderState) -> Self {
        match state {
            OrderState::Draft => chip("empty", "", "Draft"),
            OrderState::Pending => chip("empty", "", "Pending"),
            OrderState::Placed => chip("held", "", "Placed"),
            OrderState::Closed => chip("done", "ok", "Closed"),
            OrderState::Canceled => chip("void", "still", "Canceled"),
        }
    }
}

impl From<PaymentStatus> for Chip {
    fn from(status: PaymentStatus) -> Self {
        match status {
            PaymentStatus::Pending => chip("empty", "", "Pending"),
            PaymentStatus::Authorized => chip("held", "info", "Authorized"),
            PaymentStatus::PartiallyPaid => chip("part", "info", "Partially paid"),
            PaymentStatus::Paid => chip("done", "ok", "Paid"),
            PaymentStatus::PartiallyRefunded => chip("partback", "", "Partially refunded"),
            PaymentStatus::Refunded => chip("back", "", "Refunded"),
            PaymentStatus::Voided => chip("void", "still", "Voided"),
        }
    }
}

impl From<AttemptState> for Chip {
    fn from(state: AttemptState) -> Self {
        match state {
            AttemptState::Created => chip("empty", "", "Created"),
            AttemptState::RequiresAction => chip("act", "warn", "Requires action"),
            AttemptState::Processing => chip("moving", "info", "Processing"),
            AttemptState::Authorized => chip("held", "info", "Authorized"),
            AttemptState::Failed => chip("fail", "bad", "Failed"),
            AttemptState::Canceled => chip("void", "still", "Canceled"),
            AttemptState::Expired => chip("void", "still", "Expired"),
        }
    }
}

impl From<CaptureState> for Chip {
    fn from(state: CaptureState) -> Self {
        match state {
            CaptureState::Requested => chip("moving", "info", "Requested"),
            CaptureState::Succeeded => chip("done", "ok", "Succeeded"),
            CaptureState::Failed => chip("fail", "bad", "Failed"),
            CaptureState::Unknown => chip("act", "warn", "Unknown"),
        }
    }
}

impl From<VoidState> for Chip {
    fn from(state: VoidState) -> Self {
        match state {
            VoidState::Requested => chip("moving", "info", "Requested"),
            VoidState::Succeeded => chip("void", "still", "Voided"),
            VoidState::Failed => chip("fail", "bad", "Failed"),
            VoidState::Unknown => chip("act", "warn", "Unknown"),
        }
    }
}

impl From<JobState> for Chip {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Ready => chip("empty", "", "Waiting"),
            JobState::Running => chip("moving", "info", "Running"),
            JobState::Done => chip("done", "ok", "Done"),
            JobState::Dead => chip("fail", "bad", "Dead"),
        }
    }
}

/// How an order stands in money. One that is canceled before anything was held is not waiting for its payment any more.
pub(crate) fn payment(state: OrderState, status: PaymentStatus) -> Chip {
    if state == OrderState::Canceled && status == PaymentStatus::Pending { chip("void", "still", "Not paid") } else { status.into() }
}

/// The provider said no to the payment of an order.
pub(crate) const DECLINED: Chip = chip("void", "still", "Declined");

/// How a queue gets on: colour only when somebody has to look.
pub(crate) const fn queue(waiting: i64, running: i64, late: bool) -> Chip {
    if late {
        return chip("act", "warn", "Behind");
    }
    if waiting + running > 0 { chip("moving", "info", "Working") } else { chip("done", "ok", "Idle") }
}

/// How the runs of a schedule end.
pub(crate) const fn schedule(last_failure: Option<JobState>, has_run: bool) -> Chip {
    match last_failure {
        Some(JobState::Dead) => chip("fail", "bad", "Failed"),
        Some(JobState::Ready | JobState::Running) => chip("act", "warn", "Failing"),
        Some(JobState::Done) | None if has_run => chip("done", "ok", "Completed"),
        Some(JobState::Done) | None => chip("empty", "", "Not run yet"),
    }
}

/// How much shoppers see of a variant at a place.
pub(crate) const fn available(units: i64) -> Chip {
    match StockBand::of(units) {
        StockBand::Out => chip("fail", "bad", "Sold out"),
        StockBand::Low => chip("act", "warn", "Low"),
        StockBand::In => chip("done", "ok", "In stock"),
    }
}

/// Whether shoppers see a product.
pub(crate) const fn published(published: bool) -> Chip {
    if published { chip("done", "ok", "Published") } else { chip("empty", "", "Not published") }
}

/// How the variants of a product stand in stock, taken together: colour only when somebody should order.
pub(crate) fn stock(bands: &[StockBand]) -> Chip {
    match bands {
        [] => chip("empty", "still", "Not counted"),
        bands if bands.iter().all(|band| *band == StockBand::Out) => chip("fail", "bad", "Sold out"),
        bands if bands.contains(&StockBand::Out) => chip("act", "warn", "Partly sold out"),
        bands if bands.contains(&StockBand::Low) => chip("act", "warn", "Low"),
        _ => chip("done", "ok", "In stock"),
    }
}

/// Money that is held and not captured.
pub(crate) const HELD: Chip = chip("held", "info", "Held");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_paid_does_not_wait_for_its_payment() {
        assert_eq!(payment(OrderState::Canceled, PaymentStatus::Pending).word, "Not paid");
        assert_eq!(payment(OrderState::Pending, PaymentStatus::Pending).word, "Pending");
        assert_eq!(payment(OrderState::Canceled, PaymentStatus::Voided).word, "Voided");
    }

    #[test]
    fn a_product_is_as_scarce_as_its_scarcest_variant() {
        use StockBand::{In, Low, Out};
        assert_eq!(stock(&[Out, Out]).word, "Sold out");
        assert_eq!(stock(&[In, Out]).word, "Partly sold out");
        assert_eq!(stock(&[In, Low]).word, "Low");
        assert_eq!(stock(&[In]).word, "In stock");
        assert_eq!(stock(&[]).word, "Not counted");
    }
}
