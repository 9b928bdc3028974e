create table checkout.completion (
    order_id uuid primary key,
    cart_id uuid not null,
    channel_id uuid not null,
    channel_kind text not null,
    attempt_id uuid not null,
    hold_id uuid not null,
    state text not null,
    failure_code text,
    created_at timestamptz not null,
    settled_at timestamptz,
    constraint completion_attempt_unique unique (attempt_id),
    constraint completion_state_known check (state in ('started', 'waiting', 'placed', 'failed')),
    constraint completion_settled_when_over check ((state in ('placed', 'failed')) = (settled_at is not null)),
    constraint completion_failure_explained check ((state = 'failed') = (failure_code is not null))
);
comment on table checkout.completion is
    'One step from cart to order. started: the intent is written, the provider not heard; waiting: the shopper or the provider has to act; placed and failed are ends.';
create unique index completion_one_open_per_cart on checkout.completion (cart_id) where state in ('started', 'waiting');
create index completion_cart on checkout.completion (cart_id, created_at);
create index completion_settled_at on checkout.completion (settled_at) where settled_at is not null;

create table checkout.completion_key (
    surface text not null,
    actor text not null,
    route text not null,
    key text not null,
    order_id uuid not null references checkout.completion on delete cascade,
    constraint completion_key_unique primary key (surface, actor, route, key)
);
comment on table checkout.completion_key is
    'The idempotency keys that wait for the answer of a completion: the one that began it, and those of other devices that joined it.';
create index completion_key_order on checkout.completion_key (order_id);
