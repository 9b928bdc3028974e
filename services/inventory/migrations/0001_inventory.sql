create table inventory.location (
    id uuid primary key,
    code text not null,
    name text not null,
    position bigint generated always as identity,
    created_at timestamptz not null,
    constraint location_code_unique unique (code),
    constraint location_position_unique unique (position)
);
comment on table inventory.location is 'Where stock lies. The locations of one channel are used in the order they were made (position).';

create table inventory.location_channel (
    location_id uuid not null references inventory.location,
    channel_id uuid not null,
    constraint location_channel_key primary key (location_id, channel_id)
);
comment on table inventory.location_channel is 'Which channels a location serves. Written with the location and never changed.';
create index location_channel_channel on inventory.location_channel (channel_id);

-- Room on each page keeps the frequent updates of a level beside it, without touching the indexes.
create table inventory.level (
    variant_id uuid not null,
    location_id uuid not null,
    on_hand bigint not null,
    reserved bigint not null,
    version bigint not null,
    constraint level_key primary key (variant_id, location_id),
    constraint level_location foreign key (location_id) references inventory.location,
    constraint level_reserved_not_negative check (reserved >= 0),
    constraint level_reserved_within_on_hand check (reserved <= on_hand)
) with (fillfactor = 70);
comment on table inventory.level is 'How much of a variant lies at a location and how much of that is reserved. Never oversold: reserved <= on_hand. Never deleted. Equals the sums of its movements.';
create index level_location_variant on inventory.level (location_id, variant_id);

create table inventory.hold (
    id uuid primary key,
    channel_id uuid not null,
    state text not null,
    expires_at timestamptz,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    constraint hold_state_known check (state in ('held', 'committed', 'released', 'expired')),
    constraint hold_committed_for_good check (state <> 'committed' or expires_at is null)
);
comment on table inventory.hold is 'A reservation: held -> committed; held | committed -> released; held -> expired. Its lines count as reserved while it is held or committed.';
comment on column inventory.hold.expires_at is 'When a held one may expire; null keeps it held until somebody commits or releases it.';
create index hold_due on inventory.hold (expires_at, id) where state = 'held' and expires_at is not null;
create index hold_ended on inventory.hold (changed_at) where state in ('released', 'expired');

create table inventory.hold_line (
    hold_id uuid not null references inventory.hold on delete cascade,
    variant_id uuid not null,
    location_id uuid not null,
    quantity bigint not null,
    constraint hold_line_key primary key (hold_id, variant_id, location_id),
    constraint hold_line_level foreign key (variant_id, location_id) references inventory.level,
    constraint hold_line_quantity_positive check (quantity > 0)
);
comment on table inventory.hold_line is 'What a hold takes from which level. Never changed.';

create table inventory.movement (
    id uuid primary key,
    sequence bigint generated always as identity,
    location_id uuid not null,
    variant_id uuid not null,
    kind text not null,
    on_hand_delta bigint not null,
    reserved_delta bigint not null,
    hold_id uuid,
    actor text not null,
    occurred_at timestamptz not null,
    constraint movement_level foreign key (variant_id, location_id) references inventory.level,
    constraint movement_kind_known check (kind in ('received', 'counted', 'written_off', 'held', 'released')),
    constraint movement_of_hold check ((kind in ('held', 'released')) = (hold_id is not null)),
    constraint movement_of_hold_moves check (kind not in ('held', 'released') or reserved_delta <> 0),
    constraint movement_moves_one_figure check (on_hand_delta = 0 or reserved_delta = 0)
);
comment on table inventory.movement is 'The journal of every level, append-only; it sums up to the level. An adjustment that found the level right moves nothing and is written down all the same.';
comment on column inventory.movement.sequence is 'Drawn while the level is locked, so it orders the movements of one level as they took effect.';
comment on column inventory.movement.hold_id is 'The hold that reserved or freed; it may be forgotten before its movements.';
create unique index movement_variant on inventory.movement (variant_id, sequence);
create index movement_hold on inventory.movement (hold_id) where hold_id is not null;
revoke update, delete, truncate on inventory.movement from tw_inventory_rw;

create table inventory.band (
    channel_id uuid not null,
    variant_id uuid not null,
    band text not null,
    sequence bigint not null,
    constraint band_key primary key (channel_id, variant_id),
    constraint band_known check (band in ('out', 'low', 'in')),
    constraint band_sequence_not_negative check (sequence >= 0)
);
create index band_scarce on inventory.band (variant_id) where band <> 'in';
comment on table inventory.band is 'The band last told of a variant in a channel, and how often it changed. Made with the first level; locked while the channel''s stock of the variant is summed up, so that no crossing is missed.';

insert into inventory.location (id, code, name, created_at) values
    ('01900000-0000-7000-8000-000000000011', 'main', 'Main warehouse', now()),
    ('01900000-0000-7000-8000-000000000012', 'test', 'Test stock', now());
insert into inventory.location_channel (location_id, channel_id) values
    ('01900000-0000-7000-8000-000000000011', '01900000-0000-7000-8000-000000000001'),
    ('01900000-0000-7000-8000-000000000012', '01900000-0000-7000-8000-000000000002');
