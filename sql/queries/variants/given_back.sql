-- What the preview of a variant took when its run set it aside, if that was given back.
SELECT amount
FROM (
    SELECT amount, state
    FROM reservations
    WHERE owner_id = :owner_id AND subject = :generation_id AND purpose = 'preview'
        AND run_id = :run_id
    ORDER BY at DESC
    LIMIT 1
) last
WHERE state = 'released'
