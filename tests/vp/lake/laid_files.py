"""Files laid into a lake of a test."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.places import ROOT
from vp.market.products import Product, find_product

MNQ = find_product("future_mbo", "MNQH6")
QQQ = find_product("equity_mbo", "QQQ")
DATE = dt.date(2026, 2, 6)
FILE = "glbx-mdp3-20260206.mbo.dbn"
README = ROOT / "lake" / "README.md"


def table(lake: Path, product: Product = MNQ, source: str = "databento") -> Path:
    """The directory of a product's raw files, made."""
    directory = lake / f"raw/source={source}/product_type={product.product_type}/symbol={product.root}"
    directory = directory / "table=market_by_order_dbn"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def put(directory: Path, *names: str) -> None:
    for name in names:
        (directory / name).write_bytes(b"DBN")
