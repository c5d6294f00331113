-- Which of the assets no row of any table refers to.
SELECT a.id
FROM unnest(cast(:ids AS uuid[])) AS a(id)
EXCEPT
SELECT darkroom_referenced_v1('assets', cast(:ids AS uuid[]), '{}')
