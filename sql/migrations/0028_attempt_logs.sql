-- What an attempt logged.
-- depends: 0027_publishing_runs

-- Its last lines, written when it is settled; null when it logged nothing, or when its worker was
-- killed.
ALTER TABLE attempts ADD COLUMN log text;
