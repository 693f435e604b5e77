-- Purpose:    a recording's frames with one row a price bucket, for grouping and plotting by distance from spot
-- Grain:      one row a frame and k
-- Reads:      frames, recording
-- Columns:
--   ts          TIMESTAMPTZ       engine clock to the microsecond, UTC
--   ts_ns       TIMESTAMPTZ_NS    the same to the nanosecond
--   event_id    BIGINT            records processed since the session's start
--   k           BIGINT            buckets from spot, -50 to 50
--   price       BIGINT            the bucket's middle, 1e-9 units; null before the first spot
--   pressure    FLOAT             contracts or shares a second
--   vacuum      FLOAT             contracts or shares a second
--   rest_depth  FLOAT             resting, contracts or shares
-- Example:    python -m vp.query frame_rows --recording frames.parquet --out rows.parquet
SELECT
    ts,
    ts_ns,
    event_id,
    row_index - 51 AS k,
    spot_price + (row_index - 51) * bucket_int AS price,
    pressure[row_index] AS pressure,
    vacuum[row_index] AS vacuum,
    rest_depth[row_index] AS rest_depth
FROM
    frames,
    recording,
    (SELECT unnest(range(1, 102)) AS row_index)
ORDER BY ts_ns, event_id, k
