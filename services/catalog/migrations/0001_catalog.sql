create table catalog.channel (
    id uuid primary key,
    code text not null,
    name text not null,
    kind text not null,
    currency text not null,
    locale text not null,
    countries text[] not null,
    delivery_name text not null,
    delivery_price_minor bigint not null,
    order_number_prefix text not null,
    features jsonb not null default '[]',
    version bigint not null default 1,
    created_at timestamptz not null,
    constraint channel_code_unique unique (code),
    constraint channel_kind_known check (kind in ('live', 'test')),
    constraint channel_delivery_not_negative check (delivery_price_minor >= 0),
    constraint channel_delivers_somewhere check (cardinality(countries) > 0)
);
comment on table catalog.channel is 'Where and how it is sold. Sales of kind test stay out of every figure.';

create table catalog.channel_host (
    host text not null,
    channel_id uuid not null references catalog.channel,
    constraint channel_host_unique primary key (host),
    constraint channel_host_lower_case check (host = lower(host))
);
comment on table catalog.channel_host is 'The host names a channel is reached by; a host leads to one channel.';
create index channel_host_channel on catalog.channel_host (channel_id);

create table catalog.category (
    id uuid primary key,
    slug text not null,
    name text not null,
    description text not null,
    parent_id uuid,
    image jsonb,
    position bigint generated always as identity,
    created_at timestamptz not null,
    constraint category_slug_unique unique (slug),
    constraint category_parent_known foreign key (parent_id) references catalog.category,
    constraint category_not_its_own_parent check (parent_id <> id)
);
comment on table catalog.category is 'A tree of categories, in the order they were made.';
create index category_parent on catalog.category (parent_id);

create table catalog.product (
    id uuid primary key,
    slug text not null,
    title text not null,
    summary text not null,
    description text not null,
    facts text[] not null,
    category_id uuid references catalog.category,
    published boolean not null,
    position bigint generated always as identity,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    constraint product_position_unique unique (position),
    constraint product_id_slug unique (id, slug)
);
comment on table catalog.product is 'What is sold. A deleted product keeps its row, so that old orders can still name it.';
create index product_category on catalog.product (category_id, position);
create index product_title on catalog.product (lower(title), position);
create index product_newest on catalog.product (created_at, position);
create index product_title_words on catalog.product using gin (to_tsvector('simple', title));

create table catalog.product_channel (
    channel_id uuid not null references catalog.channel,
    slug text not null,
    product_id uuid not null,
    constraint product_channel_slug_unique primary key (channel_id, slug),
    constraint product_channel_unique unique (product_id, channel_id),
    constraint product_channel_product foreign key (product_id, slug) references catalog.product (id, slug) on update cascade on delete cascade
);
comment on table catalog.product_channel is 'In which channels a product is sold; its slug is unique in each.';

create table catalog.former_slug (
    slug text not null,
    product_id uuid not null references catalog.product on delete cascade,
    left_at timestamptz not null,
    constraint former_slug_key primary key (slug)
);
comment on table catalog.former_slug is 'Slugs that products had. One leads to the product that had it last, until another product takes it.';
create index former_slug_product on catalog.former_slug (product_id);

create table catalog.product_option (
    product_id uuid not null references catalog.product on delete cascade,
    position integer not null,
    name text not null,
    constraint product_option_key primary key (product_id, position),
    constraint product_option_name_unique unique (product_id, name)
);
comment on table catalog.product_option is 'What one chooses a variant by, such as Size.';

create table catalog.option_value (
    product_id uuid not null,
    option_position integer not null,
    position integer not null,
    value text not null,
    swatch text,
    constraint option_value_key primary key (product_id, option_position, position),
    constraint option_value_unique unique (product_id, option_position, value),
    constraint option_value_option foreign key (product_id, option_position) references catalog.product_option on delete cascade
);
comment on table catalog.option_value is 'The values of an option, in order.';

create table catalog.variant (
    id uuid primary key,
    product_id uuid not null references catalog.product on delete cascade,
    sku text not null,
    options jsonb not null,
    position integer not null,
    deleted_at timestamptz,
    constraint variant_options_unique unique (product_id, options)
);
comment on table catalog.variant is 'What one buys. options maps option name to value; no two variants of a product have the same.';
create index variant_product on catalog.variant (product_id, position);
-- Finds the few products that are to be had with a rare value.
create index variant_options on catalog.variant using gin (options jsonb_path_ops);
-- Also serves the search for the start of a SKU.
create unique index variant_sku_unique on catalog.variant (lower(sku) text_pattern_ops);

create table catalog.price (
    variant_id uuid not null references catalog.variant on delete cascade,
    currency text not null,
    price_minor bigint not null,
    compare_at_minor bigint,
    constraint price_key primary key (variant_id, currency),
    constraint price_not_negative check (price_minor >= 0),
    constraint price_compare_at_above check (compare_at_minor > price_minor)
);
comment on table catalog.price is 'The base price of a variant, once per currency, tax included.';

create table catalog.product_price (
    product_id uuid not null references catalog.product on delete cascade,
    currency text not null,
    lowest_minor bigint not null,
    highest_minor bigint not null,
    compare_at_minor bigint,
    constraint product_price_key primary key (product_id, currency),
    constraint product_price_range check (lowest_minor <= highest_minor)
);
comment on table catalog.product_price is 'What lists show and sort by, summed up from price in the same transaction; compare_at is that of the cheapest variant.';
create index product_price_lowest on catalog.product_price (currency, lowest_minor, product_id);

create table catalog.media (
    product_id uuid not null references catalog.product on delete cascade,
    position integer not null,
    url text not null,
    alt text not null,
    width integer not null,
    height integer not null,
    option_value text,
    sources jsonb not null,
    constraint media_key primary key (product_id, position),
    constraint media_has_size check (width > 0 and height > 0)
);
comment on table catalog.media is 'The pictures of a product, the main one first. sources are its widths: a list of {url, width}.';

create table catalog.stock_band (
    channel_id uuid not null references catalog.channel,
    variant_id uuid not null,
    band text not null,
    sequence bigint not null,
    constraint stock_band_key primary key (channel_id, variant_id),
    constraint stock_band_known check (band in ('out', 'low', 'in'))
);
comment on table catalog.stock_band is 'What catalogue answers show of stock: a projection fed by StockBandChanged. Absent means out.';
create index stock_band_variant on catalog.stock_band (variant_id);

insert into catalog.channel (id, code, name, kind, currency, locale, countries, delivery_name, delivery_price_minor, order_number_prefix, created_at) values
    ('01900000-0000-7000-8000-000000000001', 'default', 'Shop', 'live', 'EUR', 'en', '{AT,DE,FR,NL,BE,IT,ES,IE}', 'Standard delivery', 490, 'TW-', now()),
    ('01900000-0000-7000-8000-000000000002', 'smoke', 'Smoke test', 'test', 'EUR', 'en', '{AT,DE,FR,NL,BE,IT,ES,IE}', 'Standard delivery', 490, 'TEST-', now());
-- Pages find their channel by the host alone: this name leads nowhere (RFC 6761), so only who sends it on purpose buys on the test channel.
insert into catalog.channel_host (host, channel_id) values ('smoke.invalid', '01900000-0000-7000-8000-000000000002');
