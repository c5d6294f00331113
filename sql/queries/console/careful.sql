-- Read without hurting: not for long, on one core, planned for the values at hand.
SELECT
    set_config('statement_timeout', :milliseconds, true),
    set_config('max_parallel_workers_per_gather', '0', true),
    set_config('jit', 'off', true),
    set_config('plan_cache_mode', 'force_custom_plan', true)
