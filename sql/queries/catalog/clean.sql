-- Deletes edits that ended more than so many days ago.
DELETE FROM catalog_edits
WHERE estado IN ('completed', 'failed')
    AND completed_at < now() - make_interval(secs => :days * 86400.0)
