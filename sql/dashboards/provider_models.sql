-- Do the models that the settings name still exist?
--
-- provider, model
-- is_there             as last asked: a cron job does every week, and every purchase
-- checked_at
-- said                 what the provider says of one that is gone
--
-- Cost: reads one row for each model.
SELECT
    provider,
    model,
    is_there,
    checked_at,
    note AS said
FROM provider_models
ORDER BY is_there, provider, model
LIMIT 500
