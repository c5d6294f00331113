-- Roll up the next hour of attempts that ended, at most; answers how many that were.
SELECT rolled FROM darkroom_roll_up_v2()
