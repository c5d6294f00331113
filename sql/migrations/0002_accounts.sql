-- People, their API tokens and the one-time links that sign them in.
-- depends: 0001_procrastinate

CREATE TABLE users (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    uuid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    email text UNIQUE CHECK (email = lower(email)),
    name text NOT NULL,
    role text NOT NULL DEFAULT 'member' CHECK (role IN ('admin', 'member')),
    password_hash text,
    is_active boolean NOT NULL DEFAULT true,
    -- Raised when the password changes: every older session and link ends.
    session_epoch integer NOT NULL DEFAULT 0,
    locale text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_tokens (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    -- SHA-256 of the token: the token itself is shown once and kept nowhere.
    token_hash bytea NOT NULL UNIQUE,
    hint text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_tokens_user_idx ON api_tokens (user_id);

CREATE TABLE sign_in_links (
    token_hash bytea PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX sign_in_links_user_idx ON sign_in_links (user_id);
