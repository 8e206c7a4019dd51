-- A line of the log has an id of its own, which grows with time: those of one moment lie together, whatever ids the
-- phones chose for their events. What a line says of the event that it was made of, this says.
ALTER TABLE access_log ADD COLUMN event_id TEXT;
UPDATE access_log SET event_id = id WHERE EXISTS (SELECT 1 FROM access_events e WHERE e.id = access_log.id);
