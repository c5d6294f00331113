-- The history of publishing: newest first, one person's or everybody's.
-- depends: 0025_devices

CREATE INDEX publications_newest_idx ON publications (created_at DESC, id DESC);
CREATE INDEX publications_owner_newest_idx ON publications (owner_id, created_at DESC, id DESC);
