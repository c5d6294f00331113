-- The fields of a publication that a later one of the same post has taken, or is about to take.
SELECT DISTINCT later_picture.field
FROM publications p
JOIN publications later ON later.wp_post_id = p.wp_post_id AND later.endpoint = p.endpoint
    AND later.site_id IS NOT DISTINCT FROM p.site_id
    AND (later.created_at, later.id) > (p.created_at, p.id)
JOIN publication_pictures later_picture ON later_picture.publication_id = later.id
WHERE p.id = :publication_id AND NOT later_picture.in_gallery
    AND later_picture.wp_status <> 'failed'
