-- A picture follows the steps of the run that publishes it, not those of runs before it.
-- depends: 0026_publishing_history

CREATE OR REPLACE FUNCTION darkroom_follow_picture_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE publication_pictures
    SET wp_status = 'failed', error = NEW.error ->> 'message'
    FROM publications
    WHERE publications.id = publication_id AND publications.run_id = NEW.run_id
        AND wp_status IN ('pending', 'uploading') AND publication_pictures.id = (
            SELECT (args ->> 'picture_id')::uuid FROM procrastinate_jobs WHERE id = NEW.job_id
        );
    RETURN NULL;
END;
$$;
