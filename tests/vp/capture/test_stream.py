"""A stream's bytes in pieces, and the manifest's lines."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import inspect
import itertools
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from databento.live.protocol import DatabentoLiveProtocol

from tests.dbn_files import header, mbo, other_records, symbol_mapping
from tests.lakes import FUTURES_OPEN_NS, market
from tests.vp.capture.capturing import NEAR
from vp.capture.connection import SECRETIVE
from vp.capture.plan import plan
from vp.capture.segment import Beginning, Segment
from vp.capture.segment_file import ManifestFile, SegmentFile
from vp.capture.stream_scan import Orders, Refusal, StreamScan, System, is_end_of_replay
from vp.errors import CaptureError, FeedDamagedError
from vp.lake.lake import Lake
from vp.lake.segment_manifest import read_manifest


def stream(version: int, ts_out: bool) -> tuple[bytes, int]:
    """Orders with records of each other type among them, of a feed; and how many records there are."""
    sent = {"ts_out": FUTURES_OPEN_NS} if ts_out else {}
    others = other_records(version, **sent)
    records = []
    for i, rec in enumerate(market(FUTURES_OPEN_NS, 2, 2)):
        records.append(mbo(rec, NEAR, sequence=i, **sent))
        if i % 17 == 0:
            records.append(others[i // 17 % len(others)])
    head = header(version, schema=None, symbols={}, ts_out=ts_out)
    return head + b"".join(records), len(records)


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("ts_out", [False, True])
def test_a_stream_is_the_same_in_pieces_of_any_size(version: int, ts_out: bool) -> None:
    data, count = stream(version, ts_out)
    chance = random.Random(version)
    seen = []
    large = [[1000 + cut, len(data)] for cut in range(120)]  # much at a time, cut at any byte of a record
    for sizes in ([len(data)], [1], [7], [chance.randint(1, 900) for _ in range(50)], *large):
        scan = StreamScan()
        rows, texts = [], []
        at, i = 0, 0
        while at < len(data):
            size = sizes[i % len(sizes)]
            piece = bytearray(data[at : at + size])
            for item in scan.feed(memoryview(piece)):
                if isinstance(item, Orders):
                    rows.append(item.rows.copy())
                    first = item.byte_offset
                    assert data[first + 4 : first + 56] == item.rows[0].tobytes()[4:]
                elif isinstance(item, (System, Refusal)):
                    texts.append((type(item), item.text))
            piece[:] = bytes(len(piece))  # what comes next lies where this lay
            at, i = at + size, i + 1
        assert (scan.whole_bytes, scan.records) == (len(data), count)
        assert scan.names == {NEAR: "MNQH6"}
        seen.append((np.concatenate(rows).tolist(), texts, scan.clock_ns, scan.received_ns))
    assert all(one == seen[0] for one in seen)
    assert {text for _, text in seen[0][1]} == {"Heartbeat", "no such symbol"}
    times = [rec.ts_event for rec in market(FUTURES_OPEN_NS, 2, 2)]
    assert seen[0][2:] == (times[-1], (times[0] + 1000, times[-1] + 1000))


@pytest.mark.parametrize("pieces", [[1], [7, 300, 64], [5000]])
def test_a_segment_that_ends_within_a_record_is_stated_as_it_lies_on_the_disk(
    tmp_path: Path, pieces: list[int]
) -> None:
    data, _ = stream(3, ts_out=True)
    names = iter(["first.dbn", "second.dbn"])
    for cut in (5, 20):
        segment = Segment(Beginning(0, snapshot=False), lambda _time_ns: SegmentFile(tmp_path, next(names)))
        at = 0
        for size in itertools.cycle(pieces):
            if at >= len(data) - cut:
                break
            segment.receive(memoryview(data)[at : min(at + size, len(data) - cut)])
            at += size
        finished = segment.finish("cut")
        assert finished is not None
        path, entry = finished
        assert len(data) - cut > path.stat().st_size == entry["bytes"] == segment.scan.whole_bytes
        assert data.startswith(path.read_bytes())
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]


def test_the_clock_is_that_of_no_snapshot_and_of_no_stamp_ahead_of_its_receipt() -> None:
    now = FUTURES_OPEN_NS
    base = market(now, 1, 0)[0]
    records = [
        base._replace(ts_event=now, ts_recv=now + 5),
        base._replace(ts_event=now + 10**12, ts_recv=now + 7),  # stamped a quarter of an hour ahead
        base._replace(ts_event=now + 10**9, ts_recv=now + 10**9, flags=32),
    ]
    scan = StreamScan()
    list(scan.feed(header(schema=None, symbols={}) + b"".join(mbo(rec) for rec in records)))
    assert scan.clock_ns == now + 7


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (b"HTTP/1.1 400 Bad Request", "expected DBN metadata"),
        (header(schema=None) + bytes(64), "is damaged at byte"),
        (header(schema=None) + bytes([15, 160]) + bytes(62), "expected 56"),
        (b"DBN\x03\xff\xff\xff\xff", "more than any stream has"),
        (b"DBN\x03\x70\x00\x00\x00" + b"\xff" * 200, "cannot be decoded"),
    ],
)
def test_what_cannot_be_a_stream_is_said_to_be_none(damage: bytes, says: str) -> None:
    with pytest.raises(FeedDamagedError, match=says):
        list(StreamScan().feed(damage))


@pytest.mark.parametrize(
    ("code", "text", "is_end"),
    [(3, "", True), (0, "Heartbeat", False), (-1, "Finished mbo replay", True), (-1, "Heartbeat", False)],
)
def test_the_end_of_a_replay_is_known_without_a_code_too(code: int, text: str, is_end: bool) -> None:
    assert is_end_of_replay(System(code, text, None)) is is_end


def test_names_come_from_mappings_of_the_feed() -> None:
    scan = StreamScan()
    data = (
        header(schema=None, symbols={}) + symbol_mapping(7, "MNQ.FUT", "MNQH6") + symbol_mapping(8, "MNQ.FUT", "MNQM6")
    )
    list(scan.feed(data))
    assert scan.names == {7: "MNQH6", 8: "MNQM6"}


def entry(number: int) -> dict[str, Any]:
    return {"kind": "gap", "start_ns": number, "end_ns": number + 1, "reason": "reset", "bridged": False}


def test_a_line_that_a_killed_writer_left_half_written_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "glbx-mdp3-20260206.mbo.segments.jsonl"
    path.write_bytes(json.dumps(entry(1)).encode() + b"\n" + json.dumps(entry(2)).encode()[:-5])
    assert [gap.start_ns for gap in read_manifest(path).gaps] == [1]
    file = ManifestFile([path])
    with pytest.raises(CaptureError, match="Another recorder"):
        ManifestFile([path])
    file.append(entry(3))
    file.close()
    assert [gap.start_ns for gap in read_manifest(path).gaps] == [1, 3]
    empty = tmp_path / "glbx-mdp3-20260207.mbo.segments.jsonl"
    ManifestFile([empty]).close()
    assert not empty.exists()


def test_a_segment_is_never_begun_over_another(tmp_path: Path) -> None:
    file = SegmentFile(tmp_path, "glbx-mdp3-20260206.mbo.143000000000.dbn")
    file.write(b"abc")
    with pytest.raises(FileExistsError):
        SegmentFile(tmp_path, "glbx-mdp3-20260206.mbo.143000000000.dbn")
    file.cut(2)
    file.close()
    assert file.path.read_bytes() == b"ab"


def test_the_library_has_what_is_used_of_it() -> None:
    """All of it is documented for classes of one's own, or asyncio's; a new version may yet have changed it."""
    made = inspect.signature(DatabentoLiveProtocol.__init__).parameters
    assert {"api_key", "dataset", "ts_out", "heartbeat_interval_s"} <= made.keys()
    asked = inspect.signature(DatabentoLiveProtocol.subscribe).parameters
    assert list(asked)[1:6] == ["schema", "symbols", "stype_in", "start", "snapshot"]
    for name in ("authenticated", "disconnected", "metadata_received", "is_streaming", "transport"):
        assert isinstance(inspect.getattr_static(DatabentoLiveProtocol, name), property), name
    assert issubclass(DatabentoLiveProtocol, asyncio.BufferedProtocol)
    assert all(importlib.import_module(name).logger.name == name for name in SECRETIVE)


@pytest.mark.parametrize(
    ("symbols", "asked"),
    [
        (("MNQH6", "MNQ"), ["MNQ.FUT"]),
        (("MNQ.v.0", "MNQ", "ESH6"), ["MNQ.FUT", "ESH6"]),
        (("MNQH6", "MNQM6"), ["MNQH6", "MNQM6"]),
    ],
)
def test_nothing_is_asked_for_twice(symbols: tuple[str, ...], asked: list[str], tmp_path: Path) -> None:
    assert plan(Lake(tmp_path), "future_mbo", symbols).asked == asked
