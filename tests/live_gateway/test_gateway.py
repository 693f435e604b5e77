"""That the gateway is honest: by the official client, and by bytes."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import databento
import databento_dbn
import numpy as np
import pytest
import zstandard

from tests.dbn_files import header, mbo
from tests.lakes import FUTURES_OPEN_NS, market
from tests.live_gateway import busy_market
from tests.live_gateway.control import KEY, GatewayProcess, gateway
from tests.live_gateway.feed import RECORD, WITH_TS_OUT
from tests.live_gateway.session import RECORDS_A_WRITE
from tests.oracle_book import Rec

dbn: Any = databento_dbn
NEAR, FAR = 42005, 42006
SECONDS = 20


def records_of(instrument: int) -> list[Rec]:
    return market(FUTURES_OPEN_NS + instrument % 2, SECONDS, SECONDS)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two contracts, record by record in turn, all of the first minute after 14:29:40 UTC."""
    pairs = zip(records_of(NEAR), records_of(FAR), strict=True)
    body = b"".join(
        mbo(rec, number, sequence=i)
        for i, pair in enumerate(pairs)
        for number, rec in zip((NEAR, FAR), pair, strict=True)
    )
    path = tmp_path_factory.mktemp("feed") / "market.dbn"
    path.write_bytes(header(symbols={"MNQH6": NEAR, "MNQM6": FAR}) + body)
    return path


@pytest.fixture(scope="module")
def process(file: Path) -> Iterator[GatewayProcess]:
    with gateway(file) as running:
        yield running


@pytest.fixture
def feed(process: GatewayProcess) -> GatewayProcess:
    process.order("reset")
    return process


def client(feed: GatewayProcess, *subscriptions: dict[str, Any], **options: Any) -> tuple[Any, list[Any]]:
    """The official client, started; and what it is called back with."""
    live = databento.Live(key=KEY, gateway="127.0.0.1", port=feed.port, **options)
    got: list[Any] = []
    for given in subscriptions:
        live.subscribe(dataset="GLBX.MDP3", schema="mbo", **given)
    live.add_callback(got.append)
    live.start()
    return live, got


def until(condition: Any) -> None:
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def orders(got: list[Any], instrument: int) -> list[bytes]:
    return [bytes(one) for one in list(got) if isinstance(one, databento.MBOMsg) and one.instrument_id == instrument]


def raw_session(feed: GatewayProcess, *lines: str, login: str = "") -> bytes:
    """What a plain socket is sent after these lines, until nothing comes for a moment."""
    with socket.create_connection(("127.0.0.1", feed.port)) as plug:
        stream = plug.makefile("rb")
        assert stream.readline().startswith(b"lsg_version=")
        cram = stream.readline().decode().strip().removeprefix("cram=")
        answer = hashlib.sha256(f"{cram}|{KEY}".encode()).hexdigest()
        # The keys in another order than the official client has.
        plug.sendall(f"encoding=dbn|dataset=GLBX.MDP3{login}|auth={answer}-{KEY[-5:]}\n".encode())
        assert stream.readline().startswith(b"success=1|session_id=")
        plug.sendall("".join(f"{line}\n" for line in lines).encode() + b"start_session=0\n")
        plug.settimeout(0.15)
        data = b""
        give_up = time.monotonic() + 0.5
        try:
            while (piece := plug.recv(1 << 20)) or data == b"":
                data += piece
                if not piece or (b"Heartbeat" in data and time.monotonic() > give_up):
                    break
        except TimeoutError:
            pass
        return data


def market_of(data: bytes, kind: np.dtype = RECORD) -> np.ndarray:
    """The market-by-order records of a stream."""
    position = 8 + int.from_bytes(data[4:8], "little")
    found = []
    while position < len(data):
        size = 4 * data[position]
        if data[position + 1] == 160:
            found.append(data[position : position + size])
        position += size
    return np.frombuffer(bytearray().join(found), kind)


def test_the_official_client_receives_what_the_file_holds(feed: GatewayProcess, file: Path) -> None:
    live, got = client(feed, {"symbols": "MNQ.FUT", "stype_in": "parent", "start": 0})
    try:
        feed.publish()
        expected = {
            number: [mbo(rec, number, sequence=i) for i, rec in enumerate(records_of(number))] for number in (NEAR, FAR)
        }
        until(lambda: len(orders(got, FAR)) >= len(expected[FAR]))
        assert {number: [one[:56] for one in orders(got, number)] for number in (NEAR, FAR)} == expected
        names = {one.instrument_id: one.stype_out_symbol for one in got if isinstance(one, databento.SymbolMappingMsg)}
        assert names == {NEAR: "MNQH6", FAR: "MNQM6"}
        codes = [one.code for one in got if isinstance(one, databento.SystemMsg)]
        assert codes == [dbn.SystemCode.SUBSCRIPTION_ACK, dbn.SystemCode.REPLAY_COMPLETED]
        metadata = live.metadata
        assert (metadata.version, metadata.schema, metadata.mappings, metadata.symbols) == (3, None, {}, [])
    finally:
        live.terminate()


def test_a_wrong_key_and_an_unknown_dataset_are_refused(feed: GatewayProcess) -> None:
    for key, dataset in (("db-another-key-of-nobody-0123456", "GLBX.MDP3"), (KEY, "XNAS.ITCH")):
        live = databento.Live(key=key, gateway="127.0.0.1", port=feed.port)
        with pytest.raises(databento.BentoError, match=r"authentication failed|Unknown dataset"):
            live.subscribe(dataset=dataset, schema="mbo", symbols="MNQH6")
    assert feed.state()["logins"] == []


def test_an_unknown_symbol_is_named_and_the_session_goes_on(feed: GatewayProcess) -> None:
    live, got = client(feed, {"symbols": ["MNQH6", "MNQZ9"]})
    try:
        feed.wait(lambda state: state["sessions"][-1]["sent_bytes"] > 0)
        feed.publish()
        until(lambda: len(orders(got, NEAR)) == len(records_of(NEAR)))
        errors = [one for one in got if isinstance(one, databento.ErrorMsg)]
        assert [(one.code, "MNQZ9" in one.err) for one in errors] == [(dbn.ErrorCode.SYMBOL_RESOLUTION_FAILED, True)]
        assert orders(got, FAR) == []
    finally:
        live.terminate()


def test_a_snapshot_is_the_book_of_the_last_minute_and_the_rest_follows(feed: GatewayProcess) -> None:
    feed.publish(400)
    data = market_of(raw_session(feed, "schema=mbo|stype_in=raw_symbol|symbols=MNQH6|snapshot=1|is_last=1"))
    made = data["flags"] & 32 != 0
    first = int(np.argmin(made)) if not made.all() else len(data)
    assert made[:first].all()
    assert not made[first:].any()
    assert [bytes(one) for one in data["action"][:first]] == [b"R"] + [b"A"] * (first - 1)
    assert set(data["flags"][: first - 1].tolist()) == {40}
    assert data["flags"][first - 1] == 168
    assert (data["ts_event"][1:first] < data["ts_recv"][1:first]).all()
    assert set(data["ts_recv"][:first].tolist()) == {FUTURES_OPEN_NS}
    before = [rec for rec in records_of(NEAR) if rec.ts_event + 1000 < FUTURES_OPEN_NS]
    left = {rec.order_id: rec.size for rec in before if rec.action == "A"}
    for rec in before:
        left[rec.order_id] -= rec.size if rec.action == "C" else 0
    resting = {number: size for number, size in left.items() if size}
    assert dict(zip(data["order_id"][1:first].tolist(), data["size"][1:first].tolist(), strict=True)) == resting
    after = [rec for rec in records_of(NEAR)[:200] if rec.ts_event + 1000 >= FUTURES_OPEN_NS]
    assert data["order_id"][first:].tolist() == [rec.order_id for rec in after]


def test_only_what_happened_from_the_start_on_is_replayed(feed: GatewayProcess) -> None:
    feed.publish(200)
    rows = records_of(NEAR)[:100]
    start = rows[60].ts_event
    data = market_of(raw_session(feed, f"schema=mbo|stype_in=raw_symbol|symbols=MNQH6|start={start}|snapshot=0"))
    assert data["ts_event"].tolist() == [rec.ts_event for rec in rows if rec.ts_event >= start]


def test_a_subscription_after_the_start_has_no_effect(feed: GatewayProcess) -> None:
    data = raw_session(
        feed, "schema=mbo|stype_in=raw_symbol|symbols=MNQH6", "start_session=0", "schema=mbo|symbols=MNQM6|start=0"
    )
    assert len(market_of(data)) == 0
    assert feed.state()["sessions"][-1]["late_subscriptions"] == 1


@pytest.mark.parametrize("split", [1, 7, 56, 65_536])
def test_the_bytes_are_the_same_however_they_are_split(feed: GatewayProcess, split: int) -> None:
    feed.order("set", split_bytes=split, digests=True)
    feed.publish(60)
    data = raw_session(feed, "schema=mbo|stype_in=raw_symbol|symbols=MNQH6|start=0")
    session = feed.state()["sessions"][-1]
    assert session["sha256"] == hashlib.sha256(data).hexdigest()
    assert len(market_of(data)) == 30


def test_times_of_sending_and_compression_are_as_asked_for(feed: GatewayProcess) -> None:
    feed.publish(60)
    line = "schema=mbo|stype_in=raw_symbol|symbols=MNQH6|start=0"
    plain = market_of(raw_session(feed, line))
    with_times = market_of(raw_session(feed, line, login="|ts_out=1"), WITH_TS_OUT)
    assert (with_times["ts_out"] >= with_times["record"]["ts_recv"]).all()
    assert with_times["record"]["order_id"].tolist() == plain["order_id"].tolist()
    compressed = raw_session(feed, line, login="|compression=zstd")
    assert market_of(zstandard.ZstdDecompressor().decompressobj().decompress(compressed)).tolist() == plain.tolist()


def test_records_of_one_or_of_all_instruments_come_as_they_are_however_many(tmp_path: Path) -> None:
    path = tmp_path / "market.dbn"
    symbols = {"MNQH6": NEAR, "MNQM6": FAR}
    # At times that leave long stretches of one instrument, and others in which they take turns.
    times = [busy_market.even_times(4, 2500, offset_ns=i * 10**9) for i in range(2)]
    whole = busy_market.write(path, symbols, times)
    assert len(whole) > 4 * RECORDS_A_WRITE
    with gateway(path) as feed:
        feed.publish(len(whole) // 2)
        for name, wanted in (("MNQH6", whole["instrument_id"] == NEAR), ("MNQH6,MNQM6", np.full(len(whole), True))):
            line = f"schema=mbo|stype_in=raw_symbol|symbols={name}|start=0"
            expected = whole[: len(whole) // 2][wanted[: len(whole) // 2]]
            assert market_of(raw_session(feed, line)).tobytes() == expected.tobytes()
            stamped = market_of(raw_session(feed, line, login="|ts_out=1"), WITH_TS_OUT)
            assert set(stamped["record"]["length"].tolist()) == {16}
            stamped["record"]["length"] = 14
            assert stamped["record"].tobytes() == expected.tobytes()
            assert set(stamped["ts_out"].tolist()) == {feed.state()["now_ns"]}


@pytest.mark.parametrize("version", [1, 2, 3])
def test_the_stream_has_the_version_that_was_ordered(feed: GatewayProcess, version: int) -> None:
    feed.order("set", version=version)
    feed.publish(60)
    data = raw_session(feed, "schema=mbo|stype_in=raw_symbol|symbols=MNQH6|start=0")
    assert data[3] == version
    decoder = dbn.DBNDecoder(upgrade_policy=dbn.VersionUpgradePolicy.AS_IS)
    decoded = (
        decoder.write_and_decode(data)
        if hasattr(decoder, "write_and_decode")
        else (decoder.write(data), decoder.decode())[1]
    )
    assert sum(isinstance(one, dbn.MBOMsg) for one in decoded) == 30


def test_an_idle_session_has_heartbeats(feed: GatewayProcess) -> None:
    data = raw_session(feed, "schema=mbo|stype_in=raw_symbol|symbols=MNQH6", login="|heartbeat_interval_s=0.1")
    assert data.count(b"Heartbeat") >= 2


CUT = 700


@pytest.mark.parametrize("kind", ["fin", "reset", "silence"])
def test_a_connection_ends_at_the_byte_that_was_ordered(feed: GatewayProcess, kind: str) -> None:
    feed.publish(100)
    feed.fault(kind, at=CUT)
    line = "schema=mbo|stype_in=raw_symbol|symbols=MNQH6|start=0"
    try:
        data = raw_session(feed, line)
    except ConnectionResetError:
        assert kind == "reset"
    else:
        assert len(data) <= CUT if kind == "reset" else len(data) == CUT
    assert len(raw_session(feed, line)) > CUT  # once


def test_a_fatal_error_closes_and_another_does_not(feed: GatewayProcess) -> None:
    feed.publish(100)
    line = "schema=mbo|stype_in=raw_symbol|symbols=MNQH6|start=0"
    whole = len(market_of(raw_session(feed, line)))
    for code, complete in ((6, False), (8, False), (4, True), (7, True)):
        feed.fault("error", at=300, code=code, text=f"number {code}")
        data = raw_session(feed, line)
        assert f"number {code}".encode() in data
        assert (len(market_of(data)) == whole) is complete


def test_a_replay_can_leave_out_repeat_and_turn_around(feed: GatewayProcess) -> None:
    feed.publish(60)
    line = "schema=mbo|stype_in=raw_symbol|symbols=MNQH6|start=0"
    true = market_of(raw_session(feed, line)).tolist()
    expected = {
        "omit": true[:5] + true[7:],
        "duplicate": true[:7] + true[5:],
        "reorder": true[:3] + true[3:6][::-1] + true[6:],
        "unfinished_replay": true[:-2],
    }
    for kind, records in expected.items():
        feed.fault(kind, at=5, count=2)
        assert market_of(raw_session(feed, line)).tolist() == records, kind


def test_who_is_refused_cannot_connect_until_it_listens_again(feed: GatewayProcess) -> None:
    feed.order("refuse")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", feed.port))
    feed.order("listen")
    socket.create_connection(("127.0.0.1", feed.port)).close()


def test_logins_that_fail_on_order(feed: GatewayProcess) -> None:
    feed.fault("refused_login", text="Connection limit exceeded")
    with pytest.raises(AssertionError):
        raw_session(feed)
    feed.fault("no_metadata")
    assert raw_session(feed) == b""
    feed.fault("aged_out")
    assert b"older than" in raw_session(feed, "schema=mbo|stype_in=raw_symbol|symbols=MNQH6|start=0")
