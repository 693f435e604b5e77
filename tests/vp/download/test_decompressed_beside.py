"""Uncompressed files beside compressed ones: laid down where the compressed one is whole, and never otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dbn_files import compress, header
from tests.vp.dbn.raw_files import SMALL, body
from vp.dbn.zstd import FREE_BYTES
from vp.download.files import keep_decompressed
from vp.errors import DownloadError

NAME = "glbx-mdp3-20260206.mbo.dbn.zst"
PLAIN = header() + body() + b"".join(SMALL)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (compress(PLAIN)[:-1], "cut short"),
        (compress(PLAIN[:-56], PLAIN[-56:])[:-20], "cut short"),
        (compress(PLAIN[:-8]), "ends within record"),
        (compress(PLAIN[:-56] + bytes(56)), "its length was 0 bytes"),
        (compress(PLAIN)[:40] + b"\xff" + compress(PLAIN)[41:], "cannot be decompressed"),
        (compress(PLAIN + SMALL[0] * (FREE_BYTES // len(SMALL[0]))), "expands to more than"),
    ],
    ids=["a byte short", "second frame cut", "record cut", "damaged record", "damaged stream", "far too large"],
)
def test_what_the_reader_refuses_is_not_laid_down(tmp_path: Path, data: bytes, says: str) -> None:
    raw = tmp_path / NAME
    raw.write_bytes(data)
    with pytest.raises(DownloadError, match=says):
        keep_decompressed(raw, "mbo")
    assert list(tmp_path.iterdir()) == [raw]


def test_a_whole_file_is_laid_down_read_only_and_once(tmp_path: Path) -> None:
    raw = tmp_path / NAME
    raw.write_bytes(compress(PLAIN[:-56], PLAIN[-56:]))
    keep_decompressed(raw, "mbo")
    plain = tmp_path / NAME.removesuffix(".zst")
    assert plain.read_bytes() == PLAIN
    assert plain.stat().st_mode & 0o222 == 0
    raw.write_bytes(b"")
    keep_decompressed(raw, "mbo")
    assert plain.read_bytes() == PLAIN
