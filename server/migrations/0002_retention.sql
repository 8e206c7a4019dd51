-- Log retention and the export of personal data.
--
-- Old events go; that a lock's own word was used once stays for ever, so it no longer refers to its event.
CREATE TABLE proven_operations_2 (
    lockbox_id TEXT NOT NULL REFERENCES lockboxes (id),
    operation TEXT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (lockbox_id, operation)
);
INSERT INTO proven_operations_2 (lockbox_id, operation, event_id)
    SELECT lockbox_id, operation, event_id FROM proven_operations;
DROP TABLE proven_operations;
ALTER TABLE proven_operations_2 RENAME TO proven_operations;

CREATE INDEX access_events_by_age ON access_events (received_at);
CREATE INDEX access_log_by_age ON access_log (at);
CREATE INDEX access_log_by_account ON access_log (account_id, at);
CREATE INDEX grants_by_granter ON grants (granter_id, created_at);
