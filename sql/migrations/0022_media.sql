-- Media services: what was asked of them, of whom, and what came of it.
-- depends: 0021_publishing

CREATE TABLE media_requests (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id integer NOT NULL REFERENCES users,
    -- The run that works on it, or did last.
    run_id uuid REFERENCES runs ON DELETE SET NULL,
    -- Also the pipeline of its runs.
    service text NOT NULL CHECK (
        service IN ('images', 'prompts', 'enhancing', 'subtitles', 'portraits', 'faces', 'videos')
    ),
    title text NOT NULL DEFAULT '',
    -- What was asked for, as it was checked.
    asked jsonb NOT NULL CHECK (jsonb_typeof(asked) = 'object'),
    -- What the answer says beside its files.
    result jsonb CHECK (jsonb_typeof(result) = 'object'),
    -- What did it; a stand-in says here that it is one.
    engine text,
    status text NOT NULL DEFAULT 'processing'
        CHECK (status IN ('processing', 'completed', 'failed', 'cancelled')),
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    CHECK (status <> 'completed' OR result IS NOT NULL)
);
CREATE INDEX media_requests_owner_idx ON media_requests (owner_id, created_at DESC, id DESC);
CREATE INDEX media_requests_created_idx ON media_requests (created_at DESC, id DESC);
CREATE INDEX media_requests_run_idx ON media_requests (run_id);

-- The files that came with a request, and those that were made for it.
CREATE TABLE media_files (
    request_id uuid NOT NULL REFERENCES media_requests ON DELETE CASCADE,
    -- What it is to the request: 'picture', 'sound', 'clip', 'result', 'srt' …
    role text NOT NULL CHECK (role <> ''),
    -- From 0, among those of its role.
    position integer NOT NULL DEFAULT 0 CHECK (position >= 0),
    asset_id uuid NOT NULL REFERENCES assets,
    filename text NOT NULL DEFAULT '',
    PRIMARY KEY (request_id, role, position)
);
CREATE INDEX media_files_asset_idx ON media_files (asset_id);

-- A request follows its run; only its own last step completes it.
CREATE FUNCTION darkroom_follow_media_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE media_requests
    SET status = CASE WHEN NEW.status IN ('failed', 'cancelled') THEN NEW.status ELSE 'processing' END,
        error = CASE WHEN NEW.status = 'failed' THEN NEW.error ->> 'message' END
    WHERE run_id = NEW.id AND status <> 'completed';
    RETURN NULL;
END;
$$;
CREATE TRIGGER media_run_followed AFTER UPDATE OF status ON runs
    FOR EACH ROW WHEN (
        NEW.pipeline IN ('images', 'prompts', 'enhancing', 'subtitles', 'portraits', 'faces', 'videos')
        AND NEW.status IN ('running', 'failed', 'cancelled')
        AND OLD.status IS DISTINCT FROM NEW.status
    )
    EXECUTE FUNCTION darkroom_follow_media_run();
