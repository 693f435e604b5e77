-- Purpose:    the queues of orders of a cached book at one price, each publisher's by itself
-- Grain:      one row a resting order, front of the queue first; of publishers without orders their level
-- Reads:      book
-- Parameter:  at_price, DOUBLE: the price, in the price's currency
-- Columns:
--   side          VARCHAR      B bid, A ask
--   publisher_id  USMALLINT    DBN's number of the venue and feed
--   queue_rank    BIGINT       from the front of the publisher's queue, which is 0
--   order_id      UBIGINT      the exchange's number of the order; null for a level or quote
--   size          BIGINT       contracts or shares
--   ahead         BIGINT       contracts or shares before it in the publisher's queue
--   kind          VARCHAR      order, level (aggregated, F_MBP) or quote (best only, F_TOB)
-- Example:    python -m vp.query queue_at_price --symbol MNQH6 --dt 2026-02-06 --start-time 09:30 --build --set at_price=21500
SELECT
    side,
    publisher_id,
    row_number() OVER queue - 1 AS queue_rank,
    CASE WHEN kind = 'order' THEN order_id END AS order_id,
    size,
    (sum(size) OVER queue - size)::BIGINT AS ahead,
    kind::VARCHAR AS kind
FROM book
WHERE price = round($at_price::DOUBLE * 1e9)::BIGINT
WINDOW queue AS (PARTITION BY side, publisher_id ORDER BY book.queue_rank)
ORDER BY side DESC, publisher_id, book.queue_rank
