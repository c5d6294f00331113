-- Subtitles: what was heard, as people change it.
-- depends: 0022_media

CREATE TABLE subtitles (
    request_id uuid PRIMARY KEY REFERENCES media_requests ON DELETE CASCADE,
    -- That is spoken; none where nobody speaks.
    language text,
    -- Frames a second of what they belong to.
    fps double precision NOT NULL CHECK (fps > 0),
    -- Counts the changes: who changes cues says which version they have seen.
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    -- In their order; times in milliseconds: [{"start": 0, "end": 900, "lines": ["Hola."]}].
    cues jsonb NOT NULL CHECK (jsonb_typeof(cues) = 'array'),
    updated_at timestamptz NOT NULL DEFAULT now()
);
