"""An input that ends too early: said with its facts, and never of one that ends as it should."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dbn_files import compress, header, mbo
from tests.lakes import FUTURES_OPEN_NS, flags, market, put
from tests.oracle_book import Rec
from vp.lake.stated_totals import StatedTotals
from vp.market.session_hours import parse_dates, window_of
from vp.model.early_end import InputEnd, early_end
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec
from vp.programs import record

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
MIDNIGHT_NS = FUTURES_OPEN_NS + 9 * HOUR + 30 * MINUTE  # 19:00 of a Friday in New York: the session's end
CLOSE_NS = FUTURES_OPEN_NS + 7 * HOUR + 30 * MINUTE
NAME = "glbx-mdp3-20260206.mbo.dbn"
WINDOW = window_of("future_mbo", parse_dates("2026-02-06"))
WHOLE = InputEnd(Path(NAME), 1000, 10, CLOSE_NS - SECOND, "GLBX.MDP3", MIDNIGHT_NS, StatedTotals())
SPEC = SessionSpec("future_mbo", "MNQH6", "2026-02-06")
RECORDS = market(FUTURES_OPEN_NS, 10, 10)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, None),
        ({"last_ns": CLOSE_NS - 9 * MINUTE}, None),  # the last minutes of a quiet contract
        ({"last_ns": FUTURES_OPEN_NS}, f"the last record of {NAME} is of 2026-02-06 09:30:00 ET, and trading goes on "
                                       "until 2026-02-06 17:00:00 ET on a full day"),
        ({"last_ns": FUTURES_OPEN_NS, "until_ns": FUTURES_OPEN_NS + MINUTE}, None),  # a file of a part of the day
        ({"last_ns": FUTURES_OPEN_NS, "until_ns": FUTURES_OPEN_NS + HOUR},
         "is of 2026-02-06 09:30:00 ET, and its header says 2026-02-06 10:30:00 ET"),
        ({"last_ns": FUTURES_OPEN_NS, "until_ns": None}, None),  # of the live feed
        ({"last_ns": None}, None),
        ({"dataset": "XEUR.EOBI", "last_ns": FUTURES_OPEN_NS}, None),  # whose hours are not known here
        ({"dataset": "XEUR.EOBI", "last_ns": FUTURES_OPEN_NS, "until_ns": FUTURES_OPEN_NS + HOUR}, "its header says"),
        ({"last_ns": MIDNIGHT_NS + HOUR, "until_ns": MIDNIGHT_NS + 24 * HOUR}, None),  # it goes on into the next day
        ({"stated": StatedTotals(1001, None, "manifest.json")}, f"{NAME} has 1,000 bytes, and manifest.json says"),
        ({"stated": StatedTotals(None, 20, "x.json")}, f"{NAME} has 10 records, and x.json says 20"),
        ({"stated": StatedTotals(1000, 10, "x.json")}, None),
    ],
)  # fmt: skip
def test_what_is_said_of_an_end(changes: dict[str, object], says: str | None) -> None:
    found = early_end(WINDOW, replace(WHOLE, **changes))  # type: ignore[arg-type]
    assert (found is None) == (says is None)
    assert says is None or says in (found or "")


def test_a_day_that_is_not_over_has_no_end_yet() -> None:
    early = replace(WHOLE, last_ns=FUTURES_OPEN_NS)
    assert early_end(WINDOW, early, now_ns=CLOSE_NS - SECOND) is None
    assert early_end(WINDOW, early, now_ns=CLOSE_NS + SECOND) is not None


def lake_with(root: Path, records: list[Rec], end_ns: int | None = MIDNIGHT_NS, *, foreign: bytes = b"") -> Path:
    data = header(end_ns=end_ns) + b"".join(map(mbo, records)) + foreign
    put(root, "future_mbo", "MNQ", NAME, data)
    return next(root.rglob(NAME))


def told(root: Path, **changes: str) -> tuple[str | None, str | None]:
    """What a session says of its end before its first record, and behind its last."""
    session = prepare(replace(SPEC, lake=str(root), throttle_ms=1000, **changes))  # type: ignore[arg-type]
    before = session.incomplete()
    while not session.finished:
        session.advance(None, 100)
    after = session.incomplete()
    session.close()
    return before, after


def test_a_file_that_is_cut_between_two_records_is_told_once_its_end_is_reached(tmp_path: Path) -> None:
    lake_with(tmp_path, RECORDS)
    before, after = told(tmp_path)
    assert before is None
    assert after is not None
    assert after.startswith(f"Incomplete at the end: the last record of {NAME} is of 2026-02-06 09:30:10 ET")


def test_a_file_whose_contract_is_quiet_and_whose_others_trade_on_is_whole(tmp_path: Path) -> None:
    later = RECORDS[0]._replace(ts_event=CLOSE_NS - SECOND)
    lake_with(tmp_path, RECORDS, foreign=mbo(later, 7))
    assert told(tmp_path) == (None, None)


def test_a_session_that_is_left_before_the_file_ends_says_nothing(tmp_path: Path) -> None:
    lake_with(tmp_path, RECORDS)
    assert told(tmp_path, end_time="09:30:05") == (None, None)


def test_a_record_that_was_stamped_too_late_does_not_hide_the_end(tmp_path: Path) -> None:
    stray = RECORDS[-1]._replace(ts_event=CLOSE_NS, order_id=9, ts_recv=FUTURES_OPEN_NS + 11 * SECOND)
    lake_with(tmp_path, [*RECORDS, stray])
    assert "09:30:11 ET" in (told(tmp_path)[1] or "")


def test_a_note_tells_it_before_the_first_record(tmp_path: Path) -> None:
    path = lake_with(tmp_path, RECORDS, None)
    size = path.stat().st_size
    path.with_name(f"{NAME}.json").write_text(json.dumps({"size_bytes": size + 56, "records": len(RECORDS)}))
    expected = f"Incomplete at the end: {NAME} has {size:,} bytes, and {NAME}.json says {size + 56:,}."
    assert told(tmp_path) == (expected, expected)
    path.with_name(f"{NAME}.json").write_text(json.dumps({"records": len(RECORDS) + 1}))
    before, after = told(tmp_path)
    assert before is None
    assert f"has {len(RECORDS)} records, and {NAME}.json says {len(RECORDS) + 1}" in (after or "")
    path.with_name(f"{NAME}.json").write_text(json.dumps({"size_bytes": size, "records": len(RECORDS)}))
    assert told(tmp_path) == (None, None)


@pytest.mark.parametrize("compressed", [False, True])
def test_the_recorder_says_it_in_its_last_line_and_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], compressed: bool
) -> None:
    path = lake_with(tmp_path, RECORDS)
    if compressed:
        path.with_name(f"{NAME}.zst").write_bytes(compress(path.read_bytes()))
        path.unlink()
    asked = {"product_type": "future_mbo", "symbol": "MNQ", "dt": "2026-02-06", "out": str(tmp_path / "frames.arrow")}
    assert record.main([*flags(asked), "--lake", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    says = "ncomplete at the end: the last record of glbx-mdp3-20260206.mbo.dbn"
    assert says in printed.out.splitlines()[-1]
    assert f"WARNING: I{says}" in printed.err
