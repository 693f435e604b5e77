"""Which product a symbol belongs to, and what is said of a products.yaml that is wrong."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp.errors import UnknownProductTypeError, UnknownRootError, UnknownSymbolError
from vp.market.products import Product, canonical_symbol, decimals_of, find_product, is_contract, load_products


@pytest.mark.parametrize(
    ("root", "tick_int", "multiplier", "decimals"),
    [
        ("ES", 250_000_000, 50, 2),
        ("MES", 250_000_000, 5, 2),
        ("MNQ", 250_000_000, 2, 2),
        ("NQ", 250_000_000, 20, 2),
        ("SI", 5_000_000, 5_000, 3),
        ("GC", 100_000_000, 100, 1),
        ("CL", 10_000_000, 1_000, 2),
        ("6E", 50_000, 125_000, 5),
    ],
)
def test_futures(root: str, tick_int: int, multiplier: float, decimals: int) -> None:
    expected = Product(root, "future_mbo", tick_int, tick_int, multiplier, decimals, "USD")
    for symbol in (root, f"{root}H6", f"{root}N25", f"{root}.v.0", root.lower(), f" {root}h6\n"):
        assert find_product("future_mbo", symbol) == expected


def test_only_the_futures_of_the_contract() -> None:
    assert list(load_products().futures) == ["ES", "MES", "MNQ", "NQ", "SI", "GC", "CL", "6E"]


@pytest.mark.parametrize(("symbol", "ticker"), [
    ("QQQ", "QQQ"), ("spy", "SPY"), ("BRK.B", "BRK.B"), ("brk/b", "BRK.B"), ("BRK B", "BRK.B"), ("BC PRA", "BC.PRA"),
    ("BAC-L", "BAC-L"), ("ESH4", "ESH4"),
    ("AAC+", "AAC+"), ("A", "A"), (" ARL ", "ARL"),
])  # fmt: skip
def test_equities(symbol: str, ticker: str) -> None:
    product = find_product("equity_mbo", symbol)
    bucket_int = 500_000_000 if ticker in {"QQQ", "SPY"} else None
    assert product == Product(ticker, "equity_mbo", 10_000_000, bucket_int, 1.0, 2, "USD")
    assert is_contract(product, symbol)
    assert canonical_symbol(product, symbol) == ticker


@pytest.mark.parametrize("symbol", [
    "", " ", ".", "..", "../x", "/etc/passwd", "A/../../B", "A//B", "A..B", "-A", "A  B", "QQQ\0", "Q\nQ", "A=B", "Ä",
    "QQQ%2F", "symbol=QQQ", "A\\B", "A" * 17, "A.B" * 10,
])  # fmt: skip
def test_no_tickers(symbol: str) -> None:
    with pytest.raises(UnknownSymbolError, match="is no ticker: expected letters and digits") as caught:
        find_product("equity_mbo", symbol)
    assert "BRK.B" in caught.value.hint


@pytest.mark.parametrize(
    ("symbol", "canonical", "contract"),
    [
        ("MNQH6", "MNQH6", True),
        ("mnqh6", "MNQH6", True),
        ("6eh6", "6EH6", True),
        ("esn25", "ESN25", True),
        ("esh4-esm4", "ESH4-ESM4", True),
        ("CL:BF F5-G5-H5", "CL:BF F5-G5-H5", True),
        ("MNQ", "MNQ", False),
        ("mnq", "MNQ", False),
        ("MNQ.v.0", "MNQ.v.0", False),
        ("mnq.V.12", "MNQ.v.12", False),
        ("MNQ.c.0", "MNQ.c.0", False),
        (" es.n.1 ", "ES.n.1", False),
        ("es.fut", "ES.FUT", False),
        ("es fmh0026!", "ES FMH0026!", True),
        ("es si 20260320 cs", "ES SI 20260320 CS", True),
        ("CL SI 20260320 PS", "CL SI 20260320 PS", True),
    ],
)
def test_symbols_of_futures(symbol: str, canonical: str, contract: bool) -> None:
    product = find_product("future_mbo", symbol)
    assert canonical_symbol(product, symbol) == canonical
    assert is_contract(product, symbol) is contract


@pytest.mark.parametrize("letter", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
def test_month_letters(letter: str) -> None:
    if letter in "FGHJKMNQUVXZ":
        assert find_product("future_mbo", f"ES{letter}6").root == "ES"
    else:
        with pytest.raises(UnknownRootError):
            find_product("future_mbo", f"ES{letter}6")


@pytest.mark.parametrize("symbol", [
    "ESA6", "ESH", "ESH2026", "ESH6X", "ES.x.0", "ES.v", "ES.v.", "ES.v.0.1", "ES H6", "ES/../x", "ESH4-../x", "ESH4-",
    "ESH4-ESM4/x", "ES:../x", "ES:", "ES:A/B", "ESH６", "ES\0",
])  # fmt: skip
def test_no_symbols_of_a_known_root(symbol: str) -> None:
    with pytest.raises(UnknownRootError, match="ES, MES, MNQ, NQ, SI, GC, CL, 6E") as caught:
        find_product("future_mbo", symbol)
    assert "such as ESH6" in caught.value.hint
    assert "ES.v.0" in caught.value.hint


@pytest.mark.parametrize(("symbol", "hint"), [
    ("MNWH6", "Did you mean MNQ?"), ("mnw.v.0", "Did you mean MNQ?"),
    ("MESSH6", "such as MESH6"), ("6EEM6", "such as 6EH6"),
    ("NGN25", "A new root"), ("", "A new root"), ("../x", "A new root"), ("UD:1V: VT 2501", "A new root"),
])  # fmt: skip
def test_unknown_roots(symbol: str, hint: str) -> None:
    with pytest.raises(UnknownRootError, match="known are ES, MES, MNQ, NQ, SI, GC, CL, 6E") as caught:
        find_product("future_mbo", symbol)
    assert hint in caught.value.hint
    assert "products.yaml in the lake's root or a file given with --products" in caught.value.hint


@pytest.mark.parametrize("product_type", ["", "FUTURE_MBO", "futures_mbo", "equity_option_cmbp_1", "future_mbo "])
def test_unknown_product_types(product_type: str) -> None:
    with pytest.raises(UnknownProductTypeError, match="served are future_mbo, equity_mbo") as caught:
        find_product(product_type, "ESH4")
    assert ("Did you mean future_mbo?" in caught.value.hint) is ("futur" in product_type.lower())


@given(st.text(max_size=30), st.sampled_from(["future_mbo", "equity_mbo"]))
def test_whatever_is_asked_for_a_root_is_one_plain_name(symbol: str, product_type: str) -> None:
    try:
        product = find_product(product_type, symbol)
    except (UnknownRootError, UnknownSymbolError):
        return
    assert Path(f"symbol={product.root}").name == f"symbol={product.root}"
    assert set(product.root) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-+=^#")
    assert "/" not in canonical_symbol(product, symbol)


@given(st.integers(1, 10**12), st.integers(0, 9))
def test_decimals_print_every_tick_exactly(units: int, places: int) -> None:
    tick_int = units * 10 ** (9 - places)
    decimals = decimals_of(tick_int)
    printed = f"{Decimal(tick_int) / 10**9:.{decimals}f}"
    assert Decimal(printed) * 10**9 == tick_int
    assert decimals <= places
    assert decimals == 0 or not printed.endswith("0")


@pytest.mark.parametrize(("symbol", "root"), [("ZBH6", "ZB"), ("zb", "ZB"), ("ZB.v.0", "ZB"), ("ZBH6-ZBM6", "ZB")])
def test_the_line_that_an_unknown_root_asks_for_makes_it_known(tmp_path: Path, symbol: str, root: str) -> None:
    with pytest.raises(UnknownRootError) as caught:
        load_products(tmp_path).find("future_mbo", symbol)
    said = re.search(r"a line such as (.*}), with .* in (\S+) or a file given with --products", caught.value.hint)
    assert said is not None
    Path(said[2]).write_text(said[1], encoding="utf-8")
    assert load_products(tmp_path).find("future_mbo", symbol).root == root
    assert said[2] == str(tmp_path / "products.yaml")
