"""What a user is told of a tick that is a guess, or that the prices of a session contradict."""

from __future__ import annotations

import logging
from decimal import Decimal

import numpy as np

from vp.dbn.events import Events
from vp.kernels.contract import ACTION_ADD, ACTION_MODIFY, UNDEF_PRICE
from vp.market.price_scale import PriceScale
from vp.market.products import Product
from vp.market.products_file import PRICE_UNITS

OFF_TICK_SHARE = 0.01  # stub quotes and hidden orders may lie between two ticks

log = logging.getLogger(__name__)


def warn_of_guess(product: Product, contract: str, scale: PriceScale) -> None:
    """Say that a tick is a guess, and how to state it."""
    if scale.tick_is_guessed:
        tick = _price(scale.tick_int)
        log.warning(
            'the tick of %s, %s, is a guess by its prices: state it under `spreads` in products.yaml, %s: {tick: "%s"}',
            *(contract, tick, product.root, tick),
        )


def warn_of_off_tick_prices(contract: str, scale: PriceScale, events: Events) -> None:
    """Say so if more than a few of the orders of `events` lie between two ticks."""
    columns = events.columns
    resting = (columns.action == ACTION_ADD) | (columns.action == ACTION_MODIFY)
    prices = columns.price[resting & (columns.price != UNDEF_PRICE)]
    off = int(np.count_nonzero(prices % scale.tick_int))
    if off > OFF_TICK_SHARE * len(prices):
        log.warning(
            "%s of the first %s orders of %s are at prices that are no multiples of its tick, %s: state its tick in "
            "products.yaml",
            *(f"{off:,}", f"{len(prices):,}", contract, _price(scale.tick_int)),
        )


def _price(price_int: int) -> str:
    return f"{Decimal(price_int) / PRICE_UNITS:f}"
