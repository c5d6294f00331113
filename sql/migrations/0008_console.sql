-- The console: people who may look but not touch, and the two indexes its list of jobs needs.
-- depends: 0006_fairness

ALTER TABLE users DROP CONSTRAINT users_role_check;
ALTER TABLE users ADD CONSTRAINT users_role_check CHECK (role IN ('admin', 'member', 'viewer'));

-- What ended badly is rare and looked for often. Neither index holds a row of a step that waits, runs
-- or succeeded, so that enqueueing, fetching and settling pay next to nothing for them.
CREATE INDEX jobs_ended_badly_idx ON procrastinate_jobs (id)
    WHERE status IN ('failed', 'cancelled', 'aborting', 'aborted');
CREATE INDEX attempts_error_idx ON attempts (job_id) WHERE error_class IS NOT NULL;
