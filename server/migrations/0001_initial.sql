-- The first released schema. Portable between SQLite and PostgreSQL: BIGINT and TEXT only, times in whole
-- seconds UTC, ids as text, binary values as hex or base64 text. Forward only: never edited once released.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    n BIGINT NOT NULL
);
INSERT INTO counters (name, n) VALUES ('subject', 0);

CREATE TABLE associations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    device_limit BIGINT NOT NULL,
    lead_seconds BIGINT NOT NULL,
    ticket_seconds BIGINT NOT NULL,
    longest_grant_seconds BIGINT NOT NULL,
    support TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE brokerages (
    id TEXT PRIMARY KEY,
    association_id TEXT NOT NULL REFERENCES associations (id),
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (association_id, name)
);

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    association_id TEXT REFERENCES associations (id),
    brokerage_id TEXT REFERENCES brokerages (id),
    sentrikey_id TEXT UNIQUE,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    phone TEXT NOT NULL,
    phone_key TEXT NOT NULL,
    role TEXT,
    password TEXT NOT NULL,
    pin TEXT NOT NULL,
    security_questions TEXT NOT NULL,
    subject BIGINT NOT NULL UNIQUE,
    device_count BIGINT NOT NULL,
    change_seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX accounts_by_phone ON accounts (phone_key);

CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    install_id TEXT NOT NULL,
    name TEXT NOT NULL,
    platform TEXT NOT NULL,
    registered_at BIGINT NOT NULL,
    UNIQUE (account_id, install_id)
);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    device_id TEXT NOT NULL REFERENCES devices (id),
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX sessions_by_device ON sessions (device_id);

CREATE TABLE tokens (
    digest TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    kind TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at BIGINT
);
CREATE INDEX tokens_by_session ON tokens (session_id, kind);

CREATE TABLE tries (
    purpose TEXT NOT NULL,
    subject TEXT NOT NULL,
    failures BIGINT NOT NULL,
    wait_until BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (purpose, subject)
);

CREATE TABLE idempotency (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    idempotency_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    answer TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, idempotency_key)
);

CREATE TABLE listings (
    id TEXT PRIMARY KEY,
    owner_id TEXT NOT NULL REFERENCES accounts (id),
    listing_key TEXT NOT NULL,
    address TEXT NOT NULL,
    city TEXT NOT NULL,
    state TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    list_price BIGINT,
    standard_status TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX listings_by_owner ON listings (owner_id, created_at);

CREATE TABLE lockboxes (
    id TEXT PRIMARY KEY,
    serial TEXT NOT NULL UNIQUE,
    generation TEXT NOT NULL,
    association_id TEXT NOT NULL REFERENCES associations (id),
    owner_id TEXT NOT NULL REFERENCES accounts (id),
    listing_id TEXT UNIQUE REFERENCES listings (id),
    on_listing_since BIGINT,
    region TEXT,
    time_zone TEXT NOT NULL,
    settings TEXT NOT NULL,
    seed TEXT NOT NULL,
    key_generation BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    revocation_version BIGINT NOT NULL,
    heard_revocation_version BIGINT NOT NULL,
    heard_settings_version BIGINT NOT NULL,
    battery_percent BIGINT,
    last_heard_at BIGINT,
    audit_number BIGINT NOT NULL,
    audit_tag TEXT NOT NULL,
    audit_lost BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX lockboxes_by_owner ON lockboxes (owner_id, serial);

CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    listing_id TEXT NOT NULL REFERENCES listings (id),
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    granter_id TEXT NOT NULL REFERENCES accounts (id),
    grantee_id TEXT REFERENCES accounts (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    phone_ready BIGINT NOT NULL,
    last_used_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX grants_by_listing ON grants (listing_id, created_at);
CREATE INDEX grants_by_lockbox ON grants (lockbox_id, ends_at);
CREATE INDEX grants_by_holder ON grants (grantee_id, lockbox_id, ends_at);
CREATE INDEX grants_by_email ON grants (email_key, state);

CREATE TABLE invitations (
    digest TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE signups (
    digest TEXT PRIMARY KEY,
    invitation TEXT NOT NULL REFERENCES invitations (digest),
    email TEXT NOT NULL,
    phone TEXT NOT NULL,
    code TEXT NOT NULL,
    code_expires_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    verified_at BIGINT,
    completed_at BIGINT
);

CREATE TABLE credentials (
    id TEXT PRIMARY KEY,
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    grant_id TEXT NOT NULL REFERENCES grants (id),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    device_id TEXT NOT NULL REFERENCES devices (id),
    state TEXT NOT NULL,
    key_generation BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    renew_at BIGINT NOT NULL,
    ticket TEXT NOT NULL
);
CREATE INDEX credentials_by_grant ON credentials (grant_id, state);
CREATE INDEX credentials_by_lockbox ON credentials (lockbox_id, state, not_after);
CREATE INDEX credentials_by_account ON credentials (account_id, state, not_after);
CREATE INDEX credentials_by_device ON credentials (device_id, state, lockbox_id);

CREATE TABLE tickets_due (
    device_id TEXT NOT NULL REFERENCES devices (id),
    grant_id TEXT NOT NULL REFERENCES grants (id),
    due_at BIGINT NOT NULL,
    PRIMARY KEY (device_id, grant_id)
);
CREATE INDEX tickets_due_by_time ON tickets_due (device_id, due_at);
CREATE INDEX tickets_due_by_grant ON tickets_due (grant_id);

CREATE TABLE revocations (
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    credential_id TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (lockbox_id, credential_id)
);

CREATE TABLE changes (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    device_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (account_id, device_id, kind, object_id)
);
CREATE INDEX changes_by_seq ON changes (account_id, seq, device_id, kind, object_id);

CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    at BIGINT NOT NULL,
    topic TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    access_id TEXT,
    read_at BIGINT
);
CREATE INDEX messages_by_account ON messages (account_id, at);

CREATE TABLE access_events (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    digest TEXT NOT NULL,
    received_at BIGINT NOT NULL
);

CREATE TABLE proven_operations (
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    operation TEXT NOT NULL,
    event_id TEXT NOT NULL REFERENCES access_events (id),
    PRIMARY KEY (lockbox_id, operation)
);

CREATE TABLE access_log (
    id TEXT PRIMARY KEY,
    owner_id TEXT NOT NULL REFERENCES accounts (id),
    at BIGINT NOT NULL,
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    listing_id TEXT REFERENCES listings (id),
    account_id TEXT REFERENCES accounts (id),
    grant_id TEXT REFERENCES grants (id),
    method TEXT NOT NULL,
    outcome TEXT NOT NULL,
    confirmed BIGINT NOT NULL
);
CREATE INDEX access_log_by_owner ON access_log (owner_id, at, id);

CREATE TABLE audit_records (
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    result BIGINT NOT NULL,
    who TEXT NOT NULL,
    operation TEXT NOT NULL,
    skew BIGINT NOT NULL,
    PRIMARY KEY (lockbox_id, number)
);

CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    delivered_at BIGINT
);
CREATE INDEX outbox_by_due ON outbox (delivered_at, due_at);
