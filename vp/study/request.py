"""What a user asks of a study, and what is wrong with it by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vp.errors import BadParameterError
from vp.kernels.contract import SCALAR_COLUMNS
from vp.market.session_hours import parse_dates
from vp.model.parameters import ModelParameters
from vp.model.session import SessionSpec
from vp.study.samples import MODEL_FEATURES

FEATURE_COLUMNS = tuple(name for name in SCALAR_COLUMNS if name not in {"ts_ns", "event_id", *MODEL_FEATURES})


@dataclass(frozen=True)
class RecordingFiles:
    """Files that vp.record wrote; `lake` and `products` say whose products they are of, as in SessionSpec."""

    paths: tuple[Path, ...]
    lake: str | None = None
    products: str | Path | None = None


@dataclass(frozen=True)
class StudyRequest:
    """What a user asks for.

    Attributes
    ----------
    source : SessionSpec or RecordingFiles
        A session's days, or recordings, are studied each by itself.
    sets : tuple of (str, ModelParameters)
        By the names that the user gave them; recordings bring their own.
    choose_days, report_days : str, optional
        Days to choose one of the sets on, and days to report that one on; together, or neither.
    every_seconds : int
        Between samples.
    columns : tuple of str
        Further scalar columns of frames to be features.
    fees : float
        Of one contract or share and one side, in the price's currency.
    seed : int
    cross_check : bool
        Whether arch's intervals are to stand beside (vp.study.cross_check).
    """

    source: SessionSpec | RecordingFiles
    sets: tuple[tuple[str, ModelParameters], ...] = ()
    choose_days: str | None = None
    report_days: str | None = None
    every_seconds: int = 1
    columns: tuple[str, ...] = ()
    fees: float = 0.0
    seed: int = 1
    cross_check: bool = False

    def fees_ticks(self, tick_int: int, multiplier: float) -> float:
        """The fees in ticks of a market: `tick_int` in 1e-9 units of its price, 1.0 of which is worth `multiplier`."""
        return self.fees / (tick_int / 1e9 * multiplier)


def judge_request(request: StudyRequest) -> None:
    """Raise what is wrong with a request by itself."""
    unknown = [name for name in request.columns if name not in FEATURE_COLUMNS]
    if unknown:
        raise BadParameterError(
            f"columns names {', '.join(unknown)}, which no feature can be.",
            hint=f"Choose from: {', '.join(FEATURE_COLUMNS)}.",
        )
    names = [name for name, _ in request.sets]
    if len(set(names)) < len(names):
        raise BadParameterError("parameters names one set twice.", hint="Name each set once.")
    if (request.choose_days is None) != (request.report_days is None):
        raise BadParameterError(
            "--choose and --report belong together, and one of them is missing.",
            hint="For example --choose 2026-02-02..2026-02-04 --report 2026-02-05..2026-02-06.",
        )
    if request.choose_days is not None and request.report_days is not None:
        chosen, reported = parse_dates(request.choose_days), parse_dates(request.report_days)
        if chosen.first <= reported.last and reported.first <= chosen.last:
            raise BadParameterError(
                f"The days to choose on, {chosen}, and to report on, {reported}, overlap.",
                hint="What was chosen on a day looks better on that day than it is.",
            )
