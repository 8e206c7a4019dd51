-- Hubs that call for what is due for their locks, with keys of their own.

ALTER TABLE hubs ADD COLUMN key_digest TEXT;
ALTER TABLE hubs ADD COLUMN retired_at BIGINT;
ALTER TABLE hubs ADD COLUMN last_call_at BIGINT;
CREATE UNIQUE INDEX hubs_by_key ON hubs (key_digest);

-- When its hub last heard the lock, by the server's clock; which version of its codes the hub was given, until when it
-- has that in hand, and which one it says it brought.
ALTER TABLE doors ADD COLUMN hub_heard_at BIGINT;
ALTER TABLE doors ADD COLUMN hub_took_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE doors ADD COLUMN hub_leased_until BIGINT;
ALTER TABLE doors ADD COLUMN hub_brought_version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX doors_by_hub ON doors (hub_id, serial);

CREATE TABLE hub_passes (
    hub_id TEXT NOT NULL REFERENCES hubs (id),
    door_id TEXT NOT NULL REFERENCES doors (id),
    credential_id TEXT NOT NULL,
    ticket TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    renew_at BIGINT NOT NULL,
    PRIMARY KEY (hub_id, door_id)
);
