-- Purpose:    the queue of orders of a cached book at one price
-- Grain:      one row a resting order, front of the queue first
-- Reads:      book
-- Parameter:  at_price, DOUBLE: the price, in the price's currency
-- Columns:
--   side        VARCHAR    B bid, A ask
--   queue_rank  INTEGER    from the front of the queue, which is 0
--   order_id    UBIGINT    the exchange's number of the order
--   size        BIGINT     contracts or shares
--   ahead       BIGINT     contracts or shares before it
-- Example:    python -m vp.query queue_at_price --symbol MNQH6 --dt 2026-02-06 --start-time 09:30 --build --set at_price=21500
SELECT
    side,
    queue_rank,
    order_id,
    size,
    (sum(size) OVER (PARTITION BY side ORDER BY queue_rank) - size)::BIGINT AS ahead
FROM book
WHERE price = round($at_price::DOUBLE * 1e9)::BIGINT
ORDER BY side DESC, queue_rank
