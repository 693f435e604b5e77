"""Which product a symbol belongs to, and what is said of a products.yaml that is wrong."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp.errors import ProductsFileError, UnknownProductTypeError, UnknownRootError, UnknownSymbolError
from vp.market.products import (
    CATALOGUE,
    Product,
    canonical_symbol,
    decimals_of,
    find_product,
    is_contract,
    load_futures,
    read_futures,
)
from vp.package_files import package_file


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
    for symbol in (root, f"{root}H6", f"{root}N25", f"{root}.v.0", f"{root}Z5-{root}H6", root.lower(), f" {root}h6\n"):
        assert find_product("future_mbo", symbol) == expected


def test_only_the_futures_of_the_contract() -> None:
    assert list(load_futures()) == ["ES", "MES", "MNQ", "NQ", "SI", "GC", "CL", "6E"]


@pytest.mark.parametrize(("symbol", "ticker"), [
    ("QQQ", "QQQ"), ("spy", "SPY"), ("BRK.B", "BRK.B"), ("brk/b", "BRK.B"), ("BRK B", "BRK.B"), ("BC PRA", "BC.PRA"),
    ("BAC-L", "BAC-L"), ("ESH4", "ESH4"),
    ("AAC+", "AAC+"), ("A", "A"), (" ARL ", "ARL"),
])  # fmt: skip
def test_equities(symbol: str, ticker: str) -> None:
    product = find_product("equity_mbo", symbol)
    assert product == Product(ticker, "equity_mbo", 10_000_000, 500_000_000, 1.0, 2, "USD")
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
    assert "new root goes into vp/market/products.yaml" in caught.value.hint


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


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "products.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_user_can_add_a_future(tmp_path: Path) -> None:
    added = "NO: {tick: 0.00000001, multiplier: 12.5, currency: EUR}\nZB:\n  tick: '0.03125'\n  multiplier: 1000\n"
    futures = read_futures(write(tmp_path, package_file(CATALOGUE).read_text() + added))
    assert futures["NO"] == Product("NO", "future_mbo", 10, 10, 12.5, 8, "EUR")
    assert futures["ZB"] == Product("ZB", "future_mbo", 31_250_000, 31_250_000, 1000.0, 5)
    assert futures["ES"] == find_product("future_mbo", "ES")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("ZB: {multiplier: 1000}", "line 2: the entry ZB has no field tick, expected a positive decimal"),
        ('ZB: {tick: "0.25"}', "line 2: the entry ZB has no field multiplier, expected a positive number"),
        ('ZB: {tick: "1/32", multiplier: 1000}', "entry ZB has the tick '1/32', expected a positive decimal"),
        ('ZB: {tick: "0", multiplier: 1000}', "entry ZB has the tick '0', expected a positive"),
        ('ZB: {tick: "-0.25", multiplier: 1000}', "entry ZB has the tick '-0.25', expected a positive"),
        ('ZB: {tick: "0.0000000001", multiplier: 1}', "entry ZB has the tick '0.0000000001', .* nine decimal places"),
        ("ZB: {tick: 1e-5, multiplier: 1}", "entry ZB has the tick '1e-5', expected"),
        ("ZB: {tick: .nan, multiplier: 1}", "entry ZB has the tick '.nan', expected"),
        ("ZB: {tick: , multiplier: 1}", "entry ZB has the tick '', expected"),
        ("ZB: {tick: [1], multiplier: 1}", "entry ZB has the tick 'a collection', expected"),
        ('ZB: {tick: "0.25", multiplier: 0}', "entry ZB has the multiplier '0', expected a positive number"),
        ('ZB: {tick: "0.25", multiplier: .inf}', "entry ZB has the multiplier '.inf', expected a positive number"),
        ('ZB: {tick: "0.25", multiplier: 1, currency: usd}', "entry ZB has the currency 'usd', expected three"),
        ('ZB: {tick: "0.25", multiplier: 1, bucket: 1}', "entry ZB has an unknown field 'bucket', expected only"),
        ('ZB: {tick: "0.25", tick: "0.5", multiplier: 1}', "entry ZB has the field tick twice, expected each"),
        ("ZB: 0.25", "entry ZB has '0.25', expected fields"),
        ("ZB:", "entry ZB is empty, expected fields"),
        ("ZB: []", "entry ZB is empty, expected fields"),
        ('zb: {tick: "0.25", multiplier: 1}', "line 2 names the root 'zb', expected one to six capital letters"),
        ('../X: {tick: "0.25", multiplier: 1}', "line 2 names the root '../X', expected"),
        ('"": {tick: "0.25", multiplier: 1}', "line 2 names the root '', expected"),
        ('12: {tick: "0.25", multiplier: 1}', "line 2 names the root '12', expected"),
        ('ES: {tick: "0.5", multiplier: 1}', "line 2: the entry ES occurs a second time, expected one"),
        ("ZB: {", "no valid YAML: .*line 3"),
        ("- ZB", "no valid YAML"),
    ],
)
def test_bad_entries(tmp_path: Path, entry: str, said: str) -> None:
    path = write(tmp_path, f'ES: {{tick: "0.25", multiplier: 50}}\n{entry}\n')
    with pytest.raises(ProductsFileError, match=said) as caught:
        read_futures(path)
    assert caught.value.message.startswith("products.yaml")
    assert 'ES: {tick: "0.25", multiplier: 50}' in caught.value.hint
    assert (caught.value.code, caught.value.close_code, caught.value.exit_code) == ("bad_products_file", 1011, 1)


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "ES", "{}"])
def test_file_without_entries(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProductsFileError, match="holds no entries"):
        read_futures(write(tmp_path, text))


def test_unreadable_files(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"ES: \xff")
    for name in ("missing.yaml", "latin.yaml", "."):
        with pytest.raises(ProductsFileError, match="cannot be read"):
            read_futures(tmp_path / name)
