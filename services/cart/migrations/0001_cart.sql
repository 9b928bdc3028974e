create table cart.cart (
    id uuid primary key,
    token_hash bytea not null,
    channel_id uuid not null,
    state text not null default 'active',
    version bigint not null default 1,
    completing_until timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    expires_at timestamptz not null,
    constraint cart_state_known check (state in ('active', 'completing', 'completed', 'abandoned', 'merged')),
    constraint cart_token_hash_whole check (octet_length(token_hash) = 32),
    constraint cart_deadline_while_completing check ((state = 'completing') = (completing_until is not null)),
    constraint cart_version_positive check (version > 0)
);
comment on table cart.cart is 'What somebody means to buy in one channel: active -> completing -> completed; active -> completed, abandoned, merged. Its row is locked before its lines change.';
comment on column cart.cart.token_hash is 'SHA-256 of the secret that opens the cart; the secret itself is told once and not kept.';
comment on column cart.cart.completing_until is 'When the checkout''s claim on the cart runs out.';
create index cart_expires_at on cart.cart (expires_at, id) where state = 'active';
create index cart_over on cart.cart (updated_at, id) where state in ('completed', 'abandoned', 'merged');

create table cart.line (
    id uuid primary key,
    cart_id uuid not null references cart.cart (id) on delete cascade,
    position bigint generated always as identity,
    variant_id uuid not null,
    quantity integer not null,
    noted_price_minor bigint not null,
    noted_currency text not null,
    product_id uuid not null,
    product_slug text not null,
    sku text not null,
    title text not null,
    options jsonb not null,
    image jsonb,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint line_variant_once unique (cart_id, variant_id),
    constraint line_quantity_in_range check (quantity between 1 and 9999),
    constraint line_noted_price_not_negative check (noted_price_minor >= 0)
);
comment on table cart.line is 'Units of one variant, once per cart, 100 lines at most. What the variant was called and cost when the shopper last confirmed it is noted beside it.';
create index line_position on cart.line (cart_id, position);
