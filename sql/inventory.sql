-- Purpose:    what the lake holds: raw files, cached books and recordings
-- Grain:      one row a file
-- Reads:      raw_files, book_files, recording_files
-- Columns:
--   kind          VARCHAR           raw, book or recording
--   product_type  VARCHAR           future_mbo, equity_mbo, ...
--   symbol        VARCHAR           root or ticker of a raw file, contract of the others
--   dt            DATE              session date
--   holds         VARCHAR           a raw file's schema, a book's moment, a recording's raw file
--   condition     VARCHAR           how complete Databento says a raw file's day is; null where unknown
--   size_bytes    BIGINT            of the file
--   modified      TIMESTAMPTZ       last change of the file, UTC
--   file          VARCHAR           path within the lake
-- Example:    python -m vp.query inventory
SELECT 'raw' AS kind, product_type, symbol, dt, "schema" AS holds, condition, size_bytes, modified, file
FROM raw_files
UNION ALL
SELECT 'book', product_type, contract, dt::DATE, strftime(book_ts, '%H:%M:%S UTC'), NULL, size_bytes, modified, file
FROM book_files
UNION ALL
SELECT 'recording', product_type, contract, dt::DATE, raw_file, NULL, size_bytes, modified, file
FROM recording_files
ORDER BY kind DESC, product_type, symbol, dt, file
