"""Which kinds of data the lake keeps, and where each of them lies."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from vp.errors import LakeError, quoted

ENDINGS = (".dbn", ".dbn.zst")
DEFINITION_TABLE = "table=definition"


@dataclass(frozen=True)
class Place:
    """One kind of data.

    Attributes
    ----------
    product_type : str
        As the lake's directories name it.
    schema : str
        Databento's name of the records: mbo, statistics.
    table : str
        As the lake's directories name it.
    dataset : str
        Databento's code, of which files come: GLBX.MDP3.
    """

    product_type: str
    schema: str
    table: str
    dataset: str

    @property
    def file_dataset(self) -> str:
        """The dataset as file names write it: glbx-mdp3."""
        return self.dataset.lower().replace(".", "-")

    def file_name(self, date: dt.date, *, compressed: bool = True) -> str:
        """The name of the file of a session date."""
        return f"{self.file_dataset}-{date:%Y%m%d}.{self.schema}{ENDINGS[compressed]}"


FUTURES, EQUITIES, OPTIONS = "GLBX.MDP3", "XNAS.ITCH", "OPRA.PILLAR"
LAYOUT = (
    Place("future_mbo", "mbo", "market_by_order_dbn", FUTURES),
    Place("future_option_mbo", "mbo", "market_by_order_dbn", FUTURES),
    Place("future_option_mbo", "statistics", "statistics", FUTURES),
    Place("future_option_mbo", "definition", "definition", FUTURES),
    Place("equity_mbo", "mbo", "market_by_order_dbn", EQUITIES),
    Place("equity_option_cmbp_1", "cmbp-1", "cmbp_1", OPTIONS),
    Place("equity_option_cmbp_1", "definition", "definition", OPTIONS),
    Place("equity_option_statistics", "statistics", "statistics", OPTIONS),
)


FUTURES_VENUES = ("GLBX", "IFEU", "IFLL", "IFUS", "NDEX", "XEEE", "XEUR", "VP")  # VP.GENERATED is the demonstration


def is_futures_dataset(dataset: str) -> bool:
    """Whether a dataset, by Databento's code, is of a venue of futures; all others are taken for equities."""
    return dataset.upper().partition(".")[0] in FUTURES_VENUES


def place_of(product_type: str, schema: str) -> Place:
    """The place of a kind of data; raises LakeError where the lake has none."""
    for place in LAYOUT:
        if (place.product_type, place.schema) == (product_type, schema):
            return place
    known = ", ".join(f"{place.product_type} {place.schema}" for place in LAYOUT)
    raise LakeError(
        f"The lake has no place for the schema {quoted(schema)} of {quoted(product_type)}.",
        hint=f"Expected one of: {known}.",
    )


def note_path(raw: Path) -> Path:
    """The note beside a downloaded file, which tells its condition and origin."""
    return raw.with_name(f"{raw.name.removesuffix('.zst')}.json")


def definition_directories(directory: Path) -> tuple[Path, Path]:
    """Where the definitions of raw files in a directory lie: beside them, or in the table beside theirs."""
    above = directory / ".." if directory.name in {"", ".."} else directory.parent  # no name: where the program runs
    return directory, above / DEFINITION_TABLE
