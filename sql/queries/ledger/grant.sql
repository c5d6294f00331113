-- Give a user tokens, or take some, if they have them.
SELECT granted, have
FROM darkroom_grant_tokens_v1(:owner_id, :amount, :actor, :note, :start)
