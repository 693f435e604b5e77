"""Which prices a session's input begins with: what tells the tick of a spread and the bucket of a ticker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable

import numpy as np

from vp.dbn.events import Events
from vp.dbn.session_reader import EventSource
from vp.errors import FileError
from vp.kernels.contract import ACTION_ADD, ACTION_TRADE, UNDEF_PRICE
from vp.market.price_scale import InputPrices
from vp.market.products import Product

HEAD_EVENTS = 1 << 18


def input_prices(product: Product, reader: EventSource, on_records: Callable[[int], None]) -> InputPrices:
    """What has to be known of the prices to choose tick and bucket (vp.market.price_scale).

    Parameters
    ----------
    product : Product
    reader : EventSource
        Of the session's events from the start of its input on; it reads no further than needed. Where the file is
        damaged, the prices before it are taken: who plays the session will meet the damage.
    on_records : callable
        Told how many records have been read.
    """
    with contextlib.closing(_chunks(reader, on_records)) as chunks:
        return InputPrices(step_int=_step(chunks)) if product.tick_is_guessed else InputPrices(first_int=_first(chunks))


def _chunks(reader: EventSource, on_records: Callable[[int], None]) -> Generator[Events]:
    with contextlib.suppress(FileError):
        for events, _place in reader.chunks():
            on_records(reader.records_seen)
            yield events


def _first(chunks: Iterable[Events]) -> int | None:
    """Price of the first trade, without one that of the first add."""
    first_add: int | None = None
    for events in chunks:
        columns = events.columns
        priced = (columns.price != UNDEF_PRICE) & (columns.price > 0)
        trades = columns.price[priced & (columns.action == ACTION_TRADE)]
        if len(trades):
            return int(trades[0])
        if first_add is None:
            adds = columns.price[priced & (columns.action == ACTION_ADD)]
            first_add = int(adds[0]) if len(adds) else None
    return first_add


def _step(chunks: Iterable[Events]) -> int:
    """Greatest common divisor of the prices of the first HEAD_EVENTS events; 0 without any."""
    step, left = 0, HEAD_EVENTS
    for events in chunks:
        prices = events.columns.price[:left]
        step = int(np.gcd.reduce(prices[prices != UNDEF_PRICE], initial=step))
        left -= len(prices)
        if left == 0:
            break
    return step
