-- Where a device's pushes go: which service, and the token that it gave the device, sealed.
ALTER TABLE devices ADD COLUMN push_service TEXT;
ALTER TABLE devices ADD COLUMN push_token TEXT;
