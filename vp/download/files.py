"""The uncompressed copy beside a downloaded file; vp.files gives every file its name."""

from __future__ import annotations

from pathlib import Path

from vp.dbn.file import DbnFile
from vp.dbn.reader import EventReader
from vp.dbn.selection import EVERY_INSTRUMENT
from vp.dbn.zstd import uncompressed
from vp.errors import DownloadError, FileError
from vp.files import READ_ONLY, most_mode_of, written_whole


def keep_decompressed(path: Path, schema: str) -> None:
    """Lay the uncompressed file beside a compressed one, unless it is there.

    Raises
    ------
    DownloadError
        There is no room for it; or the file is one that no session could be played from to its end. What is laid down
        is taken in the compressed file's place from then on, and would be whole where that is not.
    """
    plain = path.with_name(path.name.removesuffix(".zst"))
    if plain.exists():
        return
    try:
        for _ in EventReader(DbnFile(path, schema), EVERY_INSTRUMENT).chunks():
            pass
        with written_whole(plain, replace=False, most_mode=READ_ONLY & most_mode_of(path)) as out:
            for block in uncompressed(path):
                out.write(block)
    except FileError as error:
        raise DownloadError(
            f"{path} is not kept decompressed: {error.message}", hint="Move it away and run again."
        ) from error
    except OSError as error:
        raise DownloadError(
            f"{plain} cannot be written: {error.strerror or error}.",
            hint="Free some space or make the directory writable, and run the same command again.",
        ) from error
