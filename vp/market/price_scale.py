"""Tick and bucket of a session: what the product states, what the user asks for, and what prices of the input tell."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from vp.errors import BadParameterError
from vp.market.products import Product, decimals_of
from vp.market.products_file import PRICE_UNITS

BUCKETS_TO_ZERO = 2000
ROUND_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class InputPrices:
    """What the prices of a session's input tell, whatever the start time; in 1e-9 units.

    Attributes
    ----------
    first_int : int or None
        Price of the first trade, without one that of the first add.
    step_int : int
        Greatest common divisor of the prices in the head of the input; 0 where it has none.
    """

    first_int: int | None = None
    step_int: int = 0


@dataclass(frozen=True)
class PriceScale:
    """Tick and bucket of a session, in 1e-9 units, and how prices are printed."""

    tick_int: int
    bucket_int: int
    decimals: int
    tick_is_guessed: bool


def needs_prices(product: Product, bucket: Decimal | None) -> bool:
    """Whether tick or bucket can be told only from prices of the input."""
    return product.tick_is_guessed or (product.bucket_int is None and bucket is None)


def check_bucket(product: Product, bucket: Decimal | None) -> None:
    """See to it, without reading the input, that a bucket can be had; of a guessed tick nothing is known yet.

    Raises
    ------
    BadParameterError
        The bucket is no multiple of the tick.
    """
    if bucket is not None and not product.tick_is_guessed:
        _multiple(product, bucket, product.tick_int)


def price_scale(product: Product, bucket: Decimal | None, prices: InputPrices | None) -> PriceScale:
    """Tick and bucket of a session.

    Parameters
    ----------
    product : Product
    bucket : Decimal or None
        As the user asks for it, in the product's currency.
    prices : InputPrices or None
        None where not `needs_prices`.

    Raises
    ------
    BadParameterError
        The bucket asked for is no multiple of the tick.
    """
    prices = prices or InputPrices()
    tick_int = math.gcd(product.tick_int, prices.step_int) if product.tick_is_guessed else product.tick_int
    if bucket is not None:
        bucket_int = _multiple(product, bucket, tick_int)
    elif product.tick_is_guessed:
        bucket_int = tick_int
    elif product.bucket_int is not None:
        bucket_int = product.bucket_int
    else:
        bucket_int = default_bucket(tick_int, prices.first_int or 0)
    return PriceScale(tick_int, bucket_int, decimals_of(tick_int), product.tick_is_guessed)


def default_bucket(tick_int: int, price_int: int) -> int:
    """The smallest of 1, 2, 5 x 10^n that is at least the tick and at least 1/2000 of the price, all in 1e-9 units.

    Of a tick that does not divide it, the next multiple.
    """
    least = max(tick_int, -(-price_int // BUCKETS_TO_ZERO))
    rounded = next(step for step in _round_steps() if step >= least)
    return -(-rounded // tick_int) * tick_int


def _round_steps() -> Iterable[int]:
    magnitude = 1
    while True:
        yield from (step * magnitude for step in ROUND_STEPS)
        magnitude *= 10


def _multiple(product: Product, bucket: Decimal, tick_int: int) -> int:
    """A bucket in 1e-9 units."""
    bucket_int = int(bucket * PRICE_UNITS)
    if bucket_int % tick_int:
        tick = f"{Decimal(tick_int) / PRICE_UNITS:f}"
        raise BadParameterError(
            f"bucket was {bucket:f}, expected a multiple of the tick of {product.root}, {tick} {product.currency}"
            f"{' (a guess)' * product.tick_is_guessed}.",
            hint=f"For example {Decimal(max(-(-bucket_int // tick_int), 1) * tick_int) / PRICE_UNITS:f}; "
            "a product's own tick can be stated in products.yaml.",
        )
    return bucket_int
