-- Give back what is still set aside for a run that comes to nothing. Answers how many reservations.
-- depends: 0019_ledger close_reservation_v1

CREATE FUNCTION darkroom_release_run_v1(of_run uuid)
    RETURNS bigint
    LANGUAGE sql
AS $$
SELECT count(*) FILTER (WHERE darkroom_close_reservation_v1(id, 'release') = 'open')
FROM reservations
WHERE run_id = of_run AND state = 'open';
$$;
