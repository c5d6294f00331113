-- Cron jobs as rows, what clean-up needs to be cheap, and autovacuum for the tables that change most.
-- depends: 0006_fairness

CREATE TABLE crons (
    -- The step's name.
    name text PRIMARY KEY,
    -- What it does, in a sentence.
    purpose text NOT NULL,
    lane text NOT NULL,
    max_attempts integer NOT NULL,
    -- Five cron fields in UTC, 'every 10m', or 'off' (by the code or a setting).
    schedule text NOT NULL,
    -- The switch that people have.
    enabled boolean NOT NULL DEFAULT true,
    -- Null: not due, as it is off.
    next_at timestamptz,
    -- The job that waits or runs; null between two runs.
    running_job_id bigint,
    last_job_id bigint,
    last_started_at timestamptz,
    last_finished_at timestamptz,
    last_outcome text CHECK (last_outcome IN ('succeeded', 'failed', 'cancelled')),
    last_result jsonb,
    last_error text,
    -- Due times that nobody was there for, or that came while the run before still went on.
    missed integer NOT NULL DEFAULT 0,
    last_missed_at timestamptz
);

-- Runs whose steps are still there, by their end: what clean-up looks at.
ALTER TABLE runs ADD COLUMN steps_deleted_at timestamptz;
CREATE INDEX runs_finished_idx ON runs ((status = 'failed'), finished_at)
    WHERE finished_at IS NOT NULL AND steps_deleted_at IS NULL;
-- Deleting a fan-in must not read all steps, nor deleting an asset all photos.
CREATE INDEX steps_callback_idx ON steps (callback_of) WHERE callback_of IS NOT NULL;
CREATE INDEX s3_images_original_idx ON s3_images (original_asset_id);
CREATE INDEX s3_images_thumbnail_idx ON s3_images (thumbnail_asset_id)
    WHERE thumbnail_asset_id IS NOT NULL;
CREATE INDEX s3_images_processed_idx ON s3_images (processed_asset_id)
    WHERE processed_asset_id IS NOT NULL;

-- The contents of each file of `sql/` when it was applied (hex SHA-256): one edited later shows.
CREATE TABLE migration_checksums (
    name text PRIMARY KEY,
    sha256 text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now()
);

-- By default a table is vacuumed when a fifth of it is dead; of a million jobs that is too late.
ALTER TABLE procrastinate_jobs SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
    autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 2000
);
ALTER TABLE steps SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
    autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 2000
);
ALTER TABLE attempts SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 2000
);
ALTER TABLE runs SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05
);
ALTER TABLE fan_ins SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000
);
ALTER TABLE procrastinate_events SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0.05
);
-- A handful of rows that are written every few seconds.
ALTER TABLE procrastinate_workers SET (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200
);
ALTER TABLE lanes SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500
);
