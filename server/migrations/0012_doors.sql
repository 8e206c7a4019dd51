-- Doors of communities, and the codes in the tables of their locks.

CREATE TABLE doors (
    id TEXT PRIMARY KEY,
    serial TEXT NOT NULL UNIQUE,
    community_id TEXT NOT NULL REFERENCES communities (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Whose door it is; nothing for what all residents share.
    unit TEXT,
    -- By which it is reached; nothing for Bluetooth.
    hub_id TEXT REFERENCES hubs (id),
    settings TEXT NOT NULL,
    seed TEXT NOT NULL,
    key_generation BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    -- Of its codes: what was ordered, and what its log says it has.
    codes_version BIGINT NOT NULL,
    delivered_version BIGINT NOT NULL,
    last_heard_at BIGINT,
    audit_number BIGINT NOT NULL,
    audit_tag TEXT NOT NULL,
    audit_lost BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX doors_by_home ON doors (community_id, unit);

CREATE TABLE door_codes (
    id TEXT PRIMARY KEY,
    door_id TEXT NOT NULL REFERENCES doors (id),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    place BIGINT NOT NULL,
    holder TEXT NOT NULL,
    guest TEXT,
    -- Sealed under a master key.
    code TEXT NOT NULL,
    validity TEXT NOT NULL,
    ends_at BIGINT,
    state TEXT NOT NULL,
    put_version BIGINT NOT NULL,
    out_version BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX door_codes_by_place ON door_codes (door_id, place, put_version);
CREATE INDEX door_codes_by_account ON door_codes (account_id);

-- One for each version, sealed when it was made: the places in it are those that the lock's answer means.
CREATE TABLE door_deliveries (
    door_id TEXT NOT NULL REFERENCES doors (id),
    version BIGINT NOT NULL,
    from_version BIGINT NOT NULL,
    places TEXT NOT NULL,
    delivery TEXT NOT NULL,
    PRIMARY KEY (door_id, version)
);

CREATE TABLE door_records (
    door_id TEXT NOT NULL REFERENCES doors (id),
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    result BIGINT NOT NULL,
    who TEXT NOT NULL,
    operation TEXT NOT NULL,
    skew BIGINT NOT NULL,
    PRIMARY KEY (door_id, number)
);

CREATE TABLE door_passes (
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    door_id TEXT NOT NULL REFERENCES doors (id),
    credential_id TEXT NOT NULL,
    ticket TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    renew_at BIGINT NOT NULL,
    PRIMARY KEY (device_id, door_id)
);
CREATE INDEX door_passes_by_door ON door_passes (door_id);
