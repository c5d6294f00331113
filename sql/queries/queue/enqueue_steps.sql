-- Enqueue steps; answers their job ids in the order given.
SELECT darkroom_enqueue_steps_v1(
    %(names)s::text[], %(lanes)s::text[], %(argses)s::jsonb[], %(labels)s::text[],
    %(shares)s::double precision[], %(max_attemptses)s::integer[], %(ats)s::timestamptz[],
    %(run_id)s::uuid, %(priority)s::integer, %(child_of)s::bigint, %(callback_of)s::bigint
)
