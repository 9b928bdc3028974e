//! A small shop to show: one order, one product, as the API answers them.

use std::collections::BTreeMap;

use catalog_api::{
    AdminProduct, AdminVariant, CategoryAnswer, ChannelAnswer, ChannelKind, DeliveryMethod, MediaReference, OptionValue, PriceDraft, ProductOption, StockBand,
};
use inventory_api::{LevelAnswer, LocationAnswer, MovementAnswer, MovementKind};
use kernel::audit::AuditEntryAnswer;
use kernel::jobs::{JobAnswer, JobState, QueueAnswer, ScheduleAnswer, ScheduleFailure};
use kernel::{Currency, Id, Kind, Money, Timestamp};
use orders_api::{Address, AdminOrder, OrderAnswer, OrderLineAnswer, OrderState, OrderSummary, OrderTotals, SalesAnswer, SalesOfHour, TimelineEntryAnswer};
use payments_api::{AttemptAnswer, AttemptState, CaptureAnswer, CaptureState, PaymentStatus, PaymentSummary};

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_795_356_420 + seconds, 0).unwrap()
}

/// Always the same id for the same kind and number.
pub(crate) fn id<K: Kind>(number: u8) -> Id<K> {
    format!("{}_0{}{}", K::PREFIX, "0".repeat(22), format_args!("{number:03}")).parse().unwrap()
}

pub(crate) fn euro(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

pub(crate) fn channels() -> Vec<ChannelAnswer> {
    let channel = |number, code: &str, name: &str, kind| ChannelAnswer {
        id: id(number),
        code: code.to_owned(),
        name: name.to_owned(),
        kind,
        currency: Currency::EUR,
        locale: "en".parse().unwrap(),
        countries: vec!["NL".parse().unwrap()],
        delivery: DeliveryMethod { name: "Parcel to door".to_owned(), price: euro(695) },
        order_number_prefix: "TW-".to_owned(),
        hosts: Vec::new(),
        features: Vec::new(),
        version: 1,
    };
    vec![channel(1, "default", "Saltmarsh Supply", ChannelKind::Live), channel(2, "smoke", "Smoke", ChannelKind::Test)]
}

fn picture() -> MediaReference {
    MediaReference {
        url: "/media/mug.svg".to_owned(),
        alt: "A mug".to_owned(),
        width: 800,
        height: 800,
        option_value: Some("Sea".to_owned()),
        sources: Vec::new(),
    }
}

fn address() -> Address {
    Address {
        name: "Hanna Brandt".to_owned(),
        company: None,
        street: "Vierhavenkade 118-C".to_owned(),
        extra: None,
        postcode: "3024 XH".to_owned(),
        city: "Rotterdam".to_owned(),
        region: None,
        country: "NL".parse().unwrap(),
        phone: Some("+31 20 555 0142".to_owned()),
    }
}

/// Placed, €64.00 held, nothing captured, version 3.
pub(crate) fn order() -> AdminOrder {
    let line = OrderLineAnswer {
        id: id(1),
        product_id: id(1),
        variant_id: id(1),
        product_slug: "morning-mug".to_owned(),
        sku: "MUG-SEA".to_owned(),
        title: "Morning mug <b>".to_owned(),
        options: BTreeMap::from([("Colour".to_owned(), "Sea".to_owned())]),
        image: Some(picture()),
        quantity: 2.try_into().unwrap(),
        unit_price: euro(2_852),
        total: euro(5_704),
    };
    let entry = |number, kind: &str, actor: &str, detail: Option<&str>| TimelineEntryAnswer {
        id: id(number),
        kind: kind.to_owned(),
        detail: detail.map(ToOwned::to_owned),
        actor: actor.to_owned(),
        occurred_at: at(i64::from(number) * 60),
    };
    AdminOrder {
        order: OrderAnswer {
            id: id(1),
            number: Some("TW-10482".to_owned()),
            state: OrderState::Placed,
            payment_status: PaymentStatus::Authorized,
            payment_provider: Some("sandbox".to_owned()),
            cancel_reason: None,
            currency: Currency::EUR,
            lines: vec![line],
            totals: OrderTotals { item_count: 2, subtotal: euro(5_704), delivery: euro(696), total: euro(6_400) },
            delivery_name: "Parcel to door".to_owned(),
            email: "hanna.brandt@example.com".to_owned(),
            shipping_address: address(),
            billing_address: address(),
            created_at: at(0),
            placed_at: Some(at(5)),
        },
        channel_id: id(1),
        channel_kind: ChannelKind::Live,
        version: 3,
        payment: PaymentSummary {
            status: PaymentStatus::Authorized,
            authorized: euro(6_400),
            captured: euro(0),
            attempts: vec![AttemptAnswer {
                id: id(1),
                provider: "sandbox".to_owned(),
                state: AttemptState::Authorized,
                amount: euro(6_400),
                provider_reference: Some("sb_71".to_owned()),
                failure_code: None,
                created_at: at(1),
                captures: Vec::new(),
                void: None,
            }],
        },
        timeline: vec![entry(1, "created", "guest", None), entry(2, "placed", "system:checkout", None)],
    }
}

/// The same order after a capture of `minor` that stands at `state`.
pub(crate) fn captured(mut order: AdminOrder, minor: i64, state: CaptureState) -> AdminOrder {
    let capture = CaptureAnswer { id: id(1), state, amount: euro(minor), failure_code: None, created_at: at(600) };
    order.payment.attempts.first_mut().unwrap().captures.push(capture);
    if state == CaptureState::Succeeded {
        order.payment.captured = euro(order.payment.captured.amount_minor() + minor);
        order.payment.status = if order.payment.captured == order.payment.authorized { PaymentStatus::Paid } else { PaymentStatus::PartiallyPaid };
        order.order.payment_status = order.payment.status;
    }
    order.version += 1;
    order
}

pub(crate) fn summary(order: &AdminOrder) -> OrderSummary {
    OrderSummary {
        id: order.order.id,
        number: order.order.number.clone(),
        state: order.order.state,
        payment_status: order.order.payment_status,
        capture_failed: false,
        channel: "default".to_owned(),
        channel_kind: order.channel_kind,
        email: order.order.email.clone(),
        name: order.order.shipping_address.name.clone(),
        item_count: order.order.totals.item_count,
        total: order.order.totals.total,
        created_at: order.order.created_at,
        placed_at: order.order.placed_at,
    }
}

/// Kitchen, with cups in it.
pub(crate) fn categories() -> Vec<CategoryAnswer> {
    let category = |number, slug: &str, name: &str, parent_id| CategoryAnswer {
        id: id(number),
        slug: slug.to_owned(),
        name: name.to_owned(),
        description: String::new(),
        parent_id,
        image: None,
    };
    vec![category(1, "kitchen", "Kitchen", None), category(2, "cups", "Cups", Some(id(1)))]
}

/// Payments work, one of them is dead; the catalogue is behind.
pub(crate) fn queues() -> Vec<QueueAnswer> {
    let queue = |name: &str, waiting, retrying, dead, oldest_due_seconds| QueueAnswer {
        queue: name.to_owned(),
        waiting,
        retrying,
        running: 1,
        dead,
        oldest_due_seconds,
    };
    vec![queue("catalog", 44, 0, 0, 2_600), queue("payments", 2, 1, 1, 4)]
}

/// One that runs well, one that is being tried again, one that never ran.
pub(crate) fn schedules() -> Vec<ScheduleAnswer> {
    let schedule = |name: &str, every_seconds, last_run_at, last_failure| ScheduleAnswer {
        name: name.to_owned(),
        every_seconds,
        next_run_at: at(600),
        last_run_at,
        last_failure,
    };
    let failure = ScheduleFailure { error: "no <answer>\ncaused by: the line is dead".to_owned(), state: JobState::Ready, at: at(30) };
    vec![
        schedule("identity.sweep", 3_600, Some(at(0)), None),
        schedule("payments.reconcile", 10, Some(at(-20)), Some(failure)),
        schedule("payments.sweep", 86_400, None, None),
    ]
}

/// What was done to the mug, the latest first.
pub(crate) fn audit() -> Vec<AuditEntryAnswer> {
    let entry = |number, action: &str, actor: &str, detail| AuditEntryAnswer {
        id: id(number),
        actor: actor.to_owned(),
        action: action.to_owned(),
        subject: product().id.to_string(),
        detail,
        occurred_at: at(i64::from(number) * 60),
    };
    let patch = serde_json::json!({ "variant_id": product().variants.first().unwrap().id, "patch": { "sku": "MUG-SEA" } });
    vec![
        entry(3, "variant.updated", "staff:2:Tomas Lindqvist", patch),
        entry(2, "product.updated", "staff:1:Ines Varga", serde_json::json!({ "title": "Morning mug <b>", "facts": [] })),
        entry(1, "product.created", "staff:0:seed", serde_json::json!({ "slug": "morning-mug", "variants": 2 })),
    ]
}

/// A mug in two colours, version 7.
pub(crate) fn product() -> AdminProduct {
    let variant = |number, colour: &str, sku: &str, band| AdminVariant {
        id: id(number),
        sku: sku.to_owned(),
        options: BTreeMap::from([("Colour".to_owned(), colour.to_owned())]),
        prices: vec![PriceDraft { price: euro(2_400), compare_at: None }],
        stock: BTreeMap::from([("default".to_owned(), band)]),
    };
    let value = |value: &str| OptionValue { value: value.to_owned(), swatch: None };
    AdminProduct {
        id: id(1),
        slug: "morning-mug".to_owned(),
        title: "Morning mug".to_owned(),
        summary: "A mug for the first hour.".to_owned(),
        description: "Thrown by hand.\n\nHolds 300 ml.".to_owned(),
        published: true,
        category: categories().into_iter().nth(1),
        media: vec![picture()],
        options: vec![ProductOption { name: "Colour".to_owned(), values: vec![value("Sea"), value("Moss")] }],
        facts: vec!["Dishwasher safe".to_owned()],
        channels: vec!["default".to_owned()],
        variants: vec![variant(1, "Sea", "MUG-SEA", StockBand::In), variant(2, "Moss", "MUG-MOSS", StockBand::Low)],
        version: 7,
    }
}

pub(crate) fn locations() -> Vec<LocationAnswer> {
    vec![LocationAnswer { id: id(1), code: "rotterdam".to_owned(), name: "Rotterdam".to_owned(), channel_ids: vec![id(1)] }]
}

/// Eighteen of the first variant, two of them reserved; the second was never counted.
pub(crate) fn levels() -> Vec<LevelAnswer> {
    vec![LevelAnswer { location_id: id(1), variant_id: id(1), on_hand: 18, reserved: 2, available: 16, version: 4 }]
}

/// A capture that failed for the last time.
pub(crate) fn dead_job() -> JobAnswer {
    JobAnswer {
        id: id(1),
        kind: "payments.capture".to_owned(),
        state: JobState::Dead,
        payload: serde_json::json!({ "capture_id": "cap_1" }),
        attempts: 20,
        max_attempts: 20,
        run_at: at(0),
        last_error: Some("the provider refused\ncaused by: account <closed>".to_owned()),
        created_at: at(0),
        finished_at: Some(at(60)),
    }
}

/// Twenty came in, two broke, two are reserved.
pub(crate) fn movements() -> Vec<MovementAnswer> {
    let movement = |number, kind, on_hand_delta, reserved_delta, actor: &str| MovementAnswer {
        id: id(number),
        location_id: id(1),
        variant_id: id(1),
        kind,
        on_hand_delta,
        reserved_delta,
        hold_id: None,
        actor: actor.to_owned(),
        occurred_at: at(i64::from(number) * 60),
    };
    vec![
        movement(3, MovementKind::Held, 0, 2, "guest"),
        movement(2, MovementKind::WrittenOff, -2, 0, "staff:2:Tomas Lindqvist"),
        movement(1, MovementKind::Received, 20, 0, "system:seed"),
    ]
}

/// Sunday at 14:07: two orders at nine, and one in pounds; a week before one at nine and one in the evening.
pub(crate) fn sales() -> SalesAnswer {
    let sold = |hour, order_count, total| SalesOfHour { hour, order_count, total };
    let pounds = Money::new(1_000, "GBP".parse().unwrap());
    let begins_at = Timestamp::from_timestamp(at(0).timestamp() / 86_400 * 86_400, 0).unwrap();
    let week_before = vec![sold(9, 1, euro(6_400)), sold(20, 1, euro(3_200))];
    SalesAnswer { begins_at, now: at(0), day: vec![sold(9, 2, euro(12_800)), sold(10, 1, pounds)], week_before }
}
