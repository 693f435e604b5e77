"""A market of two contracts, a recorder of it in a thread, and frames to compare."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.dbn_files import header, mbo
from tests.lakes import FUTURES_OPEN_NS, RAW, market
from tests.live_gateway.control import KEY, GatewayProcess
from tests.oracle_book import Rec
from vp.capture.plan import plan
from vp.capture.recorder import FeedNews, Recorder
from vp.lake.lake import Lake
from vp.model.pipeline import prepare
from vp.model.session import SessionSpec

NEAR, FAR = 42005, 42006
SYMBOLS = {"MNQH6": NEAR, "MNQM6": FAR}
DATE = "2026-02-06"
SECONDS = 20
PATIENCE_SECONDS = 20.0


@functools.cache
def market_bytes() -> bytes:
    """Two contracts, record by record in turn, the first after a clear: 40 seconds around 14:30 UTC."""
    near, far = (
        [Rec(open_ns - 21 * 10**9, "R", "N", 2**63 - 1, 0, 0, 128), *market(open_ns, SECONDS, SECONDS)]
        for open_ns in (FUTURES_OPEN_NS, FUTURES_OPEN_NS + 17)
    )
    pairs = [one for pair in zip(near, far, strict=True) for one in zip((NEAR, FAR), pair, strict=True)]
    return b"".join(mbo(rec, number, sequence=i) for i, (number, rec) in enumerate(pairs))


RECORDS = len(market_bytes()) // 56


def write_market(path: Path) -> Path:
    """The market as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header(symbols=SYMBOLS) + market_bytes())
    return path


def directory(lake: Path, root: str = "MNQ") -> Path:
    return lake / RAW.format("future_mbo", root)


def frames(lake: Path, symbol: str, date: str = DATE, product_type: str = "future_mbo") -> pa.Table:
    """Every frame of a session, at each event's end."""
    spec = SessionSpec(product_type=product_type, symbol=symbol, dt=date, lake=str(lake), throttle_ms=0)
    with contextlib.closing(prepare(spec)) as session:
        tables = []
        while not session.finished:
            batch = session.advance(None, 256)
            tables.append(session.layout.table(batch.buffer))
        accounting = session.accounting()
        assert accounting.unaccounted == 0, accounting
        return pa.concat_tables(tables).combine_chunks()


@contextlib.contextmanager
def capturing(gateway: GatewayProcess, lake: Path, **options: Any) -> Iterator[Capture]:
    """A recorder of a gateway that is stopped at the end."""
    capture = Capture(gateway, lake, **options)
    try:
        yield capture
    finally:
        capture.stop()


class Capture:
    """A recorder in a thread; of MNQ, from the beginning of the week, unless told otherwise.

    Attributes
    ----------
    news : list of FeedNews
    error : Exception or None
        What ended it.
    """

    def __init__(
        self,
        gateway: GatewayProcess,
        lake: Path,
        symbols: Sequence[str] = ("MNQ",),
        live_from: str | None = "week",
        *,
        key: str = KEY,
        product_type: str = "future_mbo",
        dataset: str | None = None,
        patience_seconds: float = 0.5,
        silent_seconds: float = 30.0,
        today_ns: int = FUTURES_OPEN_NS,
    ) -> None:
        self._gateway = gateway
        self.news: list[FeedNews] = []
        self.error: Exception | None = None
        chosen = plan(Lake(lake), product_type, symbols, dataset, live_from)
        self._directory = chosen.directories[0]
        self._make: Callable[[], Recorder] = lambda: Recorder(
            chosen, key, ("127.0.0.1", gateway.port), self.news.append, heartbeat_seconds=1, backoff_scale=0.02,
            patience_seconds=patience_seconds, silent_seconds=silent_seconds, now_ns=lambda: today_ns,
        )  # fmt: skip
        self._recorder: Recorder | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._ready.wait()

    @property
    def recorder(self) -> Recorder:
        assert self._recorder is not None
        return self._recorder

    def kinds(self) -> list[str]:
        return [news.kind for news in self.news]

    def wait(self, kind: str, times: int = 1) -> FeedNews:
        """The news of a kind, once it has come so often."""
        self.until(lambda: self.kinds().count(kind) >= times)
        return [news for news in self.news if news.kind == kind][times - 1]

    def until(self, condition: Callable[[], bool]) -> None:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < give_up, (self.news, self.error)
            assert self._thread.is_alive() or condition(), (self.news, self.error)
            time.sleep(0.005)

    def has_all(self) -> bool:
        """Whether all that the gateway's newest session has sent is on the disk."""
        return received_all(self._gateway, self._directory)

    def stop(self) -> None:
        """End it as a signal does."""
        assert self._loop is not None
        assert self._recorder is not None
        with contextlib.suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._recorder.stop)
        self.join()

    def join(self) -> None:
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            self._recorder = self._make()
            self._ready.set()
            await self._recorder.run()

        try:
            asyncio.run(run())
        except Exception as error:  # noqa: BLE001 - tests look at it
            self.error = error


def manifest(lake: Path, root: str = "MNQ", date: str = DATE) -> list[dict[str, Any]]:
    path = next(directory(lake, root).glob(f"*{date.replace('-', '')}.mbo.segments.jsonl"))
    return [json.loads(line) for line in path.read_text().splitlines()]


def of_kind(lake: Path, kind: str, **where: Any) -> list[dict[str, Any]]:
    return [entry for entry in manifest(lake, **where) if entry["kind"] == kind]


def received_all(gateway: GatewayProcess, place: Path) -> bool:
    """Whether all that the gateway's newest session has sent lies in a directory."""
    state = gateway.state()
    streaming = [session for session in state["sessions"] if session["state"] == "streaming"]
    parts = sorted(place.glob("*.mbo.*.dbn.part"))
    if not streaming or not parts or streaming[-1]["sent_until"] < state["published"]:
        return False
    with contextlib.suppress(FileNotFoundError):  # it has just got its name
        size: int = parts[-1].stat().st_size
        return size == int(streaming[-1]["sent_bytes"])
    return False
