"""Opening a lake, or a single file as if it were one."""

from __future__ import annotations

from pathlib import Path

from vp.lake.lake import Lake


def open_lake(root: str | Path | None, products: str | Path | None = None, file: str | Path | None = None) -> Lake:
    """The lake; with `file`, one whose sessions are those of that file and whose caches lie in the lake.

    Raises
    ------
    NoRawFileError
        There is no such file.
    FileError
        It cannot be used.
    LakeError, ProductsFileError
    """
    lake = Lake(root, products)
    if file is None:
        return lake
    from vp.dbn.lone_file import describe  # noqa: PLC0415 - kernels take a while to load

    return Lake(root, products, lone_file=describe(Path(file).expanduser(), lake.products))
