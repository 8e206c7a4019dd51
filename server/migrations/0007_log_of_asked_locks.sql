-- Only what a lock was asked for is ever looked up by its operation; the rest of the log need not be in the index.
DROP INDEX access_log_by_operation;
CREATE INDEX access_log_by_operation ON access_log (lockbox_id, operation) WHERE operation IS NOT NULL;
