-- Listings out of an MLS's feed, settings of lockboxes, and an access log whose pages cost the same wherever they are.

-- Which listing of a feed it is; nothing of this for one that was added by hand.
ALTER TABLE listings ADD COLUMN association_id TEXT REFERENCES associations (id);
-- The feed's own time of its latest change, in milliseconds.
ALTER TABLE listings ADD COLUMN modified_at BIGINT;
-- Number of the whole pass that saw it last.
ALTER TABLE listings ADD COLUMN seen_pass BIGINT NOT NULL DEFAULT 0;
-- Off the market, no longer in the feed, or no longer this agent's.
ALTER TABLE listings ADD COLUMN gone_at BIGINT;
CREATE UNIQUE INDEX listings_by_key ON listings (association_id, listing_key);
CREATE INDEX listings_by_pass ON listings (association_id, seen_pass);

-- What an association's MLS calls its agents (`ListAgentMlsId`), where that is not the SentriKey ID.
CREATE TABLE mls_members (
    association_id TEXT NOT NULL REFERENCES associations (id),
    member_id TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (association_id, member_id)
);
CREATE INDEX mls_members_by_account ON mls_members (account_id);

-- How far an association's feed has been read, and who is at it.
CREATE TABLE feeds (
    association_id TEXT PRIMARY KEY REFERENCES associations (id),
    -- All that changed up to here, in the feed's own milliseconds, has been taken.
    mark BIGINT NOT NULL,
    -- The pass in hand: idle, reading or sweeping; whether it reads the whole feed; its question and where it goes on;
    -- how many records came, up to when they were changed, and whether in that order.
    stage TEXT NOT NULL,
    pass BIGINT NOT NULL,
    is_whole BIGINT NOT NULL,
    query TEXT,
    next_link TEXT,
    taken BIGINT NOT NULL,
    highest BIGINT NOT NULL,
    in_order BIGINT NOT NULL,
    -- When the last whole pass began that came to its end.
    whole_at BIGINT,
    begun_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    leased_by TEXT,
    leased_until BIGINT
);

-- A page of the log is one range of one of these, whatever it is filtered by.
CREATE INDEX access_log_by_person ON access_log (owner_id, account_id, at, id);
CREATE INDEX access_log_by_lockbox ON access_log (owner_id, lockbox_id, at, id);
CREATE INDEX access_log_by_listing ON access_log (owner_id, listing_id, at, id);

-- What an agent sets for all boxes that follow it, as JSON.
CREATE TABLE default_settings (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id),
    settings TEXT NOT NULL
);
ALTER TABLE lockboxes ADD COLUMN follows_default BIGINT NOT NULL DEFAULT 0;
-- What a lock was told before: it goes by these until it is heard to have newer ones.
CREATE TABLE former_settings (
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    version BIGINT NOT NULL,
    settings TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    PRIMARY KEY (lockbox_id, version)
);
