-- How large are the tables, how much of them is dead, and when were they cleaned?
--
-- table
-- rows                 live rows, as the statistics have them
-- dead_rows, dead_fraction
-- total_bytes          with indexes and TOAST
-- table_bytes, index_bytes
-- bloat_bytes          what the table takes beyond its rows at their average width: a guess
-- vacuumed_at, analyzed_at
--
-- Cost: the catalogs only; no table is read.
SELECT
    t.relname AS "table",
    t.n_live_tup AS rows,
    t.n_dead_tup AS dead_rows,
    round(t.n_dead_tup::numeric / nullif(t.n_live_tup + t.n_dead_tup, 0), 4) AS dead_fraction,
    pg_total_relation_size(t.relid) AS total_bytes,
    pg_table_size(t.relid) AS table_bytes,
    pg_indexes_size(t.relid) AS index_bytes,
    greatest(0, pg_relation_size(t.relid) - round(t.n_live_tup * (28 + width.bytes) * 1.1))::bigint
        AS bloat_bytes,
    greatest(t.last_vacuum, t.last_autovacuum) AS vacuumed_at,
    greatest(t.last_analyze, t.last_autoanalyze) AS analyzed_at
FROM pg_stat_user_tables t
CROSS JOIN LATERAL (
    SELECT coalesce(sum(s.avg_width * (1 - s.null_frac)), 0) AS bytes
    FROM pg_stats s
    WHERE s.schemaname = t.schemaname AND s.tablename = t.relname
) width
WHERE t.schemaname = 'public'
ORDER BY total_bytes DESC, t.relname
LIMIT 200
