"""Where raw files of each source, product type and symbol lie in a lake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from vp.errors import LakeError, quoted
from vp.lake.directories import names_in, symbol_of_directory
from vp.lake.inputs import SOURCES
from vp.lake.layout import LAYOUT, Place, place_of
from vp.lake.seen import Seen

SYMBOL_FORM = re.compile(r"[A-Z0-9][A-Z0-9.\-+=^#]*")


class RawDirectories:
    """The directories under a lake's `raw`.

    Parameters
    ----------
    root : Path
        The lake's.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def product(self, source: str, product_type: str) -> Path:
        """The directory of a source's files of a product type, which has one for each symbol."""
        return self._root / "raw" / f"source={source}" / f"product_type={product_type}"

    def table(self, source: str, product_type: str, symbol: str, place: Place | None = None) -> Path:
        """The directory of a symbol's files of a kind, of market-by-order records unless told; raises LakeError."""
        known = {known.product_type for known in LAYOUT}
        if product_type not in known or not SYMBOL_FORM.fullmatch(symbol):  # find_product makes none such
            raise LakeError(
                f"The lake has no directory for the symbol {quoted(symbol)} of {quoted(product_type)}.",
                hint="Expected a served product type and a root or ticker in capitals.",
            )
        table = (place or place_of(product_type, "mbo")).table
        return self.product(source, product_type) / f"symbol={symbol}" / f"table={table}"

    def tables(
        self, product_type: str, symbol: str, place: Place | None = None, seen: Seen | None = None
    ) -> Iterator[tuple[str, Path]]:
        """Each source with the directories of a root or ticker, however these spell it: BRK.B, BRK B, BRK%2FB."""
        for source in SOURCES:
            directory = self.table(source, product_type, symbol, place)
            yield source, directory
            if "." not in symbol:  # it has one spelling
                continue
            for name in names_in(self.product(source, product_type), seen):
                if name != f"symbol={symbol}" and symbol_of_directory(name) == symbol:
                    yield source, directory.parent.with_name(name) / directory.name
