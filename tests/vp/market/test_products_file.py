"""Products of the user's own: what files add and override, and what is said of one that is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vp.errors import ProductsFileError, UnknownRootError
from vp.market.products import CATALOGUE, Product, find_product, load_products
from vp.market.products_file import MAX_FILE_BYTES, read_products
from vp.package_files import package_file

LINE = 'ES: {tick: "0.25", multiplier: 50}'


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_user_adds_futures_with_or_without_a_section(tmp_path: Path) -> None:
    write(
        tmp_path / "products.yaml",
        "NO: {tick: 0.00000001, multiplier: 12.5, currency: EUR}\n"
        "futures:\n  ZB:\n    tick: '0.03125'\n    multiplier: 1000\n    bucket: '0.0625'\n",
    )
    products = load_products(tmp_path)
    assert products.find("future_mbo", "NOH6") == Product("NO", "future_mbo", 10, 10, 12.5, 8, "EUR")
    assert products.find("future_mbo", "ZB.v.0") == Product("ZB", "future_mbo", 31_250_000, 62_500_000, 1000.0, 5)
    assert products.find("future_mbo", "ES") == find_product("future_mbo", "ES")
    assert list(products.futures) == ["ES", "MES", "MNQ", "NQ", "SI", "GC", "CL", "6E", "NO", "ZB"]


def test_a_root_that_is_known_is_not_asked_for_again(tmp_path: Path) -> None:
    with pytest.raises(UnknownRootError, match="'ES 2026' is no symbol of a known futures root") as caught:
        load_products(tmp_path).find("future_mbo", "ES 2026")
    assert "such as XYZ: {tick:" in caught.value.hint


def test_a_later_file_overrides_an_earlier_entry_as_a_whole(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lake.mkdir()
    write(
        lake / "products.yaml", 'ES: {tick: "0.5", multiplier: 5, currency: EUR}\nCL: {tick: "0.05", multiplier: 9}\n'
    )
    added = write(tmp_path / "mine.yaml", 'futures:\n  ES: {tick: "0.125", multiplier: 7}\n')
    es, cl = (load_products(lake, added).find("future_mbo", root) for root in ("ES", "CL"))
    assert (es.tick_int, es.multiplier, es.currency) == (125_000_000, 7.0, "USD")
    assert (cl.tick_int, cl.multiplier) == (50_000_000, 9.0)
    assert load_products(lake).find("future_mbo", "ES").currency == "EUR"
    assert find_product("future_mbo", "ES").tick_int == 250_000_000


def test_tickers(tmp_path: Path) -> None:
    write(
        tmp_path / "products.yaml",
        'tickers:\n  QQQ: {bucket: "0.20"}\n  BRK/B: {tick: "0.05"}\n  VOD: {currency: GBP, multiplier: 100}\n',
    )
    products = load_products(tmp_path)
    tick = 10_000_000
    assert products.find("equity_mbo", "qqq") == Product("QQQ", "equity_mbo", tick, 200_000_000, 1.0, 2)
    assert products.find("equity_mbo", "BRK.B") == Product("BRK.B", "equity_mbo", 5 * tick, None, 1.0, 2)
    assert products.find("equity_mbo", "VOD") == Product("VOD", "equity_mbo", tick, None, 100.0, 2, "GBP")
    assert products.find("equity_mbo", "SPY").bucket_int == 500_000_000
    assert products.find("equity_mbo", "VODX") == Product("VODX", "equity_mbo", tick, None, 1.0, 2)


@pytest.mark.parametrize(
    ("pattern", "covered", "others"),
    [
        ("ES", ["ESH6-ESM6", "ES:BF H6-M6-U6"], ["MESH6-MESM6"]),
        ("ESH6-ESM6", ["ESH6-ESM6", " esh6-esm6 "], ["ESM6-ESU6", "ES:BF H6-M6-U6"]),
        ("ES*-ES*", ["ESH6-ESM6", "ESM6-ESU6"], ["MESH6-MESM6", "ES:BF H6-M6-U6"]),
        ("ES:BF*", ["ES:BF H6-M6-U6"], ["ESH6-ESM6"]),
        ("ES?6-ES?6", ["ESH6-ESM6"], ["ESZ5-ESH6"]),
    ],
)
def test_spreads(tmp_path: Path, pattern: str, covered: list[str], others: list[str]) -> None:
    write(tmp_path / "products.yaml", f'spreads:\n  "{pattern}": {{tick: "0.05", bucket: "0.10"}}\n')
    products = load_products(tmp_path)
    for symbol in covered:
        spread = products.find("future_mbo", symbol)
        assert spread == Product("ES", "future_mbo", 50_000_000, 100_000_000, 50.0, 2)
    for symbol in others:
        spread = products.find("future_mbo", symbol)
        assert (spread.tick_int, spread.bucket_int, spread.tick_is_guessed) == (250_000_000, None, True)
    assert products.find("future_mbo", "ESH6") == find_product("future_mbo", "ESH6")


def test_of_several_patterns_the_users_goes_first_and_then_the_first_written(tmp_path: Path) -> None:
    write(tmp_path / "products.yaml", 'spreads:\n  ESH6-*: {tick: "0.05"}\n  ES: {tick: "0.10"}\n')
    added = write(tmp_path / "mine.yaml", 'spreads:\n  "*-ESM6": {tick: "0.01"}\n')
    lake, both = load_products(tmp_path), load_products(tmp_path, added)
    for symbol, of_lake, of_both in (("ESH6-ESM6", 5, 1), ("ESH6-ESU6", 5, 5), ("ESM6-ESU6", 10, 10)):
        assert lake.find("future_mbo", symbol).tick_int == of_lake * 10_000_000
        assert both.find("future_mbo", symbol).tick_int == of_both * 10_000_000


def test_a_file_that_was_changed_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "products.yaml", LINE)
    assert load_products(tmp_path).find("future_mbo", "ES").multiplier == 50
    write(path, LINE.replace("50", "60"))
    os.utime(path, ns=(1, 1))
    assert load_products(tmp_path).find("future_mbo", "ES").multiplier == 60


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
        (
            'ZB: {tick: "0.25", multiplier: 1, bucket: "0.3"}',
            "ZB has the bucket '0.3', expected a multiple of its tick",
        ),
        ('ZB: {tick: "0.25", multiplier: 1, bucket: 0}', "entry ZB has the bucket '0', expected a positive"),
        (
            'ZB: {tick: "0.25", multiplier: 1, name: x}',
            "entry ZB has an unknown field 'name', expected only tick, multi",
        ),
        ('ZB: {tick: "0.25", tick: "0.5", multiplier: 1}', "entry ZB has the field tick twice, expected each"),
        ("ZB: 0.25", "entry ZB has '0.25', expected fields"),
        ("ZB:", "entry ZB is empty, expected fields"),
        ("ZB: []", "entry ZB is empty, expected fields"),
        ('zb: {tick: "0.25", multiplier: 1}', "line 2 names the root 'zb', expected one to six capital letters"),
        ('../X: {tick: "0.25", multiplier: 1}', "line 2 names the root '../X', expected"),
        ('"": {tick: "0.25", multiplier: 1}', "line 2 names the root '', expected"),
        ('12: {tick: "0.25", multiplier: 1}', "line 2 names the root '12', expected"),
        ('? [A]\n: {tick: "0.25", multiplier: 1}', "line 2 names the root 'a collection', expected"),
        ("ZB: [0.25]", "entry ZB has 'a collection', expected fields"),
        ("ZB: {? {tick: 1} : 2}", "entry ZB has an unknown field 'a collection', expected only tick"),
        ("tickers: {BRK.B: {bucket: 1}, BRK B: {bucket: 2}}", "line 2: the entry BRK.B occurs a second time"),
        ('ES: {tick: "0.5", multiplier: 1}', "line 2: the entry ES occurs a second time, expected one"),
        ('futures:\n  ES: {tick: "0.5", multiplier: 1}', "line 3: the entry ES occurs a second time, expected one"),
        ("futures: ES", "line 2: the section futures holds no entries, expected one line a root"),
        ("spreads:", "line 2: the section spreads holds no entries, expected one line a spread"),
        ("tickers: {A: {tick: 1}}\ntickers: {B: {tick: 1}}", "line 3: the section tickers occurs a second time"),
        ("tickers:\n  qqq: {tick: 1}", "line 3 names the ticker 'qqq', expected a ticker in capitals"),
        ("tickers:\n  QQQ: {lot: 1}", "line 3: the entry QQQ has an unknown field 'lot'"),
        ("spreads:\n  ES: {bucket: 1}", "line 3: the entry ES has no field tick"),
        ("spreads:\n  ES: {tick: 1, multiplier: 5}", "line 3: the entry ES has an unknown field 'multiplier'"),
        ('spreads:\n  "ES[H]": {tick: 1}', r"line 3 names the spread 'ES\[H\]', expected a root or a symbol"),
        ("ZB: {", "no valid YAML: .*line 3"),
        ("- ZB", "no valid YAML"),
    ],
)
def test_bad_entries(tmp_path: Path, entry: str, said: str) -> None:
    path = write(tmp_path / "mine.yaml", f"{LINE}\n{entry}\n")
    with pytest.raises(ProductsFileError, match=said) as caught:
        load_products(tmp_path, path)
    assert caught.value.message.startswith(str(path))
    assert "An entry looks like this: " in caught.value.hint or "such as ES: {" in caught.value.hint
    assert (caught.value.code, caught.value.close_code, caught.value.exit_code) == ("bad_products_file", 1011, 1)


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "ES", "{}"])
def test_file_without_entries(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProductsFileError, match="holds no entries"):
        read_products(write(tmp_path / "products.yaml", text))


@pytest.mark.parametrize("text", ["[" * 50_000, "a: " + "{b: " * 20_000, "- " * 50_000])
def test_a_file_nested_without_end(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProductsFileError, match=r"nested too deeply|no valid YAML"):
        read_products(write(tmp_path / "products.yaml", text))


@pytest.mark.parametrize("entry", ["{0}", "{{? {0} : 1}}", "{{tick: {0}}}"])
def test_aliases_that_unfold_without_end_are_not_unfolded(tmp_path: Path, entry: str) -> None:
    doubled = ", ".join(f"&a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40))
    for value in (f"[&a0 [x], {doubled}]", "&a [*a]"):
        with pytest.raises(ProductsFileError) as caught:
            read_products(write(tmp_path / "products.yaml", f"ZB: {entry.format(value)}\n"))
        assert "'a collection'" in caught.value.message


def test_unreadable_files(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"ES: \xff")
    (tmp_path / "large.yaml").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    for name in ("missing.yaml", "latin.yaml", "large.yaml", "."):
        with pytest.raises(ProductsFileError, match="cannot be read"):
            load_products(None, tmp_path / name)


def test_a_lakes_own_file_may_be_missing_and_no_other(tmp_path: Path) -> None:
    assert load_products(tmp_path).futures == load_products().futures
    (tmp_path / "products.yaml").mkdir()
    with pytest.raises(ProductsFileError, match="cannot be read"):
        load_products(tmp_path)


def test_the_packages_own_file_is_of_the_form_that_it_describes(tmp_path: Path) -> None:
    text = package_file(CATALOGUE).read_text(encoding="utf-8")
    write(tmp_path / "products.yaml", text)
    assert load_products(tmp_path).futures == load_products().futures
