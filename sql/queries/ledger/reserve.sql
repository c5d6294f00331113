-- Set a user's tokens aside for something.
SELECT answer, held, held_amount, held_run, have
FROM darkroom_reserve_tokens_v1(:owner_id, :amount, :subject, :purpose, :run_id, :start)
