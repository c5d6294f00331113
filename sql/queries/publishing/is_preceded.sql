-- Whether an earlier publication is still on its way to a field that this one goes to, too.
SELECT EXISTS (
    SELECT
    FROM publications p
    JOIN publications earlier ON earlier.wp_post_id = p.wp_post_id
        AND earlier.endpoint = p.endpoint AND earlier.site_id IS NOT DISTINCT FROM p.site_id
        AND (earlier.created_at, earlier.id) < (p.created_at, p.id)
    JOIN runs ON runs.id = earlier.run_id AND runs.status IN ('pending', 'running')
    JOIN publication_pictures theirs ON theirs.publication_id = earlier.id
    JOIN publication_pictures ours ON ours.publication_id = p.id AND ours.field = theirs.field
    WHERE p.id = :publication_id AND theirs.wp_status IN ('pending', 'uploading')
)
