-- Attempts that ended, since ever, as far as they are rolled up.
SELECT lane, task, outcome, attempts
FROM attempt_totals
ORDER BY lane, task, outcome
