create sequence orders.order_number as bigint start with 1001;

create table orders.order (
    id uuid primary key,
    number text,
    state text not null,
    version bigint not null default 1,
    channel_id uuid not null,
    channel_code text not null,
    channel_kind text not null,
    number_prefix text not null,
    cart_id uuid not null,
    token_hash bytea not null,
    hold_id uuid not null,
    payment_status text not null default 'pending',
    capture_failed boolean not null default false,
    email text not null,
    name text not null,
    shipping_address jsonb not null,
    billing_address jsonb not null,
    delivery_name text not null,
    payment_provider text not null,
    currency text not null,
    item_count bigint not null,
    subtotal_minor bigint not null,
    delivery_minor bigint not null,
    tax_minor bigint not null default 0,
    total_minor bigint not null,
    cancel_reason text,
    created_at timestamptz not null,
    placed_at timestamptz,
    canceled_at timestamptz,
    constraint order_state_known check (state in ('draft', 'pending', 'placed', 'closed', 'canceled')),
    constraint order_version_positive check (version > 0),
    constraint order_payment_status_known
        check (payment_status in ('pending', 'authorized', 'partially_paid', 'paid', 'partially_refunded', 'refunded', 'voided')),
    constraint order_channel_kind_known check (channel_kind in ('live', 'test')),
    constraint order_token_hash_whole check (octet_length(token_hash) = 32),
    constraint order_number_once_placed check ((number is null) = (placed_at is null)),
    constraint order_placed_when_a_sale check (state not in ('placed', 'closed') or placed_at is not null),
    constraint order_not_placed_before check (state not in ('draft', 'pending') or placed_at is null),
    constraint order_reason_when_canceled check ((state = 'canceled') = (cancel_reason is not null) and (cancel_reason is null) = (canceled_at is null)),
    constraint order_amounts_not_negative check (item_count > 0 and subtotal_minor >= 0 and delivery_minor >= 0 and tax_minor >= 0),
    constraint order_total_adds_up check (total_minor = subtotal_minor + delivery_minor)
);
comment on table orders.order is 'An order: pending -> placed -> closed; pending | placed -> canceled. What was agreed (who, where to, for how much) never changes. How it stands in money is what payments derives; two columns repeat it for lists.';
comment on column orders.order.number is 'The human order number, given when it becomes a sale: the channel''s prefix and a number of the sequence. Numbers may be left out, never used twice.';
comment on column orders.order.token_hash is 'SHA-256 of the cart''s secret, which opens the order too.';
comment on column orders.order.payment_status is 'What payments says of the order, noted when it becomes a sale and after every news of its money, so that lists can ask for it.';
comment on column orders.order.capture_failed is 'The newest capture came to nothing and its money is still held: somebody has to look. Noted together with payment_status.';
comment on column orders.order.tax_minor is 'The tax in the total. 0 until the shop reckons taxes.';
-- Also serves the search for the start of a number.
create unique index order_number_unique on orders.order (number text_pattern_ops);
create unique index order_one_per_cart on orders.order (cart_id) where state in ('pending', 'placed', 'closed');
-- A hold is taken for one order, and found by its order's.
create unique index order_hold on orders.order (hold_id);
create index order_newest_of_kind on orders.order (channel_kind, created_at desc, id desc);
create index order_newest_of_channel on orders.order (channel_code, created_at desc, id desc);
create index order_newest_in_state on orders.order (state, created_at desc, id desc);
create index order_to_capture on orders.order (channel_kind, created_at, id) where state = 'placed' and payment_status in ('authorized', 'partially_paid');
create index order_capture_failed on orders.order (created_at, id) where capture_failed;
create index order_settled on orders.order (payment_status, created_at, id) where payment_status not in ('pending', 'authorized');
create index order_sales on orders.order (channel_kind, placed_at) where placed_at is not null;
create index order_email on orders.order (lower(email) text_pattern_ops);

create table orders.order_line (
    id uuid primary key,
    order_id uuid not null references orders.order (id),
    position integer not null,
    product_id uuid not null,
    variant_id uuid not null,
    product_slug text not null,
    sku text not null,
    title text not null,
    options jsonb not null,
    image jsonb,
    quantity integer not null,
    unit_price_minor bigint not null,
    tax_minor bigint not null default 0,
    total_minor bigint not null,
    constraint order_line_position unique (order_id, position),
    constraint order_line_quantity_in_range check (quantity between 1 and 9999),
    constraint order_line_price_not_negative check (unit_price_minor >= 0 and tax_minor >= 0),
    constraint order_line_total_adds_up check (total_minor = unit_price_minor * quantity)
);
comment on table orders.order_line is 'What was bought, as it was then, in the order''s currency. Written once: the lines add up to the order''s subtotal and item count.';

create table orders.timeline_entry (
    id uuid primary key,
    order_id uuid not null references orders.order (id),
    sequence bigint generated always as identity,
    kind text not null,
    detail text,
    actor text not null,
    occurred_at timestamptz not null,
    constraint timeline_entry_kind_known check (kind in ('created', 'placed', 'canceled', 'capture_requested', 'capture_succeeded', 'capture_failed', 'payment_voided', 'comment'))
);
comment on table orders.timeline_entry is 'What happened to an order, in sequence. Append-only.';
create index timeline_entry_order on orders.timeline_entry (order_id, sequence);

-- Snapshots and journal are written once; of an order only what its state machine moves may change.
revoke update, delete, truncate on orders.order_line, orders.timeline_entry from tw_orders_rw;
revoke update, delete, truncate on orders.order from tw_orders_rw;
grant update (number, state, version, hold_id, payment_status, capture_failed, cancel_reason, placed_at, canceled_at) on orders.order to tw_orders_rw;
