-- The access log names the operation of each try at a lock, as far as the lock's own records do, and which of
-- those records it speaks for: so that a record that comes later finds its line.
ALTER TABLE access_log ADD COLUMN operation TEXT;
ALTER TABLE access_log ADD COLUMN record BIGINT;
CREATE INDEX access_log_by_operation ON access_log (lockbox_id, operation);
