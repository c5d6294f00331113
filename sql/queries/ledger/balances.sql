-- What these users have, in tokens; opens their accounts.
SELECT id AS owner_id, darkroom_open_account_v1(id, :start) AS tokens
FROM users
WHERE id = ANY(:owner_ids)
ORDER BY id
