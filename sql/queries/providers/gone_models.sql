-- The models of a provider that were found gone, not too long ago to be believed.
SELECT model
FROM provider_models
WHERE provider = :provider AND NOT is_there
    AND checked_at > clock_timestamp() - make_interval(secs => :believed_seconds)
