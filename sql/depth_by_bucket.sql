-- Purpose:    depth of a cached book by price bucket around its middle, as frames have their rows
-- Grain:      one row a bucket with orders
-- Reads:      book, session
-- Parameter:  reach, BIGINT, default 50: buckets on either side of spot
-- Columns:
--   k           BIGINT     buckets from spot
--   price       DOUBLE     the bucket's middle, in the price's currency
--   bid_size    BIGINT     resting bids, contracts or shares
--   ask_size    BIGINT     resting asks, contracts or shares
--   orders      BIGINT     resting
-- Example:    python -m vp.query depth_by_bucket --symbol MNQH6 --dt 2026-02-06 --start-time 09:30 --build
WITH spot AS (
    SELECT
        bucket_int,
        (max(price) FILTER (side = 'B') + min(price) FILTER (side = 'A') + bucket_int) // (2 * bucket_int) AS spot
    FROM book, session
    GROUP BY bucket_int
)
SELECT
    (2 * price + bucket_int) // (2 * bucket_int) - spot AS k,
    any_value((2 * price + bucket_int) // (2 * bucket_int)) * any_value(bucket_int) / 1e9 AS price,
    coalesce(sum(size) FILTER (side = 'B'), 0)::BIGINT AS bid_size,
    coalesce(sum(size) FILTER (side = 'A'), 0)::BIGINT AS ask_size,
    count(*) AS orders
FROM book, spot
GROUP BY ALL
HAVING abs(k) <= $reach
ORDER BY k
