"""Files of at most a megabyte that are made to take memory: what programs need for them above what any file needs."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard

from tests.dbn_files import compress, header
from tests.lakes import FUTURES_OPEN_NS
from vp.dbn.header import FREE_HEADER_BYTES, SYMBOL_LENGTH_AT
from vp.kernels.contract import MBO_DTYPE, RTYPE_MBO

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")]

MAX_BYTES = 1 << 20
MORE_MIB = 300
SHORT_SYMBOL_BYTES = 22
RUN = """
import sys
from importlib import import_module
code = import_module(sys.argv[1]).main(sys.argv[2:])
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""
ASKED = ("--product-type", "future_mbo", "--symbol", "MNQH6", "--dt", "2026-02-06")
SQL = "SELECT count(*), max(price), count(DISTINCT order_id) FROM events"


def orders(count: int, **columns: np.ndarray) -> bytes:
    """As many orders, each with an id of its own; what is the same in all of them compresses to nothing."""
    rows = np.zeros(count, MBO_DTYPE)
    rows["length"], rows["rtype"] = MBO_DTYPE.itemsize // 4, RTYPE_MBO
    rows["publisher_id"], rows["instrument_id"], rows["order_id"] = 1, 42005, np.arange(1, count + 1)
    rows["ts_event"], rows["ts_recv"] = FUTURES_OPEN_NS, FUTURES_OPEN_NS + 1000
    rows["price"], rows["size"], rows["flags"] = 25_000 * 10**9, 1, 128
    rows["action"], rows["side"] = ord("A"), ord("B")
    for name, values in columns.items():
        rows[name] = values
    return rows.tobytes()


def zeros(size_bytes: int) -> bytes:
    compressor = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    made = compressor.compress(header() + orders(10))
    return made + b"".join(compressor.compress(bytes(1 << 20)) for _ in range(size_bytes >> 20)) + compressor.flush()


def many_intervals() -> bytes:
    """A header as long as it may be, of the shortest symbols: one name, on a hundred thousand stretches of days."""
    head = bytearray(header()[:108])
    struct.pack_into("<H", head, SYMBOL_LENGTH_AT, SHORT_SYMBOL_BYTES)
    stretch = struct.pack("<II", 20260206, 20260207) + b"42005".ljust(SHORT_SYMBOL_BYTES, b"\0")
    count = (FREE_HEADER_BYTES - 1000) // len(stretch)
    head += struct.pack("<5I", 0, 0, 0, 0, 1) + b"MNQH6".ljust(SHORT_SYMBOL_BYTES, b"\0") + struct.pack("<I", count)
    head += stretch * count
    struct.pack_into("<I", head, 4, len(head) - 8)
    return bytes(head)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "gigabytes of zeros": lambda: zeros(2 << 30),
    "one record, two million times": lambda: compress(header() + orders(10) + orders(1) * 2_000_000),
    "orders": lambda: compress(header() + orders(700_000)),
    "publishers": lambda: compress(header() + orders(400_000, publisher_id=np.arange(400_000) % 65_536)),
    "instruments": lambda: compress(header(symbols={}) + orders(400_000, instrument_id=np.arange(400_000))),
    "header": lambda: compress(many_intervals() + orders(10)),
    "uncompressed orders": lambda: header() + orders(18_000, price=np.arange(18_000) * 10**15 + 10**9),
}


def run(tmp_path: Path, program: str, *arguments: str) -> tuple[float, str]:
    """The most memory that a program took, MiB, and what it said."""
    command = [sys.executable, "-c", RUN, program, *arguments, "--lake", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return int(done.stdout.split()[-1]) / 1024, done.stdout + done.stderr


@pytest.mark.parametrize("name", HOSTILE)
def test_no_file_of_a_megabyte_takes_much_memory(
    tmp_path: Path, name: str, record_property: Callable[[str, object], None]
) -> None:
    data = HOSTILE[name]()
    assert len(data) <= MAX_BYTES
    usual = tmp_path / "usual.mbo.dbn"
    usual.write_bytes(header() + orders(10))
    hostile = tmp_path / ("hostile.mbo.dbn" + ".zst" * data.startswith(b"\x28\xb5\x2f\xfd"))
    hostile.write_bytes(data)
    for program, arguments in (
        ("vp.record", (*ASKED, "--out", str(tmp_path / "frames.arrow"))),
        ("vp.query.__main__", (*ASKED, SQL)),
    ):
        least, _ = run(tmp_path, program, *arguments, "--file", str(usual))
        most, said = run(tmp_path, program, *arguments, "--file", str(hostile))
        record_property(program, f"{least:.0f} to {most:.0f} MiB")
        assert most - least < MORE_MIB, said
        assert "unexpected" not in said
