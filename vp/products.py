"""The products that VP serves: tick, bucket and multiplier by futures root, and the defaults of equities."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from vp.errors import LakeError, UnknownProductTypeError, UnknownRootError, UnknownSymbolError

PRODUCT_TYPES = ("future_mbo", "equity_mbo")
PRICE_UNITS = 1_000_000_000
EQUITY_TICK_INT = 10_000_000
EQUITY_BUCKET_INT = 500_000_000
CATALOGUE = Path(__file__).with_name("products.yaml")
CONTRACT = re.compile(r"([FGHJKMNQUVXZ])(\d{1,2})")
CONTINUOUS = re.compile(r"\.[cnv]\.\d+", re.IGNORECASE)
TICKER = re.compile(r"[A-Z0-9]{1,10}([.\-/][A-Z0-9]{1,4})?")


@dataclass(frozen=True)
class Product:
    """A futures root or an equity ticker; tick and bucket in 1e-9 units of the currency."""

    root: str
    product_type: str
    tick_int: int
    bucket_int: int
    multiplier: float
    decimals: int
    currency: str = "USD"


def find_product(product_type: str, symbol: str) -> Product:
    """The product that `symbol` belongs to: a contract, bare root, spread or continuous name, or a ticker.

    Raises
    ------
    UnknownProductTypeError, UnknownRootError, UnknownSymbolError
    """
    if product_type not in PRODUCT_TYPES:
        raise UnknownProductTypeError(
            f"The product type {product_type!r} is not served.", hint=f"Choose from: {', '.join(PRODUCT_TYPES)}."
        )
    symbol = symbol.strip()
    if product_type == "equity_mbo":
        if not TICKER.fullmatch(symbol.upper()):
            raise UnknownSymbolError(
                f"{symbol!r} is not the form of an equity ticker.",
                hint="Expected letters and digits, as in QQQ or BRK.B.",
            )
        return Product(symbol.upper(), product_type, EQUITY_TICK_INT, EQUITY_BUCKET_INT, 1.0, 2)
    futures = load_futures()
    root = root_of(symbol, tuple(futures))
    if root is None:
        near = difflib.get_close_matches(symbol.upper()[:4], futures, n=1)
        guess = f"Did you mean {near[0]}? " if near else ""
        raise UnknownRootError(
            f"No futures root is known for the symbol {symbol!r}.",
            hint=f"{guess}Known roots: {', '.join(sorted(futures))}; a new one goes into {CATALOGUE.name}.",
        )
    return futures[root]


def canonical_symbol(product: Product, symbol: str) -> str:
    """`symbol` as files write it: contracts, roots and tickers in capitals, the rule of a continuous name not."""
    symbol = symbol.strip()
    if product.product_type == "future_mbo" and CONTINUOUS.fullmatch(symbol[len(product.root) :]):
        return product.root + symbol[len(product.root) :].lower()
    return symbol.upper()


def is_contract(product: Product, symbol: str) -> bool:
    """Whether `symbol` names one instrument; False for a bare root or a continuous name of futures."""
    if product.product_type != "future_mbo":
        return True
    rest = symbol.strip()[len(product.root) :]
    return bool(rest) and CONTINUOUS.fullmatch(rest) is None


def root_of(symbol: str, roots: tuple[str, ...]) -> str | None:
    """The root among `roots` that `symbol` begins with, when the rest is a contract, a spread or a continuous rule."""
    text = symbol.upper()
    for root in sorted(roots, key=len, reverse=True):
        rest = text[len(root) :]
        if text.startswith(root) and (
            not rest or CONTINUOUS.fullmatch(rest) or CONTRACT.fullmatch(rest.split("-", maxsplit=1)[0])
        ):
            return root
    return None


@cache
def load_futures() -> dict[str, Product]:
    """The futures of products.yaml by root.

    Raises
    ------
    LakeError
        An entry of the file is not of the form {tick: "0.25", multiplier: 50}.
    """
    import yaml  # noqa: PLC0415 - only futures need it, and --help does not

    try:
        entries: Any = yaml.safe_load(CATALOGUE.read_text())
    except yaml.YAMLError as error:
        raise LakeError(f"{CATALOGUE.name} is not valid YAML: {error}") from error
    if not isinstance(entries, dict):
        raise LakeError(f"{CATALOGUE.name} must hold one entry a root.")
    return {str(root): _future(str(root), entry) for root, entry in entries.items()}


def _future(root: str, entry: Any) -> Product:
    try:
        tick = Decimal(str(entry["tick"]))
        multiplier = float(entry["multiplier"])
    except (TypeError, KeyError, ValueError, InvalidOperation) as error:
        raise LakeError(
            f"{CATALOGUE.name}: the entry {root} was {entry!r}.",
            hint='Expected the form {tick: "0.25", multiplier: 50}.',
        ) from error
    tick_int = tick * PRICE_UNITS
    if tick <= 0 or tick_int != int(tick_int) or multiplier <= 0:
        raise LakeError(
            f"{CATALOGUE.name}: the entry {root} has tick {tick} and multiplier {multiplier}.",
            hint="Expected a positive tick in whole 1e-9 units and a positive multiplier.",
        )
    exponent = tick.normalize().as_tuple().exponent
    decimals = max(-exponent, 0) if isinstance(exponent, int) else 0
    return Product(root, "future_mbo", int(tick_int), int(tick_int), multiplier, decimals)
