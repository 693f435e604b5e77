-- Purpose:    the orders of a cached book, in queue order
-- Grain:      one row a resting order, level or quote; bids then asks, best level first
-- Reads:      book
-- Columns:
--   side          VARCHAR      B bid, A ask
--   level         INTEGER      from the best price, which is 0
--   price         DOUBLE       in the price's currency
--   publisher_id  USMALLINT    DBN's number of the venue and feed
--   queue_rank    BIGINT       from the front of the publisher's queue at this price, which is 0
--   size          BIGINT       contracts or shares
--   ahead         BIGINT       contracts or shares before it in the publisher's queue
--   order_id      UBIGINT      the exchange's number of the order; null for a level or quote
--   kind          VARCHAR      order, level (aggregated, F_MBP) or quote (best only, F_TOB)
-- Example:    python -m vp.query book_orders --symbol MNQH6 --dt 2026-02-06 --start-time 09:30 --build
SELECT
    side,
    level,
    price / 1e9 AS price,
    publisher_id,
    row_number() OVER queue - 1 AS queue_rank,
    size,
    (sum(size) OVER queue - size)::BIGINT AS ahead,
    CASE WHEN kind = 'order' THEN order_id END AS order_id,
    kind::VARCHAR AS kind
FROM book
WINDOW queue AS (PARTITION BY side, book.price, publisher_id ORDER BY book.queue_rank)
ORDER BY side DESC, level, book.queue_rank
