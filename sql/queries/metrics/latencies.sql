-- The histograms of waiting and running, since ever, as far as they are rolled up.
SELECT kind, lane, task, bucket, attempts, seconds
FROM latency_totals
ORDER BY kind, lane, task, bucket
