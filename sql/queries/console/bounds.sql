-- Between which job ids (from `floor` up to, not with, `top`) jobs of a time lie.
SELECT
    greatest(
        (SELECT min(id) FROM procrastinate_jobs),
        CASE WHEN CAST(:created_after AS timestamptz) IS NOT NULL
            THEN darkroom_job_at_v1(CAST(:created_after AS timestamptz) - interval '10 min') END
    ) AS floor,
    least(
        (SELECT max(id) + 1 FROM procrastinate_jobs),
        CASE WHEN CAST(:created_before AS timestamptz) IS NOT NULL
            THEN darkroom_job_at_v1(CAST(:created_before AS timestamptz) + interval '10 min') END
    ) AS top
