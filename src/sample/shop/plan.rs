//! What can happen to an order, in which sequence and how soon.

use crate::sample::{
    calendar::{DAY, HOUR, MINUTE, SECOND},
    rng::Rng,
    shop::{EVENTFUL_ORDER, IMPOSSIBLE_ORDER, PLAIN_ORDER},
};

/// What happens to an order, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    PaymentFails,
    Pay,
    CorrectAddress,
    AddNote,
    RemoveNote,
    Pack,
    Ship,
    Deliver,
    RequestReturn,
    ReceiveReturn,
    Refund,
    Cancel,
}

impl Step {
    /// The type of its event.
    pub(super) fn event_type(self) -> &'static str {
        match self {
            Self::PaymentFails => "PaymentFailed",
            Self::Pay => "OrderPaid",
            Self::CorrectAddress => "ShippingAddressCorrected",
            Self::AddNote => "GiftNoteAdded",
            Self::RemoveNote => "GiftNoteRemoved",
            Self::Pack => "OrderPacked",
            Self::Ship => "OrderShipped",
            Self::Deliver => "OrderDelivered",
            Self::RequestReturn => "ReturnRequested",
            Self::ReceiveReturn => "ReturnReceived",
            Self::Refund => "OrderRefunded",
            Self::Cancel => "OrderCancelled",
        }
    }

    /// How long it takes to come to this step, in microseconds.
    pub(super) fn lasts(self, rng: &mut Rng) -> i64 {
        match self {
            Self::PaymentFails | Self::Pay => rng.between(20 * SECOND, 40 * MINUTE),
            Self::CorrectAddress | Self::AddNote | Self::RemoveNote => rng.between(5 * MINUTE, 9 * HOUR),
            Self::Pack => rng.between(2 * HOUR, 30 * HOUR),
            Self::Ship => rng.between(30 * MINUTE, 10 * HOUR),
            Self::Deliver => rng.between(DAY, 6 * DAY),
            Self::RequestReturn => rng.between(2 * DAY, 13 * DAY),
            Self::ReceiveReturn => rng.between(3 * DAY, 8 * DAY),
            Self::Refund => rng.between(2 * HOUR, 3 * DAY),
            Self::Cancel => rng.between(HOUR, 4 * DAY),
        }
    }
}

/// The life of an order, the last step first. Three orders have one that is good to show.
pub(super) fn plan(number: u64, rng: &mut Rng) -> Vec<Step> {
    let mut plan = match number {
        PLAIN_ORDER => vec![Step::Pay, Step::Pack, Step::Ship, Step::Deliver],
        EVENTFUL_ORDER => vec![
            Step::PaymentFails,
            Step::AddNote,
            Step::Pay,
            Step::CorrectAddress,
            Step::RemoveNote,
            Step::Pack,
            Step::Ship,
            Step::Deliver,
            Step::RequestReturn,
            Step::ReceiveReturn,
            Step::Refund,
        ],
        // Support cancels and voids the payment while the parcel stands packed; it goes out all the same.
        IMPOSSIBLE_ORDER => vec![Step::Pay, Step::Pack, Step::Cancel, Step::Ship, Step::Deliver],
        _ => any_plan(rng),
    };
    plan.reverse();
    plan
}

fn any_plan(rng: &mut Rng) -> Vec<Step> {
    let mut plan = Vec::with_capacity(8);
    let mut maybe = |percent: u64, steps: &[Step]| {
        let happens = rng.chance(percent);
        if happens {
            plan.extend_from_slice(steps);
        }
        happens
    };
    maybe(10, &[Step::PaymentFails]);
    maybe(12, &[Step::AddNote]);
    if maybe(7, &[Step::Cancel]) {
        return plan;
    }
    maybe(100, &[Step::Pay]);
    maybe(9, &[Step::CorrectAddress]);
    if maybe(3, &[Step::Cancel]) {
        return plan;
    }
    maybe(100, &[Step::Pack, Step::Ship, Step::Deliver]);
    maybe(13, &[Step::RequestReturn, Step::ReceiveReturn, Step::Refund]);
    plan
}
