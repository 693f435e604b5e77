-- Purpose:    depth of a cached book by price bucket around its middle, as frames have their rows
-- Grain:      one row a bucket with orders
-- Reads:      book, session
-- Parameter:  reach, BIGINT, default 50: buckets on either side of spot
-- Columns:
--   k           BIGINT     buckets from spot
--   price       DOUBLE     the bucket's middle, in the price's currency
--   bid_size    BIGINT     resting bids, contracts or shares
--   ask_size    BIGINT     resting asks, contracts or shares
--   orders      BIGINT     resting; aggregated levels and quotes of publishers add size and are none
-- Example:    python -m vp.query depth_by_bucket --symbol MNQH6 --dt 2026-02-06 --start-time 09:30 --build
WITH doubled AS (
    SELECT side, price, size, kind, bucket_int, 2 * price + bucket_int AS x, 2 * bucket_int AS y
    FROM book, session
),
tagged AS (
    -- `//` cuts towards zero, a bucket rounds down, below zero too: (x - mod(x)) / y with a mod that is never negative.
    SELECT side, size, kind, bucket_int, (x - (x % y + y) % y) // y AS bucket
    FROM doubled
),
middle AS (
    SELECT
        max(price) FILTER (side = 'B') + min(price) FILTER (side = 'A') + any_value(bucket_int) AS x,
        any_value(y) AS y
    FROM doubled
),
spot AS (
    SELECT (x - (x % y + y) % y) // y AS spot
    FROM middle
)
SELECT
    bucket - spot AS k,
    bucket * bucket_int / 1e9 AS price,
    coalesce(sum(size) FILTER (side = 'B'), 0)::BIGINT AS bid_size,
    coalesce(sum(size) FILTER (side = 'A'), 0)::BIGINT AS ask_size,
    count(*) FILTER (kind = 'order') AS orders
FROM tagged, spot
WHERE abs(bucket - spot) <= $reach
GROUP BY bucket, bucket_int, spot
ORDER BY k
