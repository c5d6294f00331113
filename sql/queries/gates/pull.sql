-- Call who is next in line before the gates, as of a given time (null: now).
SELECT darkroom_pull_paces_v1(:at)
