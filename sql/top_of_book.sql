-- Purpose:    best bid and ask of a cached book
-- Grain:      one row
-- Reads:      book, session
-- Columns:
--   contract      VARCHAR        the instrument
--   ts            TIMESTAMPTZ    the moment of the book, UTC
--   bid_price     DOUBLE         in the price's currency; null where the side is empty
--   bid_size      BIGINT         contracts or shares
--   bid_orders    BIGINT         orders; levels and quotes are none
--   ask_price     DOUBLE         in the price's currency; null where the side is empty
--   ask_size      BIGINT         contracts or shares
--   ask_orders    BIGINT         orders
--   mid_price     DOUBLE         in the price's currency
--   spread_ticks  DOUBLE         ask less bid
-- Example:    python -m vp.query top_of_book --symbol MNQH6 --dt 2026-02-06 --start-time 09:30 --build
SELECT
    any_value(contract) AS contract,
    any_value(book_ts) AS ts,
    max(price) FILTER (side = 'B') / 1e9 AS bid_price,
    coalesce(sum(size) FILTER (side = 'B'), 0)::BIGINT AS bid_size,
    count(*) FILTER (side = 'B' AND kind = 'order') AS bid_orders,
    min(price) FILTER (side = 'A') / 1e9 AS ask_price,
    coalesce(sum(size) FILTER (side = 'A'), 0)::BIGINT AS ask_size,
    count(*) FILTER (side = 'A' AND kind = 'order') AS ask_orders,
    (max(price) FILTER (side = 'B') + min(price) FILTER (side = 'A')) / 2e9 AS mid_price,
    (min(price) FILTER (side = 'A') - max(price) FILTER (side = 'B')) / any_value(tick_int) AS spread_ticks
FROM session
LEFT JOIN (SELECT * FROM book WHERE level = 0) ON TRUE
