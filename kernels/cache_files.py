"""Files of cached machine code that end with a digest of themselves: one that is not whole is as good as none.

numba loads what it finds: of a file that a full disk or a crash left short every later start would fail, and changed
machine code would run.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from numba.core.caching import FunctionCache, IndexDataCacheFile

DIGEST_BYTES = hashlib.sha256().digest_size

log = logging.getLogger("vp.kernels")


def sealed(data: bytes) -> bytes:
    """The data with its digest behind it, which nothing that unpickles them reads."""
    return data + hashlib.sha256(data).digest()


def is_whole(path: Path) -> bool:
    """Whether a file can be read and ends with the digest of all that is before it."""
    try:
        data = path.read_bytes()
    except OSError:
        return False
    return sealed(data[:-DIGEST_BYTES]) == data


class SealedFiles(IndexDataCacheFile):
    """numba's files of one function, each with its digest."""

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[IO[bytes]]:
        content = io.BytesIO()
        yield content
        with super()._open_for_write(filepath) as file:
            file.write(sealed(content.getvalue()))

    def _load_index(self) -> dict[Any, str]:
        overloads: dict[Any, str] = super()._load_index() if is_whole(Path(self._index_path)) else {}
        return overloads

    def _load_data(self, name: str) -> Any:
        if not is_whole(Path(self._data_path(name))):
            raise FileNotFoundError  # numba compiles what it had an entry for and finds no file of
        return super()._load_data(name)


class SealedCache(FunctionCache):
    """numba's cache of one function in sealed files; where it cannot be written, the function is compiled next time."""

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._cache_file = SealedFiles(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            log.warning("compiled kernels cannot be kept in %s: %s", self._cache_path, error.strerror)
