"""Tick and bucket of a session that is played: from the product, the input's prices, or as the user asks."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.dbn_files import header, mbo
from tests.lakes import OPEN_NS, market, put
from tests.oracle_book import Rec
from vp.errors import BadParameterError, TruncatedFileError
from vp.model.live_session import LiveSession
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec

CENT = 10_000_000
PRICE = 1_000_000_000
F_LAST = 128
S = 1_000_000_000


def table(session: LiveSession) -> pa.Table:
    parts = []
    while not session.finished:
        parts.append(session.advance().buffer.copy())
    session.close()
    return session.layout.table(np.concatenate(parts))


def price(text: str) -> int:
    return int(Decimal(text) * PRICE)


def quotes(at: int, mid: str, step: str, first_id: int, instrument_id: int) -> Iterator[bytes]:
    """Three orders on each side, at one, two, three steps from the mid, of 10, 11, 12."""
    for level in (1, 2, 3):
        for side, sign in (("B", -1), ("A", 1)):
            order_id = first_id + 2 * level + (side == "A")
            record = Rec(at, "A", side, price(mid) + sign * level * price(step), 9 + level, order_id, F_LAST)
            yield mbo(record, instrument_id)


def ticker(lake: Path, records: list[Rec], symbol: str = "ACME") -> None:
    data = header(symbols={symbol: 1}) + b"".join(mbo(record, 1) for record in records)
    put(lake, "equity_mbo", symbol, "xnas-itch-20260708.mbo.dbn", data)


def spec(lake: Path, start_time: str | None = None, bucket: str | None = None) -> SessionSpec:
    asked = None if bucket is None else Decimal(bucket)
    return SessionSpec("equity_mbo", "ACME", "2026-07-08", start_time, throttle_ms=0, lake=str(lake), bucket=asked)


def bucket_of(lake: Path, start_time: str | None = None) -> str:
    session = prepare(spec(lake, start_time))
    session.close()
    return f"{Decimal(session.info.bucket_int) / PRICE:f}"


@pytest.mark.parametrize(("first_trade", "bucket"), [("13.40", "0.01"), ("187", "0.1"), ("585", "0.5")])
def test_a_tickers_bucket_follows_its_first_trade_whatever_the_start_time(
    tmp_path: Path, first_trade: str, bucket: str
) -> None:
    at = OPEN_NS - 3 * 3600 * S
    records = [
        Rec(at, "A", "B", price("0.01"), 1, 1, F_LAST),
        Rec(at, "T", "A", 2**63 - 1, 1, 0, F_LAST),
        Rec(OPEN_NS - 60 * S, "T", "A", price(first_trade), 1, 0, F_LAST),
        Rec(OPEN_NS - 50 * S, "T", "A", price("5000"), 1, 0, F_LAST),
    ]
    ticker(tmp_path, [*records, *market(OPEN_NS + 10 * S, 5, 60)])
    for start_time in (None, "07:00", "09:29:30", "09:30", "09:31", "09:31"):  # the last from the cache
        assert bucket_of(tmp_path, start_time) == bucket


def test_without_a_trade_the_first_add_decides(tmp_path: Path) -> None:
    ticker(tmp_path, [Rec(OPEN_NS, "A", "B", price("187"), 1, 1, F_LAST), *market(OPEN_NS + S, 0, 5)])
    assert bucket_of(tmp_path) == "0.1"


def test_a_ticker_without_a_price_has_its_tick(tmp_path: Path) -> None:
    ticker(tmp_path, [Rec(OPEN_NS, "R", "N", 2**63 - 1, 0, 0, F_LAST)])
    assert bucket_of(tmp_path) == "0.01"


def test_a_file_that_breaks_off_before_its_first_trade_plays_up_to_there(tmp_path: Path) -> None:
    records = market(OPEN_NS, 0, 5)
    data = header(symbols={"ACME": 1}) + b"".join(mbo(record, 1) for record in records)
    put(tmp_path, "equity_mbo", "ACME", "xnas-itch-20260708.mbo.dbn", data[:-20])
    session = prepare(spec(tmp_path))
    assert session.info.bucket_int == price("0.05")
    assert session.advance(None, 1).count == 1
    with pytest.raises(TruncatedFileError):
        table(session)


def test_one_cached_book_serves_every_bucket(tmp_path: Path) -> None:
    other = tmp_path / "without a cache"
    for lake in (tmp_path, other):
        ticker(lake, market(OPEN_NS + 1800 * S, 1900, 5))
    first = prepare(spec(tmp_path, "10:00"))
    first.close()
    assert (first.info.book_cache, first.info.bucket_int) == ("miss", price("0.05"))
    for bucket in ("0.01", "0.05", "1", "0.07", None):
        cached, fresh = prepare(spec(tmp_path, "10:00", bucket)), prepare(spec(other, "10:00", bucket))
        assert (cached.info.book_cache, fresh.info.book_cache) == ("hit", "miss")
        assert cached.info.bucket_int == price(bucket or "0.05")
        assert table(cached).equals(table(fresh))
        for file in (other / "cache/vp_book").iterdir():
            file.unlink()


def test_a_wrong_bucket_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(BadParameterError, match=r"bucket was 0.015, expected a multiple of the tick of ACME, 0.01 USD"):
        prepare(spec(tmp_path / "no lake", bucket="0.015"))


def futures_lake(lake: Path, step: str, mid: str = "52.3") -> Path:
    at = 1_770_388_200 * S
    head = header(symbols={"ESH6": 1, "ESH6-ESM6": 2})
    data = b"".join([*quotes(at, "6900", "0.25", 1, 1), *quotes(at, mid, step, 201, 2)])
    put(lake, "future_mbo", "ES", "glbx-mdp3-20260206.mbo.dbn", head + data)
    return lake


def spread(lake: Path, bucket: str | None = None) -> LiveSession:
    asked = None if bucket is None else Decimal(bucket)
    spec = SessionSpec("future_mbo", "ESH6-ESM6", "2026-02-06", throttle_ms=0, lake=str(lake), bucket=asked)
    return prepare(spec)


def depth(session: LiveSession) -> dict[int, float]:
    """Resting size by row of the last frame."""
    rows = table(session)["rest_depth"][-1].as_py()
    return {k - 50: size for k, size in enumerate(rows) if size}


def test_a_spread_finer_than_its_legs_has_rows_of_its_own_and_says_that_they_are_a_guess(tmp_path: Path) -> None:
    session = spread(futures_lake(tmp_path, "0.05"))
    info = session.info
    assert (info.tick_int, info.bucket_int, info.decimals, info.tick_is_guessed) == (
        price("0.05"),
        price("0.05"),
        2,
        True,
    )
    assert depth(session) == {-1: 10, -2: 11, -3: 12, 1: 10, 2: 11, 3: 12}
    outright = prepare(SessionSpec("future_mbo", "ESH6", "2026-02-06", throttle_ms=0, lake=str(tmp_path)))
    assert (outright.info.tick_int, outright.info.tick_is_guessed) == (price("0.25"), False)
    assert depth(outright) == {-1: 10, -2: 11, -3: 12, 1: 10, 2: 11, 3: 12}


@pytest.mark.parametrize(
    ("mid", "step", "tick"), [("52.25", "0.50", "0.25"), ("52", "1", "0.25"), ("-3", "0.1", "0.05")]
)
def test_a_guess_is_never_coarser_than_the_legs(tmp_path: Path, mid: str, step: str, tick: str) -> None:
    session = spread(futures_lake(tmp_path, step, mid))
    assert session.info.tick_int == price(tick)
    session.close()


def test_a_spreads_tick_out_of_products_yaml(tmp_path: Path) -> None:
    futures_lake(tmp_path, "0.10")
    (tmp_path / "products.yaml").write_text('spreads:\n  ES: {tick: "0.05", bucket: "0.10"}\n', encoding="utf-8")
    session = spread(tmp_path)
    info = session.info
    assert (info.tick_int, info.bucket_int, info.tick_is_guessed) == (price("0.05"), price("0.1"), False)
    assert depth(session) == {-1: 10, -2: 11, -3: 12, 1: 10, 2: 11, 3: 12}


def test_a_bucket_of_a_spread_is_judged_by_the_tick_that_its_prices_tell(tmp_path: Path) -> None:
    futures_lake(tmp_path, "0.05")
    assert depth(spread(tmp_path, "0.15")) == {-1: 10 + 11 + 12, 0: 10 + 11, 1: 12}
    with pytest.raises(BadParameterError, match=r"bucket was 0.12, .* 0.05 USD \(a guess\)"):
        spread(tmp_path, "0.12")


def test_a_currency_is_told_with_the_frames(tmp_path: Path) -> None:
    futures_lake(tmp_path, "0.05")
    text = 'ES: {tick: "0.25", multiplier: 50, currency: EUR}\n'
    (tmp_path / "products.yaml").write_text(text, encoding="utf-8")
    session = spread(tmp_path)
    assert session.info.to_json()["currency"] == "EUR"
    assert session.layout.schema.metadata[b"vp.currency"] == b"EUR"
    session.close()
