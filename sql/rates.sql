-- Purpose:    message and trade rates of a session by time
-- Grain:      one row a stretch of so many seconds with activity; what only builds the book, and clears, are none
-- Reads:      events
-- Parameter:  seconds, DOUBLE, default 60: how long a stretch is
-- Columns:
--   ts        TIMESTAMPTZ    start of the stretch, UTC
--   messages  BIGINT         records
--   adds      BIGINT         records of action A
--   cancels   BIGINT         records of action C
--   modifies  BIGINT         records of action M
--   trades    BIGINT         records of action T
--   volume    BIGINT         traded, contracts or shares
--   buys      BIGINT         of it, with a buyer as aggressor
--   sells     BIGINT         of it, with a seller as aggressor
-- Example:    python -m vp.query rates --symbol MNQH6 --dt 2026-02-06 --set seconds=10 --format csv
SELECT
    make_timestamptz(start_ns // 1000) AS ts,
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
        SELECT action, side, size, epoch_ns(ts_event) // stretch_ns * stretch_ns AS start_ns
        FROM events, (SELECT ($seconds * 1e9)::BIGINT AS stretch_ns)
        WHERE NOT book_only AND action <> 'R' AND ts_event IS NOT NULL
    )
GROUP BY start_ns
ORDER BY start_ns
