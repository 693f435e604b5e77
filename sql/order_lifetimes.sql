-- Purpose:    how long the orders of a session lived, and how they ended
-- Grain:      one row an order id of a publisher that was added or modified; levels and quotes are no orders
-- Reads:      events
-- Columns:
--   publisher_id   USMALLINT         DBN's number of the venue and feed, each of which numbers its orders on its own
--   order_id       UBIGINT           the exchange's number of the order
--   side           VARCHAR           A ask, B bid; as first seen
--   first_ts       TIMESTAMPTZ       its first record, to the microsecond; of a replayed order, the time it had then, UTC
--   first_ns       TIMESTAMPTZ_NS    the same to the nanosecond
--   last_ts        TIMESTAMPTZ       its last record, or the clear or snapshot that took it, to the microsecond, UTC
--   last_ns        TIMESTAMPTZ_NS    the same to the nanosecond
--   life_seconds   DOUBLE            between them; null while it rests
--   from_snapshot  BOOLEAN           whether it was there before the session
--   first_price    DOUBLE            in the price's currency
--   last_price     DOUBLE            in the price's currency
--   first_size     UINTEGER          contracts or shares
--   last_size      UINTEGER          as last added or modified, contracts or shares
--   modifies       BIGINT            records of action M
--   filled         BIGINT            contracts or shares filled
--   cancelled      BIGINT            contracts or shares taken away by C records, fills included
--   ended          VARCHAR           filled, cancelled, cleared, or resting
-- Example:    python -m vp.query order_lifetimes --symbol MNQH6 --dt 2026-02-06 --out lifetimes.parquet
WITH marked AS MATERIALIZED (
    SELECT publisher_id, order_id, event_id, epoch_ns(ts_event) AS ns, action, side, price, size, flags
    FROM events
    WHERE action IN ('A', 'C', 'M', 'F') AND flags & 80 = 0 AND size IS NOT NULL
),
orders AS (
    SELECT
        publisher_id,
        order_id,
        arg_min(side, event_id) AS side,
        min(ns) AS first_ns,
        max(ns) AS last_ns,
        bool_or(flags & 32 <> 0) AS from_snapshot,
        arg_min(price, event_id) AS first_price,
        arg_max(price, event_id) AS last_price,
        arg_min(size, event_id) AS first_size,
        arg_max(size, event_id) AS last_size,
        count(*) FILTER (action = 'M') AS modifies,
        max(event_id) AS placed_id
    FROM marked
    WHERE action IN ('A', 'M') AND price IS NOT NULL AND side <> 'N'
    GROUP BY publisher_id, order_id
),
taken AS (
    SELECT
        publisher_id,
        order_id,
        sum(size) FILTER (action = 'F') AS filled,
        sum(size) FILTER (action = 'C') AS cancelled,
        sum(size) FILTER (action = 'C' AND event_id > placed_id) AS cancelled_since,
        max(ns) AS last_ns
    FROM marked
    JOIN (SELECT publisher_id, order_id, placed_id FROM orders) USING (publisher_id, order_id)
    WHERE action IN ('C', 'F')
    GROUP BY publisher_id, order_id
),
clears AS (
    -- A snapshot takes what was there: its first record is one whose publisher sent another without the flag before.
    SELECT publisher_id, event_id AS clear_id, CASE WHEN flags & 32 <> 0 THEN recv_ns ELSE ns END AS clear_ns
    FROM (
        SELECT
            publisher_id,
            event_id,
            action,
            flags,
            epoch_ns(ts_event) AS ns,
            epoch_ns(ts_recv) AS recv_ns,
            lag(flags) OVER (PARTITION BY publisher_id ORDER BY event_id) AS flags_before
        FROM events
    )
    WHERE action = 'R' OR (flags & 32 <> 0 AND coalesce(flags_before & 32 = 0, TRUE))
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
        greatest(orders.last_ns, taken.last_ns) AS seen_ns,
        CASE ended WHEN 'cleared' THEN greatest(seen_ns, clear_ns) ELSE seen_ns END AS end_ns
    FROM orders
    LEFT JOIN taken USING (publisher_id, order_id)
    ASOF LEFT JOIN clears ON orders.publisher_id = clears.publisher_id AND orders.placed_id < clears.clear_id
)
SELECT
    publisher_id,
    order_id,
    side,
    make_timestamptz(ends.first_ns // 1000) AS first_ts,
    make_timestamp_ns(ends.first_ns)::TIMESTAMPTZ_NS AS first_ns,
    make_timestamptz(end_ns // 1000) AS last_ts,
    make_timestamp_ns(end_ns)::TIMESTAMPTZ_NS AS last_ns,
    CASE WHEN ended <> 'resting' THEN (end_ns - ends.first_ns) / 1e9 END AS life_seconds,
    from_snapshot,
    first_price / 1e9 AS first_price,
    last_price / 1e9 AS last_price,
    first_size,
    last_size,
    modifies,
    filled,
    cancelled,
    ended
FROM ends
ORDER BY ends.first_ns, publisher_id, order_id
