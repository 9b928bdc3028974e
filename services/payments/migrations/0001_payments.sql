create table payments.attempt (
    id uuid primary key,
    order_id uuid not null,
    channel_kind text not null,
    provider text not null,
    instrument text,
    amount_minor bigint not null,
    currency text not null,
    state text not null,
    provider_reference text,
    failure_code text,
    next_action jsonb,
    return_url text,
    captured_minor bigint not null default 0,
    capturing_minor bigint not null default 0,
    is_let_go boolean not null default false,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    checked_at timestamptz,
    constraint attempt_channel_kind_known check (channel_kind in ('live', 'test')),
    constraint attempt_state_known check (state in ('created', 'requires_action', 'processing', 'authorized', 'failed', 'canceled', 'expired')),
    constraint attempt_amount_positive check (amount_minor > 0),
    constraint attempt_currency_form check (currency ~ '^[A-Z]{3}$'),
    constraint attempt_failure_says_why check ((state = 'failed') = (failure_code is not null)),
    constraint attempt_action_when_required check ((state = 'requires_action') = (next_action is not null)),
    constraint attempt_authorization_has_reference check (state <> 'authorized' or provider_reference is not null),
    constraint attempt_captured_within_amount check (captured_minor >= 0 and capturing_minor >= 0 and captured_minor + capturing_minor <= amount_minor),
    constraint attempt_captured_only_when_authorized check (state = 'authorized' or captured_minor + capturing_minor = 0),
    constraint attempt_let_go_only_when_untouched check (not is_let_go or (state = 'authorized' and captured_minor + capturing_minor = 0))
);
comment on table payments.attempt is 'One try to pay an order. It ends at authorized, failed, canceled or expired, and never leaves an end. The provider''s idempotency key is the id.';
comment on column payments.attempt.instrument is 'What the provider charges, as the provider names it; never a card number.';
comment on column payments.attempt.captured_minor is 'Sum of the succeeded captures; captures are counted here so that one conditional update can refuse too much.';
comment on column payments.attempt.capturing_minor is 'Sum of the captures that are requested or unknown.';
comment on column payments.attempt.is_let_go is 'A void is requested, unknown or succeeded: nothing may be captured.';
comment on column payments.attempt.checked_at is 'When the reconciler last asked; it asks the longest unasked first.';
create unique index attempt_one_live_per_order on payments.attempt (order_id) where state in ('created', 'requires_action', 'processing', 'authorized');
create index attempt_order on payments.attempt (order_id, id);
create index attempt_open on payments.attempt (checked_at nulls first, id) where state in ('created', 'requires_action', 'processing');

create table payments.capture (
    id uuid primary key,
    attempt_id uuid not null references payments.attempt (id),
    amount_minor bigint not null,
    currency text not null,
    state text not null,
    failure_code text,
    requested_by text not null,
    created_at timestamptz not null,
    settled_at timestamptz,
    checked_at timestamptz,
    constraint capture_state_known check (state in ('requested', 'succeeded', 'failed', 'unknown')),
    constraint capture_amount_positive check (amount_minor > 0),
    constraint capture_failure_says_why check ((state = 'failed') = (failure_code is not null)),
    constraint capture_settled_when_over check ((state in ('succeeded', 'failed')) = (settled_at is not null))
);
comment on table payments.capture is 'Money taken from an authorized attempt: requested -> succeeded | failed | unknown; unknown is settled by what the provider says later. The provider''s idempotency key is the id.';
create index capture_attempt on payments.capture (attempt_id, id);
create index capture_open on payments.capture (checked_at nulls first, id) where state in ('requested', 'unknown');

create table payments.void (
    id uuid primary key,
    attempt_id uuid not null references payments.attempt (id),
    state text not null,
    reason text not null,
    failure_code text,
    requested_by text not null,
    created_at timestamptz not null,
    settled_at timestamptz,
    checked_at timestamptz,
    constraint void_state_known check (state in ('requested', 'succeeded', 'failed', 'unknown')),
    constraint void_reason_known check (reason in ('requested', 'late_authorization', 'amount_mismatch')),
    constraint void_failure_says_why check ((state = 'failed') = (failure_code is not null)),
    constraint void_settled_when_over check ((state in ('succeeded', 'failed')) = (settled_at is not null))
);
comment on table payments.void is 'An authorization let go: on request, because it came after its attempt had ended, or because it was for another amount. At most one per attempt that has not failed.';
create unique index void_one_per_attempt on payments.void (attempt_id) where state <> 'failed';
create index void_attempt on payments.void (attempt_id, id);
create index void_open on payments.void (checked_at nulls first, id) where state in ('requested', 'unknown');

create table payments.provider_event (
    provider text not null,
    provider_event_id text not null,
    attempt_id uuid not null,
    outcome text not null,
    changed boolean not null,
    received_at timestamptz not null,
    constraint provider_event_once primary key (provider, provider_event_id)
);
comment on table payments.provider_event is 'The inbox: news a provider sent, taken in once. Kept 90 days.';
create index provider_event_received on payments.provider_event (received_at);

create table payments.ledger_transaction (
    id uuid primary key,
    kind text not null,
    subject text not null,
    order_id uuid not null,
    channel_kind text not null,
    actor text not null,
    occurred_at timestamptz not null,
    constraint ledger_transaction_once unique (kind, subject),
    constraint ledger_transaction_kind_known check (kind in ('sale', 'sale_reversal', 'capture')),
    constraint ledger_transaction_channel_kind_known check (channel_kind in ('live', 'test'))
);
comment on table payments.ledger_transaction is 'The money journal in double entry; append-only. One transaction per (kind, subject): an order''s sale, its reversal, a capture.';
create index ledger_transaction_order on payments.ledger_transaction (order_id, id);

create table payments.ledger_posting (
    transaction_id uuid not null references payments.ledger_transaction (id),
    position integer not null,
    account text not null,
    amount_minor bigint not null,
    currency text not null,
    constraint ledger_posting_place primary key (transaction_id, position),
    constraint ledger_posting_account_known check (account in ('receivable', 'sales', 'delivery') or account ~ '^clearing:[a-z_]+$'),
    constraint ledger_posting_amount_not_zero check (amount_minor <> 0),
    constraint ledger_posting_currency_form check (currency ~ '^[A-Z]{3}$')
);
comment on table payments.ledger_posting is 'Debits are positive, credits negative; the postings of a transaction sum to zero in each currency, checked at commit.';
create index ledger_posting_account on payments.ledger_posting (account, currency);

-- At commit every transaction that was touched has postings, and they sum to zero in each currency.
create function payments.require_balanced() returns trigger language plpgsql as $$
declare
    touched uuid := case tg_table_name when 'ledger_posting' then (to_jsonb(new) ->> 'transaction_id')::uuid else (to_jsonb(new) ->> 'id')::uuid end;
begin
    if not exists (select 1 from payments.ledger_posting where transaction_id = touched)
        or exists (select 1 from payments.ledger_posting where transaction_id = touched group by currency having sum(amount_minor) <> 0)
    then
        raise exception 'ledger transaction % does not balance', touched using errcode = 'check_violation', constraint = 'ledger_transaction_balanced';
    end if;
    return null;
end $$;
create constraint trigger ledger_transaction_balanced after insert on payments.ledger_transaction
    deferrable initially deferred for each row execute function payments.require_balanced();
create constraint trigger ledger_posting_balanced after insert on payments.ledger_posting
    deferrable initially deferred for each row execute function payments.require_balanced();

-- The journal is append-only: by right for targets, by trigger for everybody.
create function payments.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only' using errcode = 'check_violation', constraint = 'ledger_append_only';
end $$;
create trigger ledger_transaction_append_only before update or delete or truncate on payments.ledger_transaction
    for each statement execute function payments.refuse_change();
create trigger ledger_posting_append_only before update or delete or truncate on payments.ledger_posting
    for each statement execute function payments.refuse_change();
revoke update, delete, truncate on payments.ledger_transaction, payments.ledger_posting from tw_payments_rw;

create table payments.sandbox_payment (
    idempotency_key text primary key,
    reference text not null,
    instrument text,
    amount_minor bigint,
    currency text,
    state text not null,
    decline_code text,
    return_url text,
    captured_minor bigint not null default 0,
    settles_at timestamptz,
    settles_as text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint sandbox_payment_reference_unique unique (reference),
    constraint sandbox_payment_state_known check (state in ('requires_action', 'processing', 'authorized', 'declined', 'canceled', 'voided')),
    constraint sandbox_payment_captured_within_amount check (captured_minor between 0 and coalesce(amount_minor, 0)),
    constraint sandbox_payment_settles check ((settles_at is null) = (settles_as is null))
);
comment on table payments.sandbox_payment is 'The sandbox''s own books, as if another company''s: nothing else reads or writes them. A payment canceled before it was heard of has no amount. Kept 180 days.';
create index sandbox_payment_updated on payments.sandbox_payment (updated_at);

create table payments.sandbox_operation (
    idempotency_key text primary key,
    payment_key text not null,
    kind text not null,
    amount_minor bigint not null,
    failure_code text,
    created_at timestamptz not null,
    constraint sandbox_operation_kind_known check (kind in ('capture', 'void'))
);
comment on table payments.sandbox_operation is 'Captures and voids the sandbox was asked for, with its answer; the same key is answered alike. Kept 180 days.';
create index sandbox_operation_created on payments.sandbox_operation (created_at);
