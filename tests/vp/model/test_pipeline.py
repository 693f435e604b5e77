"""The three phases over real and golden files: right frames, and the same bits whichever way they are made."""

from __future__ import annotations

import os
import random
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.dbn_files import compress
from tests.forks import Forks, forks
from tests.places import SHARED
from vp.dbn.accounting import ORDINARY_TALLIES, REJECTED_TALLIES
from vp.dbn.decompressed_copies import DecompressedFiles
from vp.errors import BadParameterError, UnknownSymbolError
from vp.model import book_cache as cache
from vp.model.live_session import LiveSession
from vp.model.parameters import ModelParameters
from vp.model.pipeline import prepare
from vp.model.progress import Progress
from vp.model.session import SessionSpec

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared inputs are not beside the checkout")
RAW = "raw/source=databento/product_type={}/symbol={}/table=market_by_order_dbn"


def put(lake: Path, product_type: str, root: str, source: Path, name: str) -> Path:
    """Lay a raw file into a lake."""
    directory = lake / RAW.format(product_type, root)
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / name
    shutil.copyfile(source, target)
    return target


def frames(session: LiveSession, rng: random.Random | None = None) -> np.ndarray:
    """All frames of a session as uint8[n, message_bytes], in steps of the clock drawn by `rng`."""
    parts = []
    while not session.finished:
        until = None
        if rng is not None:
            due = session.next_event_ns
            assert due is not None
            until = due + rng.choice([1, 10**6, 10**9, 60 * 10**9])
        batch = session.advance(until, rng.choice([1, 3, 100]) if rng is not None else None)
        parts.append(batch.buffer.copy())
    session.close()
    return np.concatenate(parts)


@pytest.fixture
def golden_lake(tmp_path: Path) -> Path:
    put(tmp_path, "future_mbo", "MNQ", SHARED / "golden-2/futures.mbo.dbn", "glbx-mdp3-20260206.mbo.dbn")
    put(tmp_path, "equity_mbo", "QQQ", SHARED / "golden-2/equity.mbo.dbn", "xnas-itch-20260708.mbo.dbn")
    return tmp_path


def golden_spec(lake: Path) -> SessionSpec:
    return SessionSpec("future_mbo", "MNQH6", "2026-02-06", "09:30", throttle_ms=0, lake=str(lake))


@needs_shared
def test_same_bits_for_any_steps_with_and_without_the_cache(golden_lake: Path) -> None:
    spec = golden_spec(golden_lake)
    first = prepare(spec)
    assert first.info.book_cache == "miss"
    want = frames(first)

    for seed in range(3):
        again = prepare(spec)
        assert again.info.book_cache == "hit"
        assert np.array_equal(frames(again, random.Random(seed)), want)

    shutil.rmtree(golden_lake / "cache")
    assert np.array_equal(frames(prepare(spec)), want)


@needs_shared
def test_cache_key(golden_lake: Path) -> None:
    spec = golden_spec(golden_lake)
    raw = next(golden_lake.glob("raw/**/glbx*.dbn"))
    assert prepare(spec).info.book_cache == "miss"
    assert prepare(spec).info.book_cache == "hit"
    assert prepare(replace(spec, parameters=ModelParameters(pressure_add=2.0))).info.book_cache == "hit"
    assert prepare(replace(spec, start_time="09:45")).info.book_cache == "miss"
    assert prepare(replace(spec, start_time=None)).info.book_cache == "off"
    os.utime(raw, ns=(1, raw.stat().st_mtime_ns + 1))
    assert prepare(spec).info.book_cache == "miss"


@needs_shared
def test_a_start_within_a_minute_goes_on_from_the_book_at_its_beginning(golden_lake: Path) -> None:
    """However many seconds are asked for, one book is kept a minute, and the bits are those of a book built at once."""
    directory = golden_lake / "cache/vp_book"
    whole = replace(golden_spec(golden_lake), start_time="09:30:00")
    for seconds, cached in (("00", "miss"), ("01", "hit"), ("37", "hit"), ("59", "hit"), ("00", "hit")):
        spec = replace(whole, start_time=f"09:30:{seconds}")
        session = prepare(spec)
        assert session.info.book_cache == cached, seconds
        assert len(list(directory.iterdir())) == 1
        elsewhere = replace(spec, lake=str(golden_lake / "elsewhere"))
        (golden_lake / "elsewhere").mkdir(exist_ok=True)
        shutil.rmtree(golden_lake / "elsewhere")
        shutil.copytree(golden_lake / "raw", golden_lake / "elsewhere/raw")
        assert np.array_equal(frames(session), frames(prepare(elsewhere))), seconds
    assert prepare(replace(whole, start_time="09:31:59")).info.book_cache == "miss"
    assert len(list(directory.iterdir())) == 2


@needs_shared
def test_a_start_within_the_first_minute_of_warmup_keeps_no_book(golden_lake: Path) -> None:
    raw = next(golden_lake.glob("raw/**/glbx*.dbn"))
    spec = replace(golden_spec(golden_lake), start_time="2026-02-05 19:30:20 ET")
    session = prepare(spec)
    assert session.info.book_cache == "off"
    assert not (golden_lake / "cache/vp_book").exists()
    assert raw.exists()
    assert len(frames(session)) == len(frames(prepare(replace(spec, start_time="2026-02-05 19:30:00 ET"))))


@needs_shared
def test_a_book_can_be_read_by_those_alone_who_may_read_its_raw_file(golden_lake: Path) -> None:
    next(golden_lake.glob("raw/**/glbx*.dbn")).chmod(0o600)
    prepare(golden_spec(golden_lake))
    (kept,) = (golden_lake / "cache/vp_book").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600


@needs_shared
def test_a_short_run_of_a_compressed_file_leaves_what_the_next_start_reads(
    golden_lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute from 09:30: the second start takes its events from the stretch, and the raw file's are not read."""
    plain = next(golden_lake.glob("raw/**/glbx*.dbn"))
    data = plain.read_bytes()
    plain.unlink()
    plain.with_name(f"{plain.name}.zst").write_bytes(compress(data))
    monkeypatch.setattr(DecompressedFiles, "keep", lambda *_arguments: None)  # the run is too short for a whole copy
    spec = replace(golden_spec(golden_lake), end_time="09:31")
    want = frames(prepare(spec))
    (kept,) = (golden_lake / "cache/decompressed").iterdir()
    os.utime(kept, (1, 1))
    made_ns = kept.stat().st_mtime_ns
    session = prepare(spec)
    assert session.info.book_cache == "hit"
    status = kept.stat()
    assert status.st_mtime_ns > made_ns, "it has been read"
    assert np.array_equal(frames(session), want)
    kept.unlink()
    assert np.array_equal(frames(prepare(spec)), want)
    assert len(list((golden_lake / "cache/decompressed").iterdir())) == 1, "made again"


@needs_shared
def test_a_copy_is_begun_when_the_first_frame_is_out(golden_lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = next(golden_lake.glob("raw/**/glbx*.dbn"))
    plain.with_name(f"{plain.name}.zst").write_bytes(compress(plain.read_bytes()))
    plain.unlink()
    signals: list[threading.Event] = []
    monkeypatch.setattr(DecompressedFiles, "keep", lambda _files, _raw, when: signals.append(when))
    session = prepare(golden_spec(golden_lake))
    (signal,) = signals
    monkeypatch.setattr("vp.model.live_session.SETTLING_SECONDS", 0.0)
    while not session.advance(max_frames=1).count:
        pass
    assert not signal.is_set(), "who asked has not been given it yet"
    monkeypatch.setattr("vp.model.live_session.SETTLING_SECONDS", 1e9)
    session.advance(max_frames=1)
    assert not signal.is_set(), "it may still be on its way"
    monkeypatch.setattr("vp.model.live_session.SETTLING_SECONDS", 0.0)
    session.advance(max_frames=1)
    assert signal.is_set()
    session.close()


@needs_shared
def test_any_flipped_byte_of_a_cached_book_is_a_miss(golden_lake: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = golden_spec(golden_lake)
    want = frames(prepare(spec))
    (path,) = (golden_lake / "cache/vp_book").glob("*.arrow")
    good = path.read_bytes()
    rng = random.Random(7)
    places = {0, len(good) - 1, len(good) // 2, good.index(b"vp-sha256:") + 3, good.index(b"vp-sha256:") + 20}
    for at in sorted(places | {rng.randrange(len(good)) for _ in range(20)}):
        damaged = bytearray(good)
        damaged[at] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        session = prepare(spec)
        assert session.info.book_cache == "miss", f"byte {at}"
        assert "built anew" in caplog.text
        assert path.read_bytes() == good  # written anew, the same
        caplog.clear()
    assert np.array_equal(frames(prepare(spec)), want)


@needs_shared
def test_a_foreign_cache_file_is_a_miss(golden_lake: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = golden_spec(golden_lake)
    prepare(spec)
    (path,) = (golden_lake / "cache/vp_book").glob("*.arrow")
    prepare(replace(spec, start_time="09:45"))
    (other,) = set((golden_lake / "cache/vp_book").glob("*.arrow")) - {path}
    shutil.copyfile(other, path)
    assert prepare(spec).info.book_cache == "miss"
    assert "another session" in caplog.text


LOADED = """
from vp.model.compilation import compile_loops
from vp.model.pipeline import prepare
compile_loops()
"""
KILLED_WRITE = """
import os, pathlib, signal, sys
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec
STEP = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
prepare(SessionSpec("future_mbo", "MNQH6", "2026-02-06", "09:30", throttle_ms=0, lake=sys.argv[1]))
"""


@pytest.fixture(scope="module")
def loaded() -> Iterator[Forks]:
    with forks(LOADED) as found:
        yield found


@needs_shared
@pytest.mark.parametrize("step", ["os.fdopen", "os.fsync", "pathlib.Path.replace"])
def test_a_kill_during_the_write_leaves_nothing_under_the_name(
    golden_lake: Path, tmp_path: Path, loaded: Forks, step: str
) -> None:
    code, said = loaded.run(tmp_path / "said", KILLED_WRITE.replace("STEP", step), str(golden_lake))
    assert (code, said) == (-9, "")
    assert not list((golden_lake / "cache/vp_book").glob("*.arrow"))
    assert prepare(golden_spec(golden_lake)).info.book_cache == "miss"
    assert prepare(golden_spec(golden_lake)).info.book_cache == "hit"
    assert len(list((golden_lake / "cache/vp_book").iterdir())) == 1, "what the killed one left is gone"


@needs_shared
def test_an_unwritable_cache_costs_only_the_cache(golden_lake: Path, caplog: pytest.LogCaptureFixture) -> None:
    (golden_lake / "cache").write_text("a file where the directory should be")
    session = prepare(golden_spec(golden_lake))
    assert session.info.book_cache == "miss"
    assert "could not be written" in caplog.text
    assert len(frames(session)) > 100


@needs_shared
def test_real_session_with_snapshot_and_auction(tmp_path: Path) -> None:
    name = "glbx-mdp3-20231225.mbo.dbn.zst"
    put(tmp_path, "future_mbo", "ES", SHARED / "data" / name, name)
    told: list[Progress] = []
    session = prepare(SessionSpec("future_mbo", "ESH4", "2023-12-25", "18:30", lake=str(tmp_path)), told.append)
    table = session.layout.table(frames(session))

    assert not any(session.anomalies().values())
    assert {name: count for name, count in session.anomalies_before().items() if count} == {
        "unknown_fill": 7,
        "crossed_book": 891,
    }
    whole = prepare(SessionSpec("future_mbo", "ESH4", "2023-12-25", lake=str(tmp_path)))
    frames(whole)
    assert {name: count for name, count in whole.anomalies().items() if count} == {"unknown_fill": 7}
    assert table["book_valid"].to_pylist().count(True) > 0.9 * len(table)
    assert {"decode", "book", "warmup"} <= {progress.phase for progress in told}
    assert not np.isnan(table["pressure"].combine_chunks().flatten().to_numpy()).any()


@needs_shared
def test_real_session_that_starts_in_the_middle(tmp_path: Path) -> None:
    name = "glbx-mdp3-20250924.mbo.dbn"
    put(tmp_path, "future_mbo", "CL", SHARED / "data" / name, name)
    session = prepare(SessionSpec("future_mbo", "CLX5", "2025-09-24", throttle_ms=1000, lake=str(tmp_path)))
    assert len(frames(session)) > 100
    anomalies = session.anomalies()
    assert anomalies["crossed_book"] == 0, "all 172 are of before an opening"
    assert (anomalies["unknown_cancel"], anomalies["unknown_modify"], anomalies["unknown_fill"]) == (1224, 216, 30)
    tallies = session.engine.book.tallies()
    records = sum(tallies[name] for name in ORDINARY_TALLIES + REJECTED_TALLIES)
    assert records == session.records_done == 38_212


@needs_shared
def test_a_file_without_mappings_is_its_single_instrument(tmp_path: Path) -> None:
    put(tmp_path, "equity_mbo", "ARL", SHARED / "data/xnas-itch-20250717.mbo.dbn", "xnas-itch-20250717.mbo.dbn")
    session = prepare(SessionSpec("equity_mbo", "ARL", "2025-07-17", lake=str(tmp_path)))
    assert session.info.contract == "ARL"
    assert len(frames(session)) > 100
    assert session.records_done == 5886


@needs_shared
def test_a_bare_root_is_the_busiest_contract(golden_lake: Path) -> None:
    for symbol in ("MNQ", "MNQ.v.0"):
        assert prepare(replace(golden_spec(golden_lake), symbol=symbol)).info.contract == "MNQH6"
    with pytest.raises(UnknownSymbolError, match=r"MNQM6.*it holds MNQH6"):
        prepare(replace(golden_spec(golden_lake), symbol="MNQM6"))


@needs_shared
def test_end_time_ends_the_session(golden_lake: Path) -> None:
    spec = golden_spec(golden_lake)
    whole = prepare(spec)
    table = whole.layout.table(frames(whole))
    short = prepare(replace(spec, end_time="09:40"))
    cut = short.layout.table(frames(short))
    want = pc.less(table["ts_ns"].cast(pa.int64()), short.info.end_ns)
    assert cut.equals(table.filter(want))
    assert 0 < len(cut) < len(table)


@pytest.mark.parametrize("throttle_ms", [-1.0, float("nan"), float("inf")])
def test_throttle_must_be_a_number_of_milliseconds(tmp_path: Path, throttle_ms: float) -> None:
    with pytest.raises(BadParameterError, match="throttle_ms"):
        prepare(SessionSpec("future_mbo", "MNQH6", "2026-02-06", throttle_ms=throttle_ms, lake=str(tmp_path)))


def test_checksum_covers_every_byte_but_its_own_digits() -> None:
    assert cache.CHECKSUM_PATTERN.fullmatch(cache.BLANK_CHECKSUM)
