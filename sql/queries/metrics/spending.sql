-- What each provider cost, since ever, in USD.
SELECT provider, sum(amount) AS amount
FROM spending
GROUP BY provider
ORDER BY provider
