create table identity.staff (
    id uuid primary key,
    kind text not null,
    email text not null,
    name text not null,
    password_hash text,
    role text not null,
    state text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint staff_email_unique unique (email),
    constraint staff_email_lower_case check (email = lower(email)),
    constraint staff_kind_known check (kind in ('person', 'program')),
    constraint staff_role_known check (role in ('owner', 'manager', 'viewer')),
    constraint staff_state_known check (state in ('active', 'disabled')),
    constraint staff_active_has_password check (state = 'disabled' or password_hash is not null),
    constraint staff_program_never_signs_in check (kind = 'person' or (state = 'disabled' and password_hash is null))
);
comment on table identity.staff is 'Who may enter the back office. A program (such as the seed command) is never active: it has only the sessions issued to it.';
comment on column identity.staff.email is 'Trimmed and in lower case; the name to sign in with.';
comment on column identity.staff.password_hash is 'argon2id as a PHC string.';

create table identity.invitation (
    id uuid primary key,
    token_hash bytea not null,
    email text not null,
    role text not null,
    invited_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid references identity.staff (id),
    constraint invitation_token_unique unique (token_hash),
    constraint invitation_role_known check (role in ('owner', 'manager', 'viewer')),
    constraint invitation_accepted_by_somebody check ((accepted_at is null) = (accepted_by is null))
);
comment on table identity.invitation is 'A one-time link to become, or become again, a member of staff. Open until accepted or expired; a newer one for the same address takes its place.';
comment on column identity.invitation.token_hash is 'SHA-256 of the link''s secret; the secret itself is told once and not kept.';
create unique index invitation_one_open_per_email on identity.invitation (email) where accepted_at is null;
create index invitation_created_at on identity.invitation (created_at);

create table identity.session (
    id uuid primary key,
    token_hash bytea not null,
    staff_id uuid not null references identity.staff (id),
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    user_agent text,
    address text not null,
    constraint session_token_unique unique (token_hash),
    constraint session_expires_after_its_start check (expires_at > created_at)
);
comment on table identity.session is 'A signed-in browser or program. It opens doors until it expires, is revoked, or has not been seen for two hours.';
comment on column identity.session.token_hash is 'SHA-256 of the bearer token; the token itself is told once and not kept.';
create index session_staff on identity.session (staff_id, created_at);
create index session_expires_at on identity.session (expires_at);

create table identity.saved_view (
    id uuid primary key,
    staff_id uuid not null references identity.staff (id),
    list text not null,
    name text not null,
    query text not null,
    created_at timestamptz not null,
    constraint saved_view_name_unique unique (staff_id, list, name),
    constraint saved_view_list_known check (list in ('orders'))
);
comment on table identity.saved_view is 'A filter of a list that a member of staff keeps by a name of their own; 20 of each list at most, counted with the member''s row locked.';

create table identity.sign_in_throttle (
    subject text primary key,
    attempts integer not null,
    window_started_at timestamptz not null,
    constraint sign_in_throttle_attempts_not_negative check (attempts >= 0)
);
comment on table identity.sign_in_throttle is 'Sign-ins tried per e-mail address (hashed) and per network address in the present window, whether or not such a member exists.';
create index sign_in_throttle_window on identity.sign_in_throttle (window_started_at);
