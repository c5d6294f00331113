-- How do the calls to each provider and model go, and what do they cost?
-- The last hour; another stretch with SET darkroom.minutes = 1440.
--
-- provider, operation, model
-- is_sandbox           whether the sandbox stood in for it: its costs are play money
-- calls, succeeded     how many, and how many of them brought what was asked for
-- refused              by the provider's rules, or because the caller asked for nonsense
-- failed               by the provider's fault, or because its model is gone
-- p50_seconds, p95_seconds   half, and 95 % of the calls took no longer
-- tokens_in, tokens_out
-- cost                 in USD
-- last_error           the newest
--
-- Cost: reads the calls of the stretch by an index over their time.
SELECT
    provider,
    operation,
    coalesce(model, '') AS model,
    is_sandbox,
    count(*) AS calls,
    count(*) FILTER (WHERE outcome = 'succeeded') AS succeeded,
    count(*) FILTER (WHERE outcome IN ('refused', 'invalid')) AS refused,
    count(*) FILTER (WHERE outcome IN ('transient', 'permanent', 'gone')) AS failed,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_seconds) AS p50_seconds,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_seconds) AS p95_seconds,
    coalesce(sum(tokens_in), 0) AS tokens_in,
    coalesce(sum(tokens_out), 0) AS tokens_out,
    sum(cost) AS cost,
    (array_agg(error ORDER BY at DESC) FILTER (WHERE error IS NOT NULL))[1] AS last_error
FROM provider_calls
WHERE at >= now() - make_interval(
    mins => coalesce(nullif(current_setting('darkroom.minutes', true), ''), '60')::int
)
GROUP BY provider, operation, model, is_sandbox
ORDER BY cost DESC, calls DESC, provider, operation, model
LIMIT 200
