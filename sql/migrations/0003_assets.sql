-- Stored files: what each is, whose, where, and what it was derived from.
-- depends: 0002_accounts

CREATE TABLE assets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id integer NOT NULL REFERENCES users,
    -- Lowercase hex of the content's SHA-256.
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    mime text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    width integer,
    height integer,
    bucket text NOT NULL,
    storage_key text NOT NULL,
    derived_from uuid REFERENCES assets ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Two owners of the same content share the file, not the row.
    UNIQUE (owner_id, bucket, storage_key)
);
CREATE INDEX assets_owner_idx ON assets (owner_id, created_at DESC);
CREATE INDEX assets_storage_key_idx ON assets (bucket, storage_key);
CREATE INDEX assets_sha256_idx ON assets (sha256);
CREATE INDEX assets_derived_from_idx ON assets (derived_from) WHERE derived_from IS NOT NULL;
