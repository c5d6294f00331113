-- Ties edits to the run and the jobs of the steps that make them.
UPDATE catalog_edits
SET run_id = :run_id, job_id = given.job_id
FROM unnest(CAST(:edit_ids AS integer[]), CAST(:job_ids AS bigint[])) AS given (edit_id, job_id)
WHERE catalog_edits.id = given.edit_id
