-- Roll up the attempts that ended just now; of a longer stretch its first two minutes. Nothing while
-- somebody else is at it, which may take a while after a pause.
SELECT CASE
    WHEN EXISTS (SELECT FROM rollup_progress FOR UPDATE SKIP LOCKED)
    THEN (SELECT rolled FROM darkroom_roll_up_v2(2))
    ELSE 0
END
