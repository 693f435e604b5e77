-- Purpose:    the orders of a cached book, in queue order
-- Grain:      one row a resting order; bids then asks, best level first
-- Reads:      book
-- Columns:
--   side        VARCHAR    B bid, A ask
--   level       INTEGER    from the best price, which is 0
--   price       DOUBLE     in the price's currency
--   queue_rank  INTEGER    from the front of the queue at this price, which is 0
--   size        BIGINT     contracts or shares
--   ahead       BIGINT     contracts or shares before it in the queue
--   order_id    UBIGINT    the exchange's number of the order
-- Example:    python -m vp.query book_orders --symbol MNQH6 --dt 2026-02-06 --start-time 09:30 --build
SELECT
    side,
    level,
    price / 1e9 AS price,
    queue_rank,
    size,
    (sum(size) OVER (PARTITION BY side, price ORDER BY queue_rank) - size)::BIGINT AS ahead,
    order_id
FROM book
ORDER BY side DESC, level, queue_rank
