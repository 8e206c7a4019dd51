-- What operators need: leases of the outbox by instance, standing of whole groups, communities with their residents
-- and hubs, support users, retired lockboxes.

-- Who has a post in hand, and until when; `due_at` is only when to try next.
ALTER TABLE outbox ADD COLUMN leased_by TEXT;
ALTER TABLE outbox ADD COLUMN leased_until BIGINT;

-- Why an account is suspended; it is in good standing again once no reason is left.
CREATE TABLE suspensions (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    cause TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account_id, cause)
);
INSERT INTO suspensions (account_id, cause, at)
    SELECT id, 'account', created_at FROM accounts WHERE status = 'suspended';

ALTER TABLE associations ADD COLUMN suspended_at BIGINT;
ALTER TABLE brokerages ADD COLUMN suspended_at BIGINT;
ALTER TABLE lockboxes ADD COLUMN retired_at BIGINT;

CREATE TABLE communities (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    management TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    six_digit_codes BIGINT NOT NULL,
    custom_codes BIGINT NOT NULL,
    suspended_at BIGINT,
    created_at BIGINT NOT NULL
);

CREATE TABLE residents (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    community_id TEXT NOT NULL REFERENCES communities (id),
    unit TEXT NOT NULL
);
CREATE INDEX residents_by_community ON residents (community_id, unit);

CREATE TABLE hubs (
    id TEXT PRIMARY KEY,
    serial TEXT NOT NULL UNIQUE,
    community_id TEXT NOT NULL REFERENCES communities (id),
    suspended_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX hubs_by_community ON hubs (community_id, serial);

CREATE TABLE support_users (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    permission TEXT NOT NULL
);
