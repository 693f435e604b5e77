"""A recording that exists: what its metadata says of it, and its frames."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import ipc

from vp.errors import NoRecordingError, quoted

ENDINGS = (".arrow", ".parquet")
PREFIX = b"vp."
FACTS = ("product_type", "symbol", "contract", "dt", "raw_file", "tick_int", "bucket_int", "k", "parameters", "version")
WHOLE_FACTS = ("tick_int", "bucket_int", "k")
WHOLE_FORM = re.compile(r"[1-9][0-9]{0,17}")
RECORDING_SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        *(pa.field(name, pa.int64() if name in WHOLE_FACTS else pa.string(), nullable=False) for name in FACTS),
    ]
)


@dataclass(frozen=True)
class Recording:
    """One file of frames.

    Attributes
    ----------
    path : Path
    schema : pyarrow.Schema
        Of its frames.
    facts : dict
        What its metadata says, by the names of FACTS.
    """

    path: Path
    schema: pa.Schema
    facts: dict[str, str]

    def frames(self) -> Any:
        """The frames as a pyarrow Dataset: a scan reads only the columns it needs, and checks Parquet's checksums."""
        import pyarrow.dataset as ds  # noqa: PLC0415 - takes longer to load than most queries to run

        if self.path.suffix == ".arrow":
            return ds.dataset(self.path, format="ipc", schema=self.schema)
        checked = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
        return ds.dataset(self.path, format=ds.ParquetFileFormat(default_fragment_scan_options=checked))

    def describe(self) -> pa.Table:
        """One row of RECORDING_SCHEMA."""
        row: dict[str, object] = {"file": self.path.name}
        for name in FACTS:
            row[name] = int(self.facts[name]) if name in WHOLE_FACTS else self.facts[name]
        return pa.Table.from_pylist([row], schema=RECORDING_SCHEMA)


def open_recording(path: Path) -> Recording:
    """The recording in a file.

    Raises
    ------
    NoRecordingError
        There is no such file, or it is none of vp.record's.
    """
    hint = "Expected an .arrow or .parquet file that `python -m vp.record` wrote."
    if path.suffix not in ENDINGS:
        raise NoRecordingError(f"{path.name} ends in neither {' nor '.join(ENDINGS)}.", hint=hint)
    try:
        schema = _ipc_schema(path) if path.suffix == ".arrow" else _parquet_schema(path)
    except FileNotFoundError:
        raise NoRecordingError(f"There is no file {str(path)!r}.", hint=hint) from None
    except (OSError, pa.ArrowException) as error:
        what = " ".join(str(error).split())
        raise NoRecordingError(f"{path.name} cannot be read as a recording: {what}", hint=hint) from None
    facts = {
        key.removeprefix(PREFIX).decode(): value.decode(errors="replace")
        for key, value in (schema.metadata or {}).items()
        if key.startswith(PREFIX)
    }
    missing = [name for name in FACTS if name not in facts]
    if missing:
        raise NoRecordingError(f"{path.name} is no recording: its metadata names no vp.{missing[0]}.", hint=hint)
    for name in WHOLE_FACTS:
        if not WHOLE_FORM.fullmatch(facts[name]):
            raise NoRecordingError(
                f"{path.name} is no recording: its metadata has vp.{name} as {quoted(facts[name])}, expected a whole "
                "number above 0.",
                hint=hint,
            )
    return Recording(path, schema, facts)


def _parquet_schema(path: Path) -> pa.Schema:
    from pyarrow import parquet  # noqa: PLC0415

    return parquet.read_schema(path)


def _ipc_schema(path: Path) -> pa.Schema:
    with pa.OSFile(str(path)) as file, ipc.open_file(file) as reader:
        return reader.schema
