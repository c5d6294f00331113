-- A message without what differs from case to case: ids, addresses, paths, numbers.
-- Messages of one cause get one shape.
-- depends: 0004_engine

CREATE FUNCTION darkroom_message_shape_v1(message text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT left(
        regexp_replace(
        regexp_replace(
        regexp_replace(
        regexp_replace(
        regexp_replace(
            left(message, 1000),
            '\y[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\y', '<id>', 'g'),
            '\y[a-z]+://\S+', '<url>', 'g'),
            '(?<![\w<])/[\w.~@%+-]+(/[\w.~@%+-]*)+', '<path>', 'g'),
            '\y(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{12,}\y', '<id>', 'g'),
            '[0-9]+([.,:][0-9]+)*', '<n>', 'g'),
        300)
$$;
