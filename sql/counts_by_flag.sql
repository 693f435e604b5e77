-- Purpose:    how many records of a session have each flag set
-- Grain:      one row a flag that is set anywhere; a record counts for each of its flags
-- Reads:      events
-- Columns:
--   flag      VARCHAR    DBN's name without F_; NONE for records without a flag
--   bit       INTEGER    the flag's value
--   records   BIGINT     records
-- Example:    python -m vp.query counts_by_flag --symbol MNQH6 --dt 2026-02-06
SELECT
    flag,
    bit,
    sum(records)::BIGINT AS records
FROM
    (SELECT flags::INTEGER AS flags, count(*) AS records FROM events GROUP BY flags),
    (
        VALUES
        ('LAST', 128),
        ('TOB', 64),
        ('SNAPSHOT', 32),
        ('MBP', 16),
        ('BAD_TS_RECV', 8),
        ('MAYBE_BAD_BOOK', 4),
        ('PUBLISHER_SPECIFIC', 2),
        ('RESERVED', 1),
        ('NONE', 0)
    ) AS named (flag, bit)
WHERE flags & bit <> 0 OR (bit = 0 AND flags = 0)
GROUP BY flag, bit
ORDER BY bit DESC
