-- How the requests of the last day stand, by service.
SELECT service, status, count(*) AS requests
FROM media_requests
WHERE created_at > now() - interval '1 day'
GROUP BY service, status
ORDER BY service, status
