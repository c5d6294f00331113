-- The callbacks of a run that wait for their children: which step, and how many of how many.
SELECT callback AS name, callback_lane AS lane, pending, children
FROM fan_ins
WHERE run_id = :run_id AND pending > 0
ORDER BY id
