-- Purpose:    runs of one market state in a recording, and the price move that followed
-- Grain:      one row a run of frames of the same state
-- Reads:      frames, recording
-- Parameter:  after, DOUBLE, default 60: seconds from the run's first frame to where the move is measured
-- Columns:
--   start_ts      TIMESTAMPTZ       its first frame, to the microsecond, UTC
--   start_ns      TIMESTAMPTZ_NS    the same to the nanosecond
--   end_ts        TIMESTAMPTZ       its last frame, to the microsecond, UTC
--   end_ns        TIMESTAMPTZ_NS    the same to the nanosecond
--   state         TINYINT           1 UP, 0 CHOP, -1 DOWN
--   frames        BIGINT            frames
--   seconds       DOUBLE            from its first frame to its last
--   mean_score    DOUBLE            -1 to 1
--   start_mid     DOUBLE            mid price at its first frame, in the price's currency
--   run_ticks     DOUBLE            mid price from its first frame to its last, ticks
--   after_ticks   DOUBLE            mid price from its first frame to `after` seconds later, ticks; null past the end
-- Example:    python -m vp.query state_runs --recording frames.parquet --set after=30
WITH ordered AS (
    SELECT
        epoch_ns(ts_ns) AS ns,
        state,
        score,
        mid_price,
        row_number() OVER (ORDER BY ts_ns, event_id) AS n
    FROM frames
),
numbered AS (
    SELECT *, n - row_number() OVER (PARTITION BY state ORDER BY n) AS island
    FROM ordered
),
runs AS (
    SELECT
        min(ns) AS start_ns,
        max(ns) AS end_ns,
        state,
        count(*) AS frames,
        avg(score) AS mean_score,
        arg_min(mid_price, n) AS start_mid,
        arg_max(mid_price, n) AS end_mid,
        min(n) AS first_n
    FROM numbered
    GROUP BY state, island
),
ahead AS (
    SELECT *, start_ns + ($after::DOUBLE * 1e9)::BIGINT AS later_ns
    FROM runs
),
mids AS (
    SELECT ns, arg_max(mid_price, n) AS mid_price FROM ordered GROUP BY ns
)
SELECT
    make_timestamptz(ahead.start_ns // 1000) AS start_ts,
    make_timestamp_ns(ahead.start_ns)::TIMESTAMPTZ_NS AS start_ns,
    make_timestamptz(ahead.end_ns // 1000) AS end_ts,
    make_timestamp_ns(ahead.end_ns)::TIMESTAMPTZ_NS AS end_ns,
    state,
    frames,
    (ahead.end_ns - ahead.start_ns) / 1e9 AS seconds,
    mean_score,
    start_mid,
    (end_mid - start_mid) * 1e9 / tick_int AS run_ticks,
    CASE WHEN later_ns <= (SELECT max(ns) FROM ordered) THEN (mids.mid_price - start_mid) * 1e9 / tick_int END
        AS after_ticks
FROM ahead
ASOF LEFT JOIN mids ON ahead.later_ns >= mids.ns
CROSS JOIN recording
ORDER BY first_n
