"""The ledger on its own: what is written is read again, what is damaged is refused by a sentence."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from vp.download.ledger import ABSENT, REFUSED, SUBMITTED, Entry, Ledger, Order, Want
from vp.errors import LakeError
from vp.lake.layout import place_of

WANT = Want(place_of("future_mbo", "mbo"), "MNQ", dt.date(2026, 2, 3))
ORDER = Order(WANT, ("MNQH6",))
SENT_AT = "2026-02-04T00:00:00.000000+00:00"
NEWEST = {"id": "J-0", "ts_received": "2026-02-03T23:00:00+00:00"}
ENTRY = Entry(
    ORDER, SUBMITTED, 0.5, "available", SENT_AT, job_id="J-1", former=["J-0"], former_usd=0.25, newest_listed=NEWEST
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.find(WANT) is None
    assert ledger.write(ENTRY) == ENTRY == ledger.find(WANT)
    assert ledger.entries(("future_mbo",)) == [ENTRY]
    assert ledger.entries(("equity_mbo",)) == []
    assert [path.name for path in ledger.path(WANT).parent.iterdir()] == ["mbo-20260203.json"]
    assert json.loads(ENTRY.note({"name": "x"}))["symbols"] == ["MNQH6"]
    assert (ENTRY.bought_usd, ENTRY.with_(state=REFUSED).bought_usd) == (0.75, 0.25)
    assert ENTRY.with_(state=ABSENT).bought_usd == 0.75  # a list that lags behind looks the same


def test_an_entry_of_the_version_before_is_read(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.write(ENTRY)
    path = ledger.path(WANT)
    old = json.loads(path.read_text())
    for name in ("files", "former_usd", "newest_listed"):
        del old[name]
    file = {"name": "x.dbn.zst", "size": 3, "sha256": "00"}  # without the name in the lake
    path.write_text(json.dumps(old | {"file": file}))
    found = ledger.find(WANT)
    assert found == ENTRY.with_(files=[file], former_usd=0.0, newest_listed={})
    path.write_text(json.dumps(old | {"file": {}}))
    assert ledger.find(WANT) == ENTRY.with_(former_usd=0.0, newest_listed={})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"state": "gone"}, "the state is 'gone', expected one of submitting"),
        ({"job_id": 7}, "job_id is 7"),
        ({"cost_usd": "much"}, "cost_usd is 'much'"),
        ({"symbols": "MNQH6"}, "symbols is 'MNQH6'"),
        ({"former": None}, "former is None"),
        ({"files": [1]}, "files is [1]"),
        ({"files": [{"size": 3}]}, "files is [{'size': 3}]"),
        ({"files": [{"name": "x", "size": "3", "sha256": "00"}]}, "files is [{'name': 'x', 'size': '3'"),
        ({"cost_usd": float("nan")}, "cost_usd is nan, expected USD"),
        ({"former_usd": -5.0}, "former_usd is -5.0, expected USD"),
        ({"former_usd": float("inf")}, "former_usd is inf, expected USD"),
        ({"symbols": []}, "it names no symbols"),
        ({"symbols": [7]}, "symbols is [7]"),
        ({"job_id": None}, "no job though it was submitted"),
        ({"newest_listed": {"id": "J", "ts_received": "2026-02-03T23:00:00"}}, "ts_received tells no time zone"),
        ({"newest_listed": {"id": 7, "ts_received": "2026-02-03T23:00:00Z"}}, "newest_listed names no job"),
        ({"newest_listed": {"id": "J"}}, "ts_received"),
        ({"sent_at": "yesterday"}, "yesterday"),
        ({"sent_at": "2026-02-04T00:00:00"}, "sent_at tells no time zone"),
        ({"start": "2026-02-04"}, "it tells of MNQ future_mbo mbo of 2026-02-04"),
        ({"product_type": "bonds"}, "no place for the schema 'mbo' of 'bonds'"),
    ],
)
def test_a_damaged_entry_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    ledger = Ledger(tmp_path)
    ledger.write(ENTRY)
    path = ledger.path(WANT)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(LakeError, match=r"mbo-20260203.json is no entry of the ledger: ") as refused:
        ledger.find(WANT)
    assert says in refused.value.message


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: bytes) -> None:
    ledger = Ledger(tmp_path)
    ledger.write(ENTRY)
    ledger.path(WANT).write_bytes(text)
    with pytest.raises(LakeError, match=r"mbo-20260203.json"):
        ledger.entries(("future_mbo",))
    ledger.path(WANT).rename(ledger.path(WANT).with_name("notes.json"))
    with pytest.raises(LakeError, match=r"notes.json is no entry of the ledger, by its name"):
        ledger.entries(("future_mbo",))


def test_one_program_of_a_kind_at_once(tmp_path: Path) -> None:
    with Ledger(tmp_path).locked("futures"):
        with (
            pytest.raises(LakeError, match="Another download of futures is at work"),
            Ledger(tmp_path).locked("futures"),
        ):
            pass
        with Ledger(tmp_path).locked("equities"):
            pass
    with Ledger(tmp_path).locked("futures"):
        pass
