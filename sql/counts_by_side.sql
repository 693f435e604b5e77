-- Purpose:    how many records of each action and side a session has
-- Grain:      one row an action and side
-- Reads:      events
-- Columns:
--   action    VARCHAR    A add, C cancel, M modify, R clear, T trade, F fill, N none
--   side      VARCHAR    A ask, B bid, N none; of a trade, the aggressor's
--   records   BIGINT     records
--   size      BIGINT     sum of their sizes where defined, contracts or shares
-- Example:    python -m vp.query counts_by_side --symbol MNQH6 --dt 2026-02-06
SELECT
    action,
    side,
    count(*) AS records,
    coalesce(sum(size), 0)::BIGINT AS size
FROM events
GROUP BY action, side
ORDER BY action, side
