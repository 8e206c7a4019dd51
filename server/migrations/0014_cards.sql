-- What an association signs its members' cards with, sealed under the master key; made when it is first asked for.
ALTER TABLE associations ADD COLUMN card_key TEXT;
