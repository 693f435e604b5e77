"""What is remembered of outputs, where others write to the same directory."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vp.backfill.finished import REMEMBERED, FinishedOutputs, finished_digest
from vp.model.recording_task import DIGEST_KEY


def write(path: Path, digest: str) -> None:
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({DIGEST_KEY: digest}), path)


def test_a_file_that_another_has_replaced_is_never_taken_for_the_one_before(tmp_path: Path) -> None:
    out = tmp_path / "a.parquet"
    write(out, "1" * 64)
    outputs = FinishedOutputs(tmp_path)
    assert outputs.digest(out) == "1" * 64
    write(tmp_path / "other.part", "2" * 64)
    (tmp_path / "other.part").replace(out)  # by another, before what is known is kept
    outputs.remember()
    assert FinishedOutputs(tmp_path).digest(out) == "2" * 64
    os.utime(out, ns=(1, 1))
    write(tmp_path / "third.part", "3" * 64)
    os.utime(tmp_path / "third.part", ns=(1, 1))
    (tmp_path / "third.part").replace(out)  # of the same size and time
    assert FinishedOutputs(tmp_path).digest(out) == "3" * 64


def test_what_is_gone_is_forgotten_and_what_is_no_recording_has_none(tmp_path: Path) -> None:
    out, plain = tmp_path / "a.parquet", tmp_path / "plain.parquet"
    write(out, "1" * 64)
    pq.write_table(pa.table({"a": [1]}), plain)
    outputs = FinishedOutputs(tmp_path)
    assert (outputs.digest(out), outputs.digest(plain), outputs.digest(tmp_path / "none")) == ("1" * 64, None, None)
    outputs.remember()
    out.unlink()
    again = FinishedOutputs(tmp_path)
    assert again.digest(out) is None
    again.remember()
    assert (tmp_path / REMEMBERED).read_text() == "{}"
    assert finished_digest(tmp_path / REMEMBERED) is None


def test_a_name_that_is_none_is_forgotten(tmp_path: Path) -> None:
    names = ("", "a/b", "..", "\0", "x" * 300)
    (tmp_path / REMEMBERED).write_text(json.dumps({name: [[1, 2, 3], "old"] for name in names}), "utf-8")
    write(tmp_path / "a.parquet", "new")
    outputs = FinishedOutputs(tmp_path)
    outputs.digest(tmp_path / "a.parquet")
    outputs.remember()
    assert {"a.parquet"} <= {*json.loads((tmp_path / REMEMBERED).read_text("utf-8"))} <= {"", "..", "a.parquet"}
    assert not outputs.holds(tmp_path / ("x" * 300) / "a.parquet")


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 1}', '{"a": [[1e999], "x"]}', 200_000 * "["], ids=range(6))
def test_what_stands_in_the_place_of_what_is_remembered_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / REMEMBERED).write_text(text)
    write(tmp_path / "a.parquet", "new")
    assert FinishedOutputs(tmp_path).digest(tmp_path / "a.parquet") == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_in_the_place_of_what_is_remembered_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / REMEMBERED)
    write(tmp_path / "a.parquet", "new")
    assert FinishedOutputs(tmp_path).digest(tmp_path / "a.parquet") == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_in_the_place_of_an_output_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.parquet")
    waiting = threading.Thread(target=FinishedOutputs(tmp_path).digest, args=(tmp_path / "a.parquet",), daemon=True)
    waiting.start()
    waiting.join(10)
    assert not waiting.is_alive()
    assert FinishedOutputs(tmp_path).digest(tmp_path / "a.parquet") is None
