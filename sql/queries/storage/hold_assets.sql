-- Take these assets, but for those that somebody has in hand: from now on nobody refers to them anew.
SELECT id FROM assets WHERE id = ANY(:ids) ORDER BY id FOR UPDATE SKIP LOCKED
