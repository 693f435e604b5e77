"""The unit of work: a session that is recorded under one set of parameters, as a value with a digest."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vp.dbn.accounting import Accounting
from vp.dbn.opened_lake import open_lake
from vp.errors import EmptySessionError
from vp.kernels.contract import GRID_COLUMNS
from vp.lake.input_identity import InputIdentities
from vp.market.products import canonical_symbol
from vp.market.session_hours import parse_dates, phases, window_of
from vp.model.live_session import NS_PER_MS
from vp.model.pipeline import K, prepare
from vp.model.progress import Progress, ignore_progress, ignore_share
from vp.model.recording import record
from vp.model.session import SessionSpec
from vp.model.software import software

DIGEST_KEY = "vp.recording_digest"


@dataclass(frozen=True)
class RecordedSession:
    """What came of a recording.

    Attributes
    ----------
    frames : int
    accounting : Accounting
        Of every record read.
    anomalies, anomalies_before : mapping of str to int
        By name: those since the emit boundary, and those before it.
    emptiness : EmptySessionError or None
        Why there is nothing in it.
    notices : tuple of str
        What a person should know of the session's records.
    incomplete : str or None
        What is known of an input that lacks its end.
    """

    frames: int
    accounting: Accounting
    anomalies: Mapping[str, int]
    anomalies_before: Mapping[str, int]
    emptiness: EmptySessionError | None
    notices: tuple[str, ...]
    incomplete: str | None


@dataclass(frozen=True)
class RecordingTask:
    """One session to record.

    Attributes
    ----------
    session : SessionSpec
    fields : tuple of str, optional
        Grid columns wanted; None: all.
    """

    session: SessionSpec
    fields: tuple[str, ...] | None = None

    def digest(self, identities: InputIdentities | None = None) -> str:
        """Sixty-four hexadecimal digits of all that the frames depend on: inputs, what is asked for, and software.

        No raw file of the lake is opened: they are told apart as `vp.lake.input_identity` does. A time in other words
        (09:30 and 14:30 UTC) is the same.

        Raises
        ------
        VPError
            What is wrong with the request by itself, or that there is no file for it.
        """
        spec = self.session
        identities = identities or InputIdentities(open_lake(spec.lake, spec.products, spec.file))
        lake = identities.lake
        product = lake.products.find(spec.product_type, spec.symbol)
        window = window_of(spec.product_type, parse_dates(spec.dt))
        wanted = GRID_COLUMNS if self.fields is None else self.fields
        facts = {
            "inputs": identities.of(product, window.file_dates),
            "product": repr(product),
            "spreads": lake.products.spread_entries() if product.product_type.startswith("future_") else [],
            "symbol": [spec.symbol, canonical_symbol(product, spec.symbol)],
            "dt": str(window.dates),
            "phases": repr(phases(window, spec.start_time, spec.end_time)),
            "throttle_ns": round(spec.throttle_ms * NS_PER_MS),
            "bucket": None if spec.bucket is None else str(spec.bucket.normalize()),
            "parameters": repr(spec.parameters),
            "fields": [name for name in GRID_COLUMNS if name in wanted],
            "k": K,
            "software": software(),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def run(
        self,
        out: Path,
        digest: str,
        on_progress: Callable[[Progress], None] = ignore_progress,
        on_share: Callable[[float], None] = ignore_share,
        on_prepared: Callable[[], None] | None = None,
    ) -> RecordedSession:
        """Record the session into `out`, whole or not at all, with `digest` in its metadata.

        `on_progress` hears of the time up to its first frame, `on_prepared` when that is over, and `on_share` from
        then on how much is done, 0 to 1.

        Raises
        ------
        VPError
            The session cannot be had, or not be read on, or the file not be written.
        """
        session = prepare(self.session, on_progress)
        if on_prepared is not None:
            on_prepared()
        with contextlib.closing(session):
            frames = record(session, out, self.fields, on_share, metadata={DIGEST_KEY: digest})
        return RecordedSession(
            frames,
            session.accounting(),
            session.anomalies(),
            session.anomalies_before(),
            session.emptiness(),
            tuple(session.notices()),
            session.incomplete(),
        )
