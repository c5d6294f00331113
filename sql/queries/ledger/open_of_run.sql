-- What is set aside for a run and neither paid nor given back.
SELECT id, amount, state, run_id
FROM reservations
WHERE run_id = :run_id AND state = 'open'
ORDER BY at
