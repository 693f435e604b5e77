"""A session as it is asked for, and what it turned out to be."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from vp.model.parameters import ModelParameters
from vp.session import SessionName
from vp.settings.forms import CACHE_LIMIT_GB, DECOMPRESSED_LIMIT_GB

TIMES = ("session_start_ns", "context_from_ns", "emit_from_ns", "end_ns")


@dataclass(frozen=True)
class SessionSpec(SessionName):
    """What a user asks of a session; every part as the user states it.

    `context_minutes` of the warmup make frames too, at most one a second, for who watches and never for recordings.
    """

    end_time: str | None = None
    throttle_ms: float = 25.0
    lake: str | None = None
    products: str | Path | None = None
    file: str | Path | None = None
    bucket: Decimal | None = None
    decompressed_limit_gb: float = DECOMPRESSED_LIMIT_GB
    cache_limit_gb: float = CACHE_LIMIT_GB
    parameters: ModelParameters = field(default_factory=ModelParameters)
    context_minutes: float = 0.0


@dataclass(frozen=True)
class SessionInfo:
    """What a session turned out to be.

    Frames of the context, those from `context_from_ns` up to `emit_from_ns`, are made where the two differ.
    """

    product_type: str
    symbol: str
    contract: str
    dt: str
    source: str
    raw_files: tuple[str, ...]
    start_time: str | None
    tick_int: int
    bucket_int: int
    decimals: int
    currency: str
    tick_is_guessed: bool
    k: int
    parameters: ModelParameters
    throttle_ms: float
    session_start_ns: int
    context_from_ns: int
    emit_from_ns: int
    end_ns: int
    book_cache: str
    version: str

    def to_json(self) -> dict[str, Any]:
        """The facts by name; 64-bit times as decimal strings, so that JavaScript keeps their digits."""
        facts = asdict(self)
        facts["parameters_digest"] = self.parameters.digest
        for name in TIMES:
            facts[name] = str(facts[name])
        return facts

    def frame_metadata(self) -> dict[str, str]:
        """Schema metadata of the frames: what made them, and nothing of when or how they were read."""
        parameters = ",".join(f"{name}={value!r}" for name, value in self.parameters.to_json().items())
        return {
            "vp.symbol": self.symbol,
            "vp.contract": self.contract,
            "vp.product_type": self.product_type,
            "vp.dt": self.dt,
            "vp.raw_file": ", ".join(self.raw_files),
            "vp.tick_int": str(self.tick_int),
            "vp.bucket_int": str(self.bucket_int),
            "vp.currency": self.currency,
            "vp.k": str(self.k),
            "vp.parameters": parameters,
            "vp.parameters_digest": self.parameters.digest,
            "vp.version": self.version,
        }
