-- What a granter sees of a revocation: when it was, which list of the box names it, and until when a phone that has not
-- heard of it could open. And what a grant is: given to somebody, or a member's visit to a box of their association.
ALTER TABLE grants ADD COLUMN revoked_at BIGINT;
ALTER TABLE grants ADD COLUMN revoked_version BIGINT;
ALTER TABLE grants ADD COLUMN revoked_until BIGINT;
ALTER TABLE grants ADD COLUMN kind TEXT NOT NULL DEFAULT 'access';

UPDATE grants SET revoked_until = ends_at, revoked_version =
    (SELECT b.revocation_version FROM lockboxes b WHERE b.id = grants.lockbox_id)
    WHERE state = 'revoked' AND EXISTS (SELECT 1 FROM credentials c WHERE c.grant_id = grants.id);

-- The box's newest list is looked through for grants whenever the box is heard to have it.
CREATE INDEX grants_by_revocation ON grants (lockbox_id, revoked_version) WHERE revoked_version IS NOT NULL;
