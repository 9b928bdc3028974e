create table ops.event (
    id uuid primary key,
    name text not null,
    version integer not null,
    payload jsonb not null,
    actor text not null,
    subscribers integer not null default 0,
    occurred_at timestamptz not null,
    constraint event_version_positive check (version > 0)
);
comment on table ops.event is 'The outbox: what happened, written in the transaction of the effect. One job per subscriber points here.';
comment on column ops.event.subscribers is 'How many jobs were written with it, so that a lost one can be told.';
create index event_occurred_at on ops.event (occurred_at);

create table ops.job (
    id uuid primary key,
    kind text not null,
    version integer not null default 1,
    event_id uuid,
    payload jsonb not null,
    dedup_key text,
    state text not null default 'ready',
    run_at timestamptz not null,
    attempts integer not null default 0,
    max_attempts integer not null default 20,
    lease_until timestamptz,
    leased_by uuid,
    last_error text,
    created_at timestamptz not null,
    finished_at timestamptz,
    constraint job_state_known check (state in ('ready', 'running', 'done', 'dead')),
    constraint job_lease_while_running check ((state = 'running') = (lease_until is not null and leased_by is not null)),
    constraint job_finish_when_over check ((state in ('done', 'dead')) = (finished_at is not null)),
    constraint job_event_unique unique (event_id, kind)
);
comment on table ops.job is 'Work to be done at least once: ready -> running (leased) -> done, or dead after max_attempts. One row per (event, subscriber).';
create unique index job_dedup_unique on ops.job (kind, dedup_key) where dedup_key is not null and state in ('ready', 'running');
create index job_due on ops.job (run_at, id) where state = 'ready';
create index job_leased on ops.job (lease_until) where state = 'running';
create index job_finished on ops.job (finished_at) where finished_at is not null;
-- The runs of schedules, by their end. Jobs that events cause have no such key and cost nothing here.
create index job_scheduled on ops.job (kind, dedup_key, finished_at desc) where dedup_key is not null and finished_at is not null;
create index job_scheduled_failed on ops.job (kind, dedup_key, finished_at desc) where dedup_key is not null and last_error is not null;
create index job_dead on ops.job (finished_at, id) where state = 'dead';

create table ops.schedule (
    name text primary key,
    kind text not null,
    every_seconds integer not null,
    next_run_at timestamptz not null,
    constraint schedule_interval_positive check (every_seconds > 0)
);
comment on table ops.schedule is 'What runs at intervals. One leader at a time moves next_run_at on and enqueues the job in the same transaction.';

create table ops.idempotency_key (
    surface text not null,
    actor text not null,
    route text not null,
    key text not null,
    request_hash bytea not null,
    state text not null,
    lease_until timestamptz not null,
    status integer,
    body bytea,
    version bigint,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint idempotency_key_unique primary key (surface, actor, route, key),
    constraint idempotency_key_state_known check (state in ('running', 'done')),
    constraint idempotency_key_answer_when_done check ((state = 'done') = (status is not null))
);
comment on table ops.idempotency_key is 'Answers given to mutating requests, by the client''s Idempotency-Key; kept 24 hours.';
create index idempotency_key_expires_at on ops.idempotency_key (expires_at);

create table ops.audit_entry (
    id uuid primary key,
    actor text not null,
    action text not null,
    subject text not null,
    detail jsonb not null,
    occurred_at timestamptz not null
);
comment on table ops.audit_entry is 'Who did what to which record; append-only.';
create index audit_entry_subject on ops.audit_entry (subject, occurred_at, id);
revoke update, delete, truncate on ops.audit_entry from tw_ops_rw;
