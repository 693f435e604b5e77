-- Purpose:    how many records of each action a session has
-- Grain:      one row an action
-- Reads:      events
-- Columns:
--   action    VARCHAR    A add, C cancel, M modify, R clear, T trade, F fill, N none
--   records   BIGINT     records
--   size      BIGINT     sum of their sizes where defined, contracts or shares
--   share     DOUBLE     of all records, 0 to 1
-- Example:    python -m vp.query counts_by_action --symbol MNQH6 --dt 2026-02-06
SELECT
    action,
    count(*) AS records,
    coalesce(sum(size), 0)::BIGINT AS size,
    count(*) / sum(count(*)) OVER () AS share
FROM events
GROUP BY action
ORDER BY records DESC, action
