"""What a file is by its sha256, and its uncompressed copy beside it; vp.files gives every file its name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import zstandard

from vp.errors import DownloadError
from vp.files import READ_ONLY, most_mode_of, written_whole


def sha256_of(path: Path) -> str:
    """The sha256 of a file in hexadecimal; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep_decompressed(path: Path) -> None:
    """Lay the uncompressed file beside a compressed one, unless it is there; raises DownloadError."""
    plain = path.with_name(path.name.removesuffix(".zst"))
    if plain.exists():
        return
    try:
        mode = READ_ONLY & most_mode_of(path)
        with path.open("rb") as compressed, written_whole(plain, replace=False, most_mode=mode) as out:
            zstandard.ZstdDecompressor().copy_stream(compressed, out)
    except zstandard.ZstdError as error:
        raise DownloadError(f"{path} cannot be decompressed: {error}.", hint="Move it away and run again.") from error
    except OSError as error:
        raise DownloadError(
            f"{plain} cannot be written: {error.strerror or error}.",
            hint="Free some space or make the directory writable, and run the same command again.",
        ) from error
