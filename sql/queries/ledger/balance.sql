-- What a user has, in tokens; opens their account.
SELECT darkroom_open_account_v1(:owner_id, :start)
