-- Queues a failed edit again; nothing when it has not failed.
UPDATE catalog_edits
SET estado = 'pending', intentos = 0, error_message = NULL, error_stack = NULL,
    started_at = NULL, completed_at = NULL, run_id = NULL, job_id = NULL, updated_at = now()
WHERE id = :edit_id AND estado = 'failed'
RETURNING id, articulo_id, articulo_nombre, prioridad
