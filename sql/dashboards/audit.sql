-- Who did what to the queue, lately?
--
-- id, at, actor, action, subject
-- count                rows it touched
-- filter               of a bulk action, as its page or command line gave it
-- undone_at            when it was taken back
--
-- The newest 500. Cost: one index.
SELECT id, at, actor, action, subject, count, filter, undone_at
FROM audit
ORDER BY at DESC, id DESC
LIMIT 500
