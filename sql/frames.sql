-- Purpose:    a recording's frames without their grids
-- Grain:      one row a frame
-- Reads:      frames
-- Columns:
--   ts              TIMESTAMPTZ       engine clock to the microsecond, UTC
--   ts_ns           TIMESTAMPTZ_NS    the same to the nanosecond
--   event_id        BIGINT            records processed since the session's start
--   bid_price       DOUBLE            in the price's currency; null where the side is empty
--   ask_price       DOUBLE            in the price's currency; null where the side is empty
--   mid_price       DOUBLE            in the price's currency
--   bid_size        BIGINT            at the best level, contracts or shares
--   ask_size        BIGINT            at the best level, contracts or shares
--   buy_volume      BIGINT            traded since the frame before, with a buyer as aggressor
--   sell_volume     BIGINT            traded since the frame before, with a seller as aggressor
--   other_volume    BIGINT            traded since the frame before, without an aggressor
--   last_price      DOUBLE            of the last trade, in the price's currency
--   ofi             BIGINT            order-flow imbalance of the best level since the frame before
--   state           TINYINT           1 UP, 0 CHOP, -1 DOWN
--   score           FLOAT             -1 to 1
--   strength        FLOAT             total force over its own running mean
--   pressure_above  FLOAT             contracts or shares a second, of the rows above the mid
--   pressure_below  FLOAT             contracts or shares a second, of the rows below the mid
--   vacuum_above    FLOAT             contracts or shares a second, of the rows above the mid
--   vacuum_below    FLOAT             contracts or shares a second, of the rows below the mid
--   book_valid      BOOLEAN           whether the book could be trusted
--   quality         UTINYINT          why not, as bits: the view quality tells them in words
-- Example:    python -m vp.query frames --recording frames.parquet --format csv
SELECT
    ts,
    ts_ns,
    event_id,
    bid_price / 1e9 AS bid_price,
    ask_price / 1e9 AS ask_price,
    mid_price,
    bid_size,
    ask_size,
    buy_volume,
    sell_volume,
    other_volume,
    last_price / 1e9 AS last_price,
    ofi,
    state,
    score,
    strength,
    pressure_above,
    pressure_below,
    vacuum_above,
    vacuum_below,
    book_valid,
    quality
FROM frames
ORDER BY ts_ns, event_id
