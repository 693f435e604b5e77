-- Purpose:    how long the orders of a session lived, and how they ended
-- Grain:      one row an order id that was added or modified
-- Reads:      events
-- Columns:
--   order_id      UBIGINT           the exchange's number of the order
--   side          VARCHAR           A ask, B bid; as first seen
--   first_ts      TIMESTAMPTZ_NS    its first record; of a replayed order, the time it had then, UTC
--   last_ts       TIMESTAMPTZ_NS    its last record, or the clear that took it, UTC
--   life_seconds  DOUBLE            between them; null while it rests
--   from_snapshot  BOOLEAN          whether it was there before the session
--   first_price   DOUBLE            in the price's currency
--   last_price    DOUBLE            in the price's currency
--   first_size    UINTEGER          contracts or shares
--   last_size     UINTEGER          as last added or modified, contracts or shares
--   modifies      BIGINT            records of action M
--   filled        BIGINT            contracts or shares filled
--   cancelled     BIGINT            contracts or shares taken away by C records, fills included
--   ended         VARCHAR           filled, cancelled, cleared, or resting
-- Example:    python -m vp.query order_lifetimes --symbol MNQH6 --dt 2026-02-06 --out lifetimes.parquet
WITH marked AS MATERIALIZED (
    SELECT order_id, event_id, ts_event, action, side, price, size, flags
    FROM events
    WHERE action IN ('A', 'C', 'M', 'F', 'R')
),
orders AS (
    SELECT
        order_id,
        arg_min(side, event_id) AS side,
        min(epoch_ns(ts_event)) AS first_ns,
        max(epoch_ns(ts_event)) AS last_ns,
        bool_or(flags & 32 <> 0) AS from_snapshot,
        arg_min(price, event_id) AS first_price,
        arg_max(price, event_id) AS last_price,
        arg_min(size, event_id) AS first_size,
        arg_max(size, event_id) AS last_size,
        count(*) FILTER (action = 'M') AS modifies,
        max(event_id) AS placed_id
    FROM marked
    WHERE action IN ('A', 'M')
    GROUP BY order_id
),
taken AS (
    SELECT
        order_id,
        sum(size) FILTER (action = 'F') AS filled,
        sum(size) FILTER (action = 'C') AS cancelled,
        sum(size) FILTER (action = 'C' AND event_id > placed_id) AS cancelled_since,
        max(epoch_ns(marked.ts_event)) AS last_ns
    FROM marked
    JOIN (SELECT order_id, placed_id FROM orders) USING (order_id)
    WHERE action IN ('C', 'F')
    GROUP BY order_id
),
clears AS (
    SELECT event_id AS clear_id, epoch_ns(ts_event) AS clear_ns FROM marked WHERE action = 'R'
),
ends AS (
    SELECT
        orders.*,
        coalesce(filled, 0)::BIGINT AS filled,
        coalesce(cancelled, 0)::BIGINT AS cancelled,
        CASE
            WHEN coalesce(cancelled_since, 0) >= last_size THEN
                CASE WHEN coalesce(filled, 0) >= cancelled THEN 'filled' ELSE 'cancelled' END
            WHEN clear_id IS NOT NULL THEN 'cleared'
            ELSE 'resting'
        END AS ended,
        greatest(orders.last_ns, coalesce(taken.last_ns, orders.last_ns)) AS seen_ns,
        clear_ns
    FROM orders
    LEFT JOIN taken USING (order_id)
    ASOF LEFT JOIN clears ON orders.placed_id <= clears.clear_id
)
SELECT
    order_id,
    side,
    make_timestamp_ns(first_ns)::TIMESTAMPTZ_NS AS first_ts,
    make_timestamp_ns(CASE ended WHEN 'cleared' THEN clear_ns ELSE seen_ns END)::TIMESTAMPTZ_NS AS last_ts,
    CASE
        WHEN ended = 'cleared' THEN (clear_ns - first_ns) / 1e9
        WHEN ended <> 'resting' THEN (seen_ns - first_ns) / 1e9
    END AS life_seconds,
    from_snapshot,
    CASE WHEN first_price <> 9223372036854775807 THEN first_price / 1e9 END AS first_price,
    CASE WHEN last_price <> 9223372036854775807 THEN last_price / 1e9 END AS last_price,
    first_size,
    last_size,
    modifies,
    filled,
    cancelled,
    ended
FROM ends
ORDER BY first_ns, order_id
