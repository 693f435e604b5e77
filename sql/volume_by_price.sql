-- Purpose:    what was traded at each price in a recording, by aggressor
-- Grain:      one row a price bucket with trades, highest first; a last one without a price for what has none in frames
-- Reads:      frames, recording
-- Columns:
--   price   DOUBLE    the bucket's middle, in the price's currency; null: outside the rows of a frame, or without a price
--   bought  BIGINT    with a buyer as aggressor, contracts or shares
--   sold    BIGINT    with a seller as aggressor, contracts or shares
--   other   BIGINT    without an aggressor, whose price frames do not tell, contracts or shares
-- Example:    python -m vp.query volume_by_price --recording frames.parquet --format csv
WITH placed AS (
    SELECT
        spot_price + (row_index - 51) * bucket_int AS price,
        bought[row_index]::DOUBLE AS bought,
        sold[row_index]::DOUBLE AS sold
    FROM
        frames,
        recording,
        (SELECT unnest(range(1, 102)) AS row_index)
    WHERE bought[row_index] <> 0 OR sold[row_index] <> 0
),
totals AS (
    SELECT sum(buy_volume) AS bought, sum(sell_volume) AS sold, sum(other_volume) AS other FROM frames
),
every_row AS (
    SELECT price / 1e9 AS price, sum(bought)::BIGINT AS bought, sum(sold)::BIGINT AS sold, 0::BIGINT AS other
    FROM placed
    GROUP BY price
    UNION ALL
    SELECT
        NULL,
        (totals.bought - coalesce((SELECT sum(bought) FROM placed), 0))::BIGINT,
        (totals.sold - coalesce((SELECT sum(sold) FROM placed), 0))::BIGINT,
        totals.other::BIGINT
    FROM totals
)
SELECT price, bought, sold, other
FROM every_row
WHERE price IS NOT NULL OR bought <> 0 OR sold <> 0 OR other <> 0
ORDER BY price DESC NULLS LAST
