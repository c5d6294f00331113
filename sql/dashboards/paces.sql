-- Which paces are there, who is at it, and how long is the line?
--
-- pace
-- spacing_seconds      from the end of a call to the start of the next
-- free_at              when the next call may start, once none is in flight
-- running_job_id       the step whose call is in flight
-- held_since
-- typical_seconds      how long its calls take, as an average that follows
-- waiting              steps in line
-- first_slot_at, last_slot_at
--                      when the first and the last of them were told to come
--
-- Cost: one row a pace, and a count of its line by an index.
SELECT
    p.name AS pace,
    p.spacing_seconds,
    nullif(p.free_at, '-infinity') AS free_at,
    holder.job_id AS running_job_id,
    CASE WHEN holder.job_id IS NOT NULL THEN p.held_since END AS held_since,
    round(p.typical_seconds::numeric, 3) AS typical_seconds,
    line.waiting,
    line.first_slot_at,
    line.last_slot_at
FROM paces p
LEFT JOIN attempts holder ON holder.id = p.holder_attempt_id AND holder.finished_at IS NULL
CROSS JOIN LATERAL (
    SELECT
        count(*) AS waiting,
        min(nullif(w.slot_at, 'infinity')) AS first_slot_at,
        max(nullif(w.slot_at, 'infinity')) AS last_slot_at
    FROM gate_waits w
    WHERE w.kind = 'pace' AND w.gate = p.name
) line
ORDER BY line.waiting DESC, p.name
LIMIT 500
