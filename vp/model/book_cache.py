"""Book snapshots on disk: Arrow IPC files that are written whole and trusted only when their checksum holds.

The checksum stands in the file itself, in the schema's metadata, and covers every byte of the file but its
own digits: it is computed over the file with those digits zeroed.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from vp import counters
from vp.dbn.accounting import PassedOver
from vp.dbn.place import Place
from vp.errors import LakeError
from vp.files import EVERYONE, read_bounded, write_whole
from vp.lake.cache_budget import mark_as_used
from vp.market.price_scale import InputPrices

if TYPE_CHECKING:
    from vp.lake.inputs import RawFile
    from vp.model.book import Book

FORMAT_VERSION = 3
MOST_BYTES = 1 << 30  # ten million orders
BOUNDARY_STEP_NS = 60_000_000_000
KEY_METADATA = b"vp.cache_key"
RESUME_METADATA = b"vp.resume"
PRICES_METADATA = b"vp.input_prices"
CHECKSUM_METADATA = b"vp.checksum"
CHECKSUM_PATTERN = re.compile(rb"vp-sha256:[0-9a-f]{64}")
BLANK_CHECKSUM = b"vp-sha256:" + b"0" * 64

log = logging.getLogger(__name__)


def cached_boundary_ns(warmup_from_ns: int) -> int:
    """Where the book that is kept for a warmup boundary stands: at the beginning of its minute, ns UTC.

    So as many books are kept of a session as it has minutes, and not as many as there are times to ask for.
    """
    return warmup_from_ns - warmup_from_ns % BOUNDARY_STEP_NS


@dataclass(frozen=True)
class CacheKey:
    """What a snapshot depends on: the files, the contract and the boundary; never the model's parameters.

    `files` has the name, time of change in ns and size in bytes of each, in the order in which they are read.
    """

    product_type: str
    contract: str
    dt: str
    boundary_ns: int
    files: tuple[tuple[str, int, int], ...]
    format_version: int = FORMAT_VERSION

    @classmethod
    def of(cls, product_type: str, contract: str, dt: str, boundary_ns: int, raws: Sequence[RawFile]) -> CacheKey:
        """The key of a contract's book as it stood at a boundary, from these raw files."""
        files = tuple((raw.path.name, raw.mtime_ns, raw.size_bytes) for raw in raws)
        return cls(product_type, contract, dt, boundary_ns, files)

    def to_json(self) -> str:
        """The key as text; two keys have the same text if they are the same."""
        return json.dumps(asdict(self), sort_keys=True)

    def digest(self) -> str:
        """Sixteen hexadecimal digits that stand for the key."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def path(self, directory: Path) -> Path:
        """Where the snapshot lies in the cache directory."""
        contract = re.sub(r"[^A-Za-z0-9._-]", "_", self.contract)
        return directory / f"{contract}_{self.dt}_{self.digest()}.arrow"


@dataclass(frozen=True)
class Resume:
    """Where in the raw files the records behind the snapshot begin.

    `place` is one that SessionReader.chunks reads on from; `skip_events` events of the instrument from there on are
    already in the book.
    """

    place: Place
    skip_events: int

    def to_json(self) -> str:
        """As a cached book states it."""
        place = self.place._asdict() | {"passed_over": asdict(self.place.passed_over)}
        return json.dumps({"place": place, "skip_events": self.skip_events})

    @classmethod
    def from_json(cls, text: bytes) -> Resume:
        """What `to_json` wrote; KeyError, ValueError or TypeError where it is something else."""
        stated = json.loads(text)
        place = stated["place"] | {"passed_over": PassedOver(**stated["place"]["passed_over"])}
        return cls(Place(**place), stated["skip_events"])


class CachedBook(NamedTuple):
    """A snapshot: the book, where the records behind it begin, and the input's prices, if they were looked at."""

    book: Book
    resume: Resume
    prices: InputPrices | None


def _always_room(_bytes_wanted: int) -> bool:
    return True


def save_book(
    directory: Path,
    key: CacheKey,
    book: Book,
    resume: Resume,
    prices: InputPrices | None = None,
    *,
    most_mode: int = EVERYONE,
    make_room: Callable[[int], bool] = _always_room,
) -> Path:
    """Write a snapshot whole or not at all.

    Parameters
    ----------
    directory : Path
    key : CacheKey
    book : Book
    resume : Resume
    prices : InputPrices, optional
    most_mode : int
        Who may read it (vp.files.written_whole).
    make_room : callable
        Told its size in bytes; whether there is room for it.

    Raises
    ------
    LakeError
        The directory cannot be written, or there is no room.
    """
    table = book.to_arrow()
    metadata = {
        **table.schema.metadata,
        KEY_METADATA: key.to_json().encode(),
        RESUME_METADATA: resume.to_json().encode(),
        PRICES_METADATA: json.dumps(None if prices is None else asdict(prices)).encode(),
        CHECKSUM_METADATA: BLANK_CHECKSUM,
    }
    table = table.replace_schema_metadata(metadata)
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    blank = sink.getvalue()
    data = blank.replace(BLANK_CHECKSUM, _checksum(blank))
    path = key.path(directory)
    if not make_room(len(data)):
        raise LakeError(
            f"The book snapshot {path.name} of {len(data):,} bytes has no room in {directory}.",
            hint="Free some space or allow more with --cache-limit-gb; the session runs without its cache.",
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_whole(path, data, most_mode=most_mode)
    except OSError as error:
        raise LakeError(
            f"The book snapshot {path.name} could not be written to {directory}: {error.strerror}.",
            hint="Free some space or make the directory writable; the session runs without its cache.",
        ) from error
    return path


def load_book(directory: Path, key: CacheKey) -> CachedBook | None:
    """The snapshot of this key, or None where there is none or it cannot be trusted (with a warning)."""
    from vp.model.book import Book  # noqa: PLC0415 - who only looks at snapshots needs no kernels

    table = load_orders(directory, key)
    counters.add("cache", "book", "miss" if table is None else "hit")
    if table is None:
        return None
    try:
        metadata = table.schema.metadata
        prices = json.loads(metadata[PRICES_METADATA])
        return CachedBook(
            Book.from_arrow(table),
            Resume.from_json(metadata[RESUME_METADATA]),
            None if prices is None else InputPrices(**prices),
        )
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        log.warning("book snapshot %s cannot be understood (%s): it is built anew", key.path(directory).name, error)
        return None


def load_orders(directory: Path, key: CacheKey) -> pa.Table | None:
    """The orders of the snapshot of this key (ORDER_SCHEMA); None as `load_book` gives it."""
    path = key.path(directory)
    try:
        data = read_bounded(path, MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("book snapshot %s cannot be read (%s): it is built anew", path.name, error.strerror)
        return None
    found = set(CHECKSUM_PATTERN.findall(data))  # an IPC file states its schema twice
    if found != {_checksum(CHECKSUM_PATTERN.sub(BLANK_CHECKSUM, data))}:
        log.warning("book snapshot %s is damaged (its checksum does not hold): it is built anew", path.name)
        return None
    try:
        table = pa.ipc.open_file(pa.BufferReader(data)).read_all()
        if table.schema.metadata[KEY_METADATA] != key.to_json().encode():
            log.warning("book snapshot %s belongs to another session or version: it is built anew", path.name)
            return None
        mark_as_used(path)
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        log.warning("book snapshot %s cannot be understood (%s): it is built anew", path.name, error)
        return None
    return table


def _checksum(blank: bytes) -> bytes:
    return b"vp-sha256:" + hashlib.sha256(blank).hexdigest().encode()
