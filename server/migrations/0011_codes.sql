-- Codes through the apps: who was given which, and what brokerages forbid.

-- One day codes and SmartPINs that were made. The digits are in no column: they follow from the lock's sealed seed.
CREATE TABLE issued_codes (
    id TEXT PRIMARY KEY,
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    key_generation BIGINT NOT NULL,
    kind TEXT NOT NULL,
    -- On the wall of the property, in hours since 1970-01-01.
    first_hour BIGINT NOT NULL,
    hours BIGINT NOT NULL,
    number BIGINT NOT NULL,
    guest TEXT,
    made_by TEXT NOT NULL REFERENCES accounts (id),
    by_support BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    -- Which version of the lock's codes blocks it.
    blocked_in BIGINT
);
CREATE INDEX issued_codes_by_window ON issued_codes (lockbox_id, first_hour);

-- Whose SMACs begin with which digits.
CREATE TABLE smac_slots (
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    day BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (lockbox_id, day, slot),
    UNIQUE (lockbox_id, day, account_id)
);

-- Phones that were given what makes a lock's SmartPINs. A device's row may go before this one does.
CREATE TABLE smart_pin_keys (
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    key_generation BIGINT NOT NULL,
    device_id TEXT NOT NULL,
    until BIGINT NOT NULL,
    lost_at BIGINT,
    PRIMARY KEY (lockbox_id, key_generation, device_id)
);
CREATE INDEX smart_pin_keys_by_device ON smart_pin_keys (device_id);

ALTER TABLE brokerages ADD COLUMN forbids_one_day BIGINT NOT NULL DEFAULT 0;
ALTER TABLE brokerages ADD COLUMN forbids_contractor BIGINT NOT NULL DEFAULT 0;

-- What phone support did for whom.
CREATE TABLE support_log (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    support_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    action TEXT NOT NULL
);
CREATE INDEX support_log_by_account ON support_log (account_id, at);

-- Of what is ordered of a lock's codes: the newest version, and the one that it was heard to have.
ALTER TABLE lockboxes ADD COLUMN codes_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE lockboxes ADD COLUMN heard_codes_version BIGINT NOT NULL DEFAULT 0;

-- What a line of a keypad's code calls it, where that is no account.
ALTER TABLE access_log ADD COLUMN label TEXT;
