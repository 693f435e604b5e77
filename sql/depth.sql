-- Purpose:    depth of a cached book by level
-- Grain:      one row a side and price; bids then asks, best first
-- Reads:      book
-- Parameter:  levels, BIGINT, default 10: the best levels of each side
-- Columns:
--   side        VARCHAR    B bid, A ask
--   level       INTEGER    from the best price, which is 0
--   price       DOUBLE     in the price's currency
--   size        BIGINT     resting, contracts or shares
--   orders      BIGINT     resting; aggregated levels and quotes of publishers add size and are none
--   cumulative  BIGINT     resting from the best price to this one, contracts or shares
-- Example:    python -m vp.query depth --symbol MNQH6 --dt 2026-02-06 --start-time 09:30 --build --set levels=5
SELECT
    side,
    level,
    any_value(price) / 1e9 AS price,
    sum(size)::BIGINT AS size,
    count(*) FILTER (kind = 'order') AS orders,
    (sum(sum(size)) OVER (PARTITION BY side ORDER BY level))::BIGINT AS cumulative
FROM book
WHERE level < $levels
GROUP BY side, level
ORDER BY side DESC, level
