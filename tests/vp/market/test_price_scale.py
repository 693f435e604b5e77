"""Which tick and bucket a session has."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp.errors import BadParameterError
from vp.market.price_scale import InputPrices, PriceScale, check_bucket, default_bucket, needs_prices, price_scale
from vp.market.products import Product, find_product

CENT = 10_000_000
PRICE = 1_000_000_000
SPREAD = find_product("future_mbo", "ESH6-ESM6")
TICKER = find_product("equity_mbo", "AAPL")


def price(text: str) -> int:
    return int(Decimal(text) * PRICE)


@pytest.mark.parametrize(("first", "bucket"), [
    ("13.40", "0.01"), ("187", "0.10"), ("585", "0.50"),
    ("20", "0.01"), ("20.01", "0.02"), ("40", "0.02"), ("40.01", "0.05"), ("100", "0.05"), ("100.01", "0.10"),
    ("200", "0.10"), ("200.01", "0.20"), ("400.01", "0.50"), ("1000", "0.50"), ("1000.01", "1"), ("2000.01", "2"),
    ("0.0001", "0.01"), ("0", "0.01"), ("600000", "500"),
])  # fmt: skip
def test_default_bucket_of_a_ticker(first: str, bucket: str) -> None:
    assert default_bucket(CENT, price(first)) == price(bucket)
    assert price_scale(TICKER, None, InputPrices(price(first))) == PriceScale(CENT, price(bucket), 2, False)


@given(st.integers(1, 10**15), st.integers(0, 10**16))
def test_default_bucket_is_the_smallest_round_one_that_is_wide_enough(tick_int: int, price_int: int) -> None:
    bucket = default_bucket(tick_int, price_int)
    steps = [step * 10**n for n in range(20) for step in (1, 2, 5)]
    wide_enough = [step for step in steps if step >= tick_int and step * 2000 >= price_int]
    assert bucket % tick_int == 0
    assert wide_enough[0] <= bucket < wide_enough[0] + tick_int


@given(st.integers(1, 10**15), st.integers(1, 10**15), st.integers(0, 10**15))
def test_default_bucket_grows_with_the_price_and_scales_by_ten(tick_int: int, price_int: int, more: int) -> None:
    assert default_bucket(tick_int, price_int) <= default_bucket(tick_int, price_int + more)
    assert default_bucket(1, price_int * 10 * 2000) == 10 * default_bucket(1, price_int * 2000)


def test_a_user_chooses_the_bucket_of_any_product() -> None:
    for product in (TICKER, find_product("equity_mbo", "QQQ"), find_product("future_mbo", "ESH6")):
        assert not needs_prices(product, Decimal("0.75"))
        scale = price_scale(product, Decimal("0.75"), InputPrices(price("585")))
        assert (scale.tick_int, scale.bucket_int) == (product.tick_int, price("0.75"))
    assert needs_prices(TICKER, None)
    assert not needs_prices(find_product("equity_mbo", "QQQ"), None)
    assert not needs_prices(find_product("future_mbo", "ESH6"), None)


@pytest.mark.parametrize(("symbol", "bucket", "tick"), [
    ("ESH6", "0.3", "0.25"), ("ESH6", "0.01", "0.25"), ("6EH6", "0.00001", "0.00005"),
    ("6EH6", "0.000000001", "0.00005"),
])  # fmt: skip
def test_a_bucket_that_is_no_multiple_of_the_tick(symbol: str, bucket: str, tick: str) -> None:
    product = find_product("future_mbo", symbol)
    for judge in (check_bucket, partial(price_scale, prices=InputPrices())):
        with pytest.raises(
            BadParameterError, match=f"bucket was {bucket}, expected a multiple of .*{tick} USD"
        ) as caught:
            judge(product, Decimal(bucket))
        offered = caught.value.hint.split()[2].rstrip(";")
        check_bucket(product, Decimal(offered))


def test_a_spread_has_the_step_of_its_prices_and_says_that_it_is_a_guess() -> None:
    assert needs_prices(SPREAD, None)
    assert needs_prices(SPREAD, Decimal("0.10"))
    seen = InputPrices(price("52.35"), price("0.05"))
    assert price_scale(SPREAD, None, seen) == PriceScale(price("0.05"), price("0.05"), 2, True)
    assert price_scale(SPREAD, Decimal("0.1"), seen) == PriceScale(price("0.05"), price("0.1"), 2, True)
    check_bucket(SPREAD, Decimal("0.1"))  # nobody can tell before the file is read
    with pytest.raises(BadParameterError, match=r"bucket was 0.12, expected .* 0.05 USD \(a guess\)"):
        price_scale(SPREAD, Decimal("0.12"), seen)


@given(st.lists(st.integers(-10_000, 10_000), max_size=20), st.sampled_from(["0.05", "0.01", "0.25", "0.10", "1"]))
def test_a_guessed_tick_divides_every_price_and_the_tick_of_the_legs(steps: list[int], step: str) -> None:
    prices = [n * price(step) for n in steps]
    scale = price_scale(SPREAD, None, InputPrices(None, math.gcd(*prices)))
    assert all(one % scale.tick_int == 0 for one in (*prices, SPREAD.tick_int))
    assert scale.tick_int % math.gcd(price(step), SPREAD.tick_int) == 0
    assert scale.tick_is_guessed


def test_a_spread_whose_tick_is_stated_needs_no_prices() -> None:
    stated = replace(SPREAD, tick_int=price("0.05"), bucket_int=price("0.05"), tick_is_guessed=False)
    assert not needs_prices(stated, None)
    scale = price_scale(stated, None, InputPrices(None, price("0.01")))
    assert scale == PriceScale(price("0.05"), price("0.05"), 2, False)


def test_an_odd_tick_has_a_bucket_that_is_a_multiple_of_it() -> None:
    product = Product("X", "equity_mbo", price("0.03"), None, 1.0, 2)
    assert price_scale(product, None, InputPrices(price("90"))).bucket_int == price("0.06")
