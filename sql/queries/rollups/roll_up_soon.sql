-- Roll up the attempts that ended just now; of a longer stretch its first two minutes.
SELECT rolled FROM darkroom_roll_up_v2(2)
