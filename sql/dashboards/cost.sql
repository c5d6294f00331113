-- What was spent, by provider and owner?
--
-- provider, owner
-- today, week, month   in USD: this day (UTC), the last 7 and the last 30 days with it
--
-- Cost: reads the sums a day of the last 30 days, not the single charges.
SELECT
    s.provider,
    coalesce(u.name, '(nobody)') AS owner,
    coalesce(sum(s.amount) FILTER (WHERE s.day = d.today), 0) AS today,
    coalesce(sum(s.amount) FILTER (WHERE s.day > d.today - 7), 0) AS week,
    sum(s.amount) AS month
FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) d
JOIN spending s ON s.day > d.today - 30
LEFT JOIN users u ON u.id = s.owner_id
GROUP BY s.provider, s.owner_id, u.name
ORDER BY month DESC, s.provider, owner
LIMIT 500
