-- The pictures of a publication whose place a later one of the same post has taken: in a field that
-- holds one picture, or as an edit in a gallery. One that is but on its way may yet fail, and follows
-- those before it anyway (see is_preceded.sql).
SELECT ours.id
FROM publications p
JOIN publication_pictures ours ON ours.publication_id = p.id
WHERE p.id = :publication_id AND EXISTS (
    SELECT
    FROM publications later
    JOIN publication_pictures theirs ON theirs.publication_id = later.id
        AND theirs.field = ours.field AND theirs.wp_status = 'completed'
    WHERE later.wp_post_id = p.wp_post_id AND later.endpoint = p.endpoint
        AND later.site_id IS NOT DISTINCT FROM p.site_id
        AND (later.created_at, later.id) > (p.created_at, p.id)
        AND (NOT ours.in_gallery OR (later.source_id = ours.id AND NOT later.joins))
)
