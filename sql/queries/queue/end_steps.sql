-- Count ended steps into their fan-ins and runs.
SELECT darkroom_end_steps_v2(
    %(job_ids)s::bigint[], %(results)s::jsonb[], %(errors)s::jsonb[], %(enqueued)s::integer[],
    %(run_results)s::jsonb[], %(stopped)s::boolean[]
)
