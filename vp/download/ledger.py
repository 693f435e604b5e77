"""The ledger: what was ordered, one JSON file a job, written whole or not at all.

A job is written down as `submitting` before it is sent, and as `lost` where its answer does not come. A program
that finds such an entry looks for the job among Databento's before it would send anything. Where no job is listed
for it, it becomes `absent`: it may be sent again, but goes on counting as money that may have been spent, as a list
that lags behind looks the same.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from vp.errors import LakeError
from vp.files import read_bounded, write_whole
from vp.lake.layout import Place, place_of

SUBMITTING, LOST, ABSENT, SUBMITTED, LAID, EMPTY, EXPIRED, REFUSED, STREAMING = STATES = (
    "submitting", "lost", "absent", "submitted", "laid", "empty", "expired", "refused", "streaming",
)  # fmt: skip
MOST_ENTRY_BYTES = 16 << 20
UNKNOWN = (SUBMITTING, LOST)  # whether Databento has the job

FORMS: dict[str, Any] = {
    "symbols": list, "stype_in": str, "state": str, "cost_usd": int | float, "condition": str, "sent_at": str,
    "job_id": str | None, "files": list, "error": str, "former": list, "former_usd": int | float,
    "newest_listed": dict,
}  # fmt: skip
FILE_FORMS: dict[str, Any] = {"name": str, "size": int, "sha256": str, "laid_as": str}


@dataclass(frozen=True)
class Want:
    """One file that the lake should hold: a kind of data of a futures root or ticker on a session date."""

    place: Place
    symbol: str
    date: dt.date

    def __str__(self) -> str:
        return f"{self.symbol} {self.place.product_type} {self.place.schema} of {self.date}"


@dataclass(frozen=True)
class Order:
    """What Databento is asked for.

    Attributes
    ----------
    want : Want
    symbols : tuple of str
    stype_in : str
        raw_symbol, or parent where the contracts are too many for one job.
    """

    want: Want
    symbols: tuple[str, ...]
    stype_in: str = "raw_symbol"

    def query(self) -> dict[str, Any]:
        """The arguments that pricing and submitting share; a UTC day, its end excluded."""
        return {
            "dataset": self.want.place.dataset,
            "symbols": list(self.symbols),
            "schema": self.want.place.schema,
            "stype_in": self.stype_in,
            "start": self.want.date.isoformat(),
            "end": (self.want.date + dt.timedelta(days=1)).isoformat(),
        }


@dataclass(frozen=True)
class Entry:
    """An order and what became of it.

    Attributes
    ----------
    order : Order
    state : str
        One of STATES; `streaming` are definitions, which no job is for.
    cost_usd : float
        As asked before it was submitted, then as the job tells it. Of definitions, of the stream sent last.
    condition : str
        The day's, as asked before it was submitted.
    sent_at : str
        ISO 8601 UTC: when the submission was about to be sent.
    job_id : str or None
    files : list of dict
        Of each data file, once known: the vendor's `name`, `size`, `sha256`, and `laid_as`, its name in the lake.
    error : str
        Why it is not in the lake, as last seen.
    former : list of str
        Jobs that were ordered for the same file before, and expired.
    former_usd : float
        What all earlier orders for the same file cost, or may have cost.
    newest_listed : dict
        `id` and `ts_received` of the newest job that Databento listed before the order was sent; empty where it
        listed none. The job of this order came after it, by Databento's own clock.
    """

    order: Order
    state: str
    cost_usd: float
    condition: str
    sent_at: str
    job_id: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    former: list[str] = field(default_factory=list)
    former_usd: float = 0.0
    newest_listed: dict[str, str] = field(default_factory=dict)

    @property
    def want(self) -> Want:
        """What it is for."""
        return self.order.want

    @property
    def bought_usd(self) -> float:
        """All that may have been paid for it, lost answers and earlier orders included."""
        return self.former_usd + (0.0 if self.state == REFUSED else self.cost_usd)

    def with_(self, **changes: Any) -> Entry:
        """A changed copy."""
        return replace(self, **changes)

    def note(self, file: dict[str, Any]) -> bytes:
        """What is kept beside one of its files: the day's condition, and where the file came from."""
        facts = {
            "condition": self.condition,
            "job_id": self.job_id,
            **self.order.query(),
            "cost_usd": self.cost_usd,
            "vendor_file": file,
            "downloaded_at": now(),
        }
        return f"{json.dumps(facts, indent=1)}\n".encode()


class Ledger:
    """The ledger of a lake; `locked` must be held while it is written."""

    def __init__(self, root: Path) -> None:
        self.directory = root / "jobs"

    @contextmanager
    def locked(self, program: str) -> Iterator[None]:
        """Keep a second downloader of the same kind off; raises LakeError where one is at work or could not be seen."""
        try:
            import fcntl  # noqa: PLC0415 - Windows has none
        except ImportError:
            raise LakeError(
                "This system has no locks of files, which keep two downloads from ordering the same data twice.",
                hint="Download on Linux or macOS, or on Windows within WSL.",
            ) from None
        path = self.directory / f"{program}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a")
        except OSError as error:
            raise LakeError(
                f"{path} cannot be written: {error.strerror}.",
                hint="Choose another lake with --lake or VP_LAKE, or make the directory writable.",
            ) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LakeError(
                    f"Another download of {program} is at work in {self.directory.parent}.",
                    hint="Wait for it or stop it; two at once could order the same data twice.",
                ) from None
            yield

    def path(self, want: Want) -> Path:
        """Where the entry of a file lies."""
        place = want.place
        return self.directory / place.product_type / want.symbol / f"{place.schema}-{want.date:%Y%m%d}.json"

    def find(self, want: Want) -> Entry | None:
        """The entry of a file, None where nothing was ever ordered for it; raises LakeError if it is damaged."""
        path = self.path(want)
        try:
            text = read_bounded(path, MOST_ENTRY_BYTES).decode()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise LakeError(f"{path} cannot be read: {error}.", hint=_DAMAGED_HINT) from error
        try:
            return _entry(json.loads(text), want)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, LakeError) as error:
            raise LakeError(f"{path} is no entry of the ledger: {error}.", hint=_DAMAGED_HINT) from error

    def write(self, entry: Entry) -> Entry:
        """Keep an entry, over the one there was; returns it. Raises LakeError."""
        path = self.path(entry.want)
        text = json.dumps(_document(entry), indent=1) + "\n"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text.encode())
        except OSError as error:
            raise LakeError(
                f"{path} cannot be written: {error.strerror}.", hint="Free some space or make it writable."
            ) from error
        return entry

    def entries(self, product_types: tuple[str, ...]) -> list[Entry]:
        """Every entry of some product types, by path; raises LakeError."""
        found = []
        for product_type in product_types:
            for path in sorted((self.directory / product_type).glob("*/*.json")):
                schema, _, day = path.stem.rpartition("-")
                try:
                    want = Want(place_of(product_type, schema), path.parent.name, dt.date.fromisoformat(day))
                except (ValueError, LakeError):
                    raise LakeError(f"{path} is no entry of the ledger, by its name.", hint=_DAMAGED_HINT) from None
                entry = self.find(want)
                if entry is not None:
                    found.append(entry)
        return found


_DAMAGED_HINT = "Compare it with the jobs in Databento's portal; if none is outstanding, delete it."


def _document(entry: Entry) -> dict[str, Any]:
    want = entry.want
    document = {name: value for name, value in asdict(entry).items() if name != "order"}
    return {
        "product_type": want.place.product_type,
        "symbol": want.symbol,
        **entry.order.query(),
        **document,
    }


def _entry(document: dict[str, Any], asked: Want) -> Entry:
    if "files" not in document:  # of VP 0.1
        document["files"] = [document["file"]] if document["file"] else []
    document.setdefault("former_usd", 0.0)
    document.setdefault("newest_listed", {})
    place = place_of(document["product_type"], document["schema"])
    want = Want(place, document["symbol"], dt.date.fromisoformat(document["start"]))
    if want != asked:
        raise ValueError(f"it tells of {want}")
    if document["state"] not in STATES:
        raise ValueError(f"the state is {document['state']!r}, expected one of {', '.join(STATES)}")
    for name, kind in FORMS.items():
        if not isinstance(document[name], kind):
            raise TypeError(f"{name} is {document[name]!r}, expected {kind}")
    for name in ("cost_usd", "former_usd"):
        if not 0 <= document[name] < math.inf:
            raise ValueError(f"{name} is {document[name]!r}, expected USD")
    for name in ("symbols", "former"):
        if not all(isinstance(text, str) and text for text in document[name]):
            raise TypeError(f"{name} is {document[name]!r}, expected texts")
    if not document["symbols"] or (document["state"] == SUBMITTED and not document["job_id"]):
        raise ValueError("it names no symbols, or no job though it was submitted")
    for file in document["files"]:
        named = {"laid_as": ""} | (file if isinstance(file, dict) else {})  # VP 0.1 knew one name alone
        if not all(isinstance(named.get(name), kind) for name, kind in FILE_FORMS.items()):
            raise TypeError(f"files is {document['files']!r}, expected names, sizes and digests")
    moments = {"sent_at": document["sent_at"]}
    if document["newest_listed"]:
        moments["ts_received"] = document["newest_listed"]["ts_received"]
        if not isinstance(document["newest_listed"]["id"], str):
            raise TypeError("newest_listed names no job")
    for name, text in moments.items():
        if dt.datetime.fromisoformat(text).tzinfo is None:
            raise ValueError(f"{name} tells no time zone")
    order = Order(want, tuple(document["symbols"]), document["stype_in"])
    return Entry(order, **{name: document[name] for name in FORMS if name not in {"symbols", "stype_in"}})


def now() -> str:
    """The time as the ledger writes it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
