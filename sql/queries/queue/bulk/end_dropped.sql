-- Tell the fan-ins and runs of cancelled jobs that these steps have ended, with an error.
SELECT darkroom_end_steps_v2(
    CAST(:job_ids AS bigint[]),
    array_fill(NULL::jsonb, ARRAY[n]),
    array_fill(CAST(:error AS jsonb), ARRAY[n]),
    array_fill(0, ARRAY[n]),
    array_fill(NULL::jsonb, ARRAY[n]),
    array_fill(false, ARRAY[n])
)
FROM (SELECT cardinality(CAST(:job_ids AS bigint[])) AS n) size
