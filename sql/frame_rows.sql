-- Purpose: a recording's frames with one row a price bucket, for grouping and plotting by distance from spot.
-- Grain:   one row a frame and k.
-- Columns: ts_ns (timestamp ns UTC), event_id, k (buckets from spot, -50 to 50), price (1e-9 units),
--          pressure, vacuum (contracts a second), rest_depth (contracts).
-- Example: duckdb.sql(Path("sql/frame_rows.sql").read_text(), params={"recording": "frames.parquet"})
SELECT
    ts_ns,
    event_id,
    row_index - 51 AS k,
    spot_price + (row_index - 51) * bucket_int AS price,
    pressure[row_index] AS pressure,
    vacuum[row_index] AS vacuum,
    rest_depth[row_index] AS rest_depth
FROM
    read_parquet($recording),
    (
        SELECT decode(value)::BIGINT AS bucket_int
        FROM parquet_kv_metadata($recording)
        WHERE decode(key) = 'vp.bucket_int'
    ),
    (SELECT unnest(range(1, 102)) AS row_index)
ORDER BY ts_ns, event_id, k
