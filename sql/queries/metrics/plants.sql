-- How many plants counted sessions have, detected and estimated: of each the number of sessions
-- whose figure is at most the first, second … of :bounds and more than the one before, and its sum.
SELECT
    counted.kind,
    width_bucket(counted.plants - 0.5, CAST(:bounds AS double precision[])) AS bucket,
    count(*) AS sessions,
    sum(counted.plants) AS plants
FROM photo_processing_sessions s
CROSS JOIN LATERAL (
    VALUES ('detection', s.total_detected), ('estimation', s.total_estimated)
) counted (kind, plants)
WHERE s.status = 'completed'
GROUP BY counted.kind, bucket
ORDER BY counted.kind, bucket
