-- Accounts and devices, whole: forgotten passwords and proofs, removed devices and their keys, sign-up without an
-- invitation, deletion, and what a restored backup needs.

ALTER TABLE associations ADD COLUMN grant_approval TEXT NOT NULL DEFAULT 'pin_or_presence';
ALTER TABLE associations ADD COLUMN password_rule TEXT NOT NULL DEFAULT 'standard';

-- Changes numbered up to the floor may be forgotten: a cursor below it starts over.
ALTER TABLE accounts ADD COLUMN change_floor BIGINT NOT NULL DEFAULT 0;
-- When a granter's phone told again what was revoked, after a restored backup.
ALTER TABLE accounts ADD COLUMN reasserted_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE changes ADD COLUMN at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX changes_by_age ON changes (at);

-- A removed device keeps its row as long as its session may still upload.
ALTER TABLE devices ADD COLUMN removed_at BIGINT;
ALTER TABLE devices ADD COLUMN last_seen_at BIGINT NOT NULL DEFAULT 0;
UPDATE devices SET last_seen_at = registered_at;
-- P-256, compressed, in hex; and where its private half is.
ALTER TABLE devices ADD COLUMN device_key TEXT;
ALTER TABLE devices ADD COLUMN device_key_kind TEXT;

CREATE TABLE challenges (
    device_id TEXT NOT NULL REFERENCES devices (id),
    purpose TEXT NOT NULL,
    challenge TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (device_id, purpose)
);

-- Requests that a mailed link or a code proves: reset, identity, phone, email.
CREATE TABLE proofs (
    digest TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    code TEXT,
    payload TEXT,
    tries BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    proven_at BIGINT,
    used_at BIGINT
);
CREATE INDEX proofs_by_account ON proofs (account_id, purpose);
CREATE INDEX proofs_by_age ON proofs (expires_at);

-- A sign-up need not come from an invitation any more.
CREATE TABLE signups_2 (
    digest TEXT PRIMARY KEY,
    invitation TEXT REFERENCES invitations (digest),
    email TEXT NOT NULL,
    phone TEXT NOT NULL,
    code TEXT NOT NULL,
    email_code TEXT,
    code_expires_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    verified_at BIGINT,
    completed_at BIGINT
);
INSERT INTO signups_2 (digest, invitation, email, phone, code, code_expires_at, tries, verified_at, completed_at)
    SELECT digest, invitation, email, phone, code, code_expires_at, tries, verified_at, completed_at FROM signups;
DROP TABLE signups;
ALTER TABLE signups_2 RENAME TO signups;
CREATE INDEX signups_by_age ON signups (code_expires_at);
CREATE INDEX signups_by_invitation ON signups (invitation);
CREATE INDEX invitations_by_email ON invitations (email_key);

CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX tokens_by_age ON tokens (expires_at);
CREATE INDEX tries_by_age ON tries (last_at);
CREATE INDEX outbox_by_delivery ON outbox (delivered_at);
CREATE INDEX messages_by_access ON messages (access_id);

-- What an account was called before, for as long as it exists: others' messages may still name it so.
CREATE TABLE former_names (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    PRIMARY KEY (account_id, name)
);
