-- Purpose:    the raw events of a session, readable: prices in currency, flags by name
-- Grain:      one row a record of the contract, in file order
-- Reads:      events
-- Columns:
--   event_id      BIGINT             place in the session, counted from 1
--   ts            TIMESTAMPTZ        the exchange's time to the microsecond, UTC; null where undefined
--   ts_event      TIMESTAMPTZ_NS     the same to the nanosecond
--   publisher_id  USMALLINT          DBN's number of the venue and feed
--   action        VARCHAR            A add, C cancel, M modify, R clear, T trade, F fill, N none
--   side          VARCHAR            A ask, B bid, N none
--   price         DOUBLE             in the price's currency; null where undefined
--   size          UINTEGER           contracts or shares; null where undefined
--   order_id      UBIGINT            the exchange's number of the order
--   flags         VARCHAR[]          names of the flags that are set
--   book_only     BOOLEAN            whether it builds the book and is no activity: of a snapshot or before the session
--   ts_recv       TIMESTAMPTZ_NS     Databento's time of receipt, UTC; null where undefined
--   sequence      UINTEGER           the exchange's sequence number
-- Example:    python -m vp.query events --symbol MNQH6 --dt 2026-02-06 --format csv
SELECT
    event_id,
    ts,
    ts_event,
    publisher_id,
    action,
    side,
    price / 1e9 AS price,
    size,
    order_id,
    list_filter(
        [
            CASE WHEN flags & 128 <> 0 THEN 'LAST' END,
            CASE WHEN flags & 64 <> 0 THEN 'TOB' END,
            CASE WHEN flags & 32 <> 0 THEN 'SNAPSHOT' END,
            CASE WHEN flags & 16 <> 0 THEN 'MBP' END,
            CASE WHEN flags & 8 <> 0 THEN 'BAD_TS_RECV' END,
            CASE WHEN flags & 4 <> 0 THEN 'MAYBE_BAD_BOOK' END,
            CASE WHEN flags & 2 <> 0 THEN 'PUBLISHER_SPECIFIC' END
        ],
        lambda flag: flag IS NOT NULL
    ) AS flags,
    book_only,
    ts_recv,
    sequence
FROM events
