-- Forget how these steps ended; their attempts are kept.
UPDATE steps
SET progress = 0, error = NULL, result = NULL, finished_at = NULL, note = '', note_values = '{}',
    waiting_kind = NULL, waiting_on = NULL, waiting_for = NULL
WHERE job_id = ANY(:job_ids)
