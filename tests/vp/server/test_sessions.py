"""A real server over real files: what the pipeline makes arrives unchanged, and its errors arrive as messages."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.lakes import GOOD, WRONG, WRONG_SPEED, Wrong
from tests.vp.server.clients import Seen, client, get_json, read_on, read_to_end
from tests.vp.server.tiny import Running, serving
from vp.model.parameters import ModelParameters
from vp.model.pipeline import prepare
from vp.model.recording import record
from vp.model.session import SessionSpec
from vp.server.app import Service
from vp.server.runs.session import Session
from vp.server.stream.request import StreamRequest

DEFAULTS = StreamRequest(**GOOD, speed=1.0, throttle_ms=100.0)


@pytest.fixture(scope="module")
def server(small_lake: Path) -> Iterator[Running]:
    def prepare_request(request: StreamRequest, on_progress: Callable[[Any], None]) -> Session:
        return prepare(
            SessionSpec(
                request.product_type,
                request.symbol,
                request.dt,
                request.start_time,
                throttle_ms=request.throttle_ms,
                lake=str(small_lake),
                parameters=request.parameters,
                context_minutes=0.5 if request.speed > 0 else 0.0,
            ),
            on_progress,
        )

    with serving(Service(DEFAULTS, prepare_request)) as running:
        yield running


@pytest.mark.parametrize("fields", [None, ("vacuum", "last_event_id")])
def test_speed_0_gives_the_bits_that_are_recorded(
    server: Running, small_lake: Path, tmp_path: Path, fields: tuple[str, ...] | None
) -> None:
    out = tmp_path / "frames.arrow"
    session = prepare(SessionSpec(**GOOD, throttle_ms=0.0, lake=str(small_lake)))
    frames = record(session, out, fields)
    session.close()
    with pa.OSFile(str(out)) as file:
        recorded = pa.ipc.open_file(file).read_all()

    query = "speed=0&throttle_ms=0" + (f"&fields={','.join(fields)}" if fields else "")
    seen = read_to_end(server.ws(query))
    streamed = seen.table

    assert frames == len(recorded) > 200
    assert streamed.schema.equals(recorded.schema, check_metadata=True)
    assert streamed.equals(recorded)
    for name in recorded.schema.names:  # to the bit, signs of zero too
        assert _bytes(streamed[name]) == _bytes(recorded[name]), name
    assert seen.last("end")["frames_sent"] == frames


def _bytes(column: pa.ChunkedArray) -> bytes:
    array = column.combine_chunks()
    if pa.types.is_fixed_size_list(array.type):
        array = array.flatten()
    return bytes(array.buffers()[1])


def test_a_paced_session_gives_the_same_frames(server: Running) -> None:
    own = read_to_end(server.ws("speed=0"))
    paced = read_to_end(server.ws("speed=30"))
    config = paced.last("runtime_config")
    times = paced.table["ts_ns"].cast(pa.int64()).to_pylist()
    context = sum(ts_ns < int(config["emit_from_ns"]) for ts_ns in times)
    assert paced.frames[0] == own.frames[0]
    assert paced.frames[1 + context :] == own.frames[1:]
    assert 25 <= context <= 31  # a second apart
    assert all(int(config["context_from_ns"]) <= ts_ns for ts_ns in times[:context])
    assert paced.last("history")["frames"] >= context
    assert own.table["ts_ns"][0].value >= int(config["emit_from_ns"])
    assert (config["symbol"], config["contract"], config["dt"]) == ("GOOD", "GOOD", GOOD["dt"])
    assert (config["tick_int"], config["bucket_int"], config["decimals"]) == (10_000_000, 50_000_000, 2)
    assert config["k"] == 50
    assert config["emit_from_ns"].isdigit()
    assert config["parameters"]["tau_mass_seconds"] == 30.0
    assert config["raw_files"] == ["xnas-itch-20260708.mbo.dbn"]
    assert paced.last("status")["anomalies"].get("unknown_order", 0) == 0


def test_each_set_of_parameters_is_a_session_of_its_own(server: Running) -> None:
    usual = read_to_end(server.ws("speed=1000"))
    touch = read_to_end(server.ws("speed=1000&parameters=touch"))
    want = ModelParameters.preset("touch")
    assert usual.last("runtime_config")["parameters_digest"] == ModelParameters().digest != want.digest
    config = touch.last("runtime_config")
    assert config["parameters"] == want.to_json()
    assert config["parameters_digest"] == want.digest
    assert config["session_id"] != usual.last("runtime_config")["session_id"]
    assert touch.table.schema.metadata[b"vp.parameters_digest"].decode() == want.digest
    assert touch.event_ids == usual.event_ids
    assert not touch.table["v_add"].equals(usual.table["v_add"])
    catalogue = get_json(server, "/v1/vacuum-pressure/sessions")
    assert catalogue["presets"]["touch"] == want.to_json()
    assert catalogue["default"]["parameters"] == catalogue["presets"]["default"] == ModelParameters().to_json()


def test_the_context_is_in_the_history_for_all_who_come(server: Running) -> None:
    with client(server.ws("speed=20&fields=none")) as websocket:
        early, late = Seen(), read_to_end(server.ws("speed=20&fields=none"))
        read_on(websocket, early)
    assert late.frames == early.frames
    config = early.last("runtime_config")
    asked = f"{server.http}/v1/vacuum-pressure/frames?session_id={config['session_id']}&format=arrow&fields=none"
    with urllib.request.urlopen(f"{asked}&until_ns={config['emit_from_ns']}") as response:
        before = pa.ipc.open_stream(response.read()).read_all()
    assert 25 <= len(before) <= 31
    assert before.equals(early.table.slice(0, len(before)))


@pytest.mark.parametrize("wrong", [*WRONG, WRONG_SPEED], ids=lambda wrong: wrong.name)
@pytest.mark.parametrize("speed", ["0", "1000"])
def test_what_cannot_be_served_is_said_and_the_connection_closed(server: Running, wrong: Wrong, speed: str) -> None:
    query = urllib.parse.urlencode({"speed": speed, **wrong.changes})
    seen = read_to_end(server.ws(query))
    message = seen.texts[-1]
    assert message["type"] == "error"
    assert message["code"] == wrong.code
    assert wrong.says in message["message"] + message["hint"]
    assert message["hint"]
    assert seen.code == wrong.close_code


def test_the_servers_answers_are_plain_json(server: Running) -> None:
    with client(server.ws("speed=0")) as websocket:
        for message in websocket:
            if isinstance(message, str):
                json.loads(message, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
