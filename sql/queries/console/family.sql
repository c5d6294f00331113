-- The children of a fan-in and its callbacks; of many children the first :most.
(
    SELECT s.job_id, false AS called
    FROM steps s
    WHERE s.fan_in_id = :fan_in_id
    ORDER BY s.job_id
    LIMIT :most
)
UNION ALL
(
    SELECT s.job_id, true
    FROM steps s
    WHERE s.run_id = :run_id AND s.callback_of = :fan_in_id
    ORDER BY s.job_id
    LIMIT :most
)
