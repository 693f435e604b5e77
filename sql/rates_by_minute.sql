-- Purpose:    message and trade rates of a session by the minute
-- Grain:      one row a minute with activity; replayed snapshots and clears are none
-- Reads:      events
-- Columns:
--   ts        TIMESTAMPTZ_NS    start of the minute, UTC
--   messages  BIGINT            records
--   adds      BIGINT            records of action A
--   cancels   BIGINT            records of action C
--   modifies  BIGINT            records of action M
--   trades    BIGINT            records of action T
--   volume    BIGINT            traded, contracts or shares
--   buys      BIGINT            of it, with a buyer as aggressor
--   sells     BIGINT            of it, with a seller as aggressor
-- Example:    python -m vp.query rates_by_minute --symbol MNQH6 --dt 2026-02-06 --format csv
SELECT
    make_timestamp_ns(start_ns)::TIMESTAMPTZ_NS AS ts,
    count(*) AS messages,
    count(*) FILTER (action = 'A') AS adds,
    count(*) FILTER (action = 'C') AS cancels,
    count(*) FILTER (action = 'M') AS modifies,
    count(*) FILTER (action = 'T') AS trades,
    coalesce(sum(size) FILTER (action = 'T'), 0)::BIGINT AS volume,
    coalesce(sum(size) FILTER (action = 'T' AND side = 'B'), 0)::BIGINT AS buys,
    coalesce(sum(size) FILTER (action = 'T' AND side = 'A'), 0)::BIGINT AS sells
FROM
    (
        SELECT action, side, size, epoch_ns(ts_event) // 60000000000 * 60000000000 AS start_ns
        FROM events
        WHERE flags & 32 = 0 AND action <> 'R'
    )
GROUP BY start_ns
ORDER BY start_ns
