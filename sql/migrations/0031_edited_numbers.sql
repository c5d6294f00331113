-- A picture that replaced another has that one's number; edits used to be number 1.
-- depends: 0030_variants_retried

WITH RECURSIVE numbered AS (
    SELECT picture.id, picture.index
    FROM publication_pictures picture JOIN publications p ON p.id = picture.publication_id
    WHERE p.source_id IS NULL
    UNION ALL
    SELECT picture.id, source.index
    FROM numbered source
    JOIN publications p ON p.source_id = source.id AND NOT p.joins
    JOIN publication_pictures picture ON picture.publication_id = p.id
)
-- Files are named by number: what is still on its way keeps its own.
UPDATE publication_pictures picture SET index = numbered.index
FROM numbered
WHERE picture.id = numbered.id AND picture.wp_status = 'completed'
    AND picture.index <> numbered.index;
