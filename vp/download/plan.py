"""What a command asks for, and which files that is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from vp.download.ledger import Want
from vp.errors import BadParameterError
from vp.lake.layout import place_of

ONE_DAY = dt.timedelta(days=1)
BASE = {"futures": "future_mbo", "equities": "equity_mbo"}
OPTION_SCHEMAS = {
    "futures": {"mbo": "future_option_mbo", "statistics": "future_option_mbo"},
    "equities": {"cmbp-1": "equity_option_cmbp_1", "statistics": "equity_option_statistics"},
}
BASE_SCHEMAS = ("mbo",)
DEFINITIONS = {"futures": "future_option_mbo", "equities": "equity_option_cmbp_1"}
PRODUCT_TYPES = {
    "futures": ("future_mbo", "future_option_mbo"),
    "equities": ("equity_mbo", "equity_option_cmbp_1", "equity_option_statistics"),
}


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line.

    Attributes
    ----------
    program : str
        futures or equities.
    start, end : datetime.date
        Session dates, both included.
    symbols : tuple of str
        Futures roots or tickers.
    base_schemas, option_schemas : tuple of str
    """

    program: str
    start: dt.date
    end: dt.date
    symbols: tuple[str, ...]
    base_schemas: tuple[str, ...]
    option_schemas: tuple[str, ...]

    def dates(self) -> list[dt.date]:
        """Every day of the calendar, ascending."""
        return [self.start + ahead * ONE_DAY for ahead in range((self.end - self.start).days + 1)]

    def base_wants(self) -> list[Want]:
        """Files of futures or equities themselves."""
        places = [place_of(BASE[self.program], schema) for schema in self.base_schemas]
        return [Want(place, symbol, date) for date in self.dates() for symbol in self.symbols for place in places]

    def option_wants(self) -> list[Want]:
        """Files of options."""
        kinds = OPTION_SCHEMAS[self.program]
        places = [place_of(kinds[schema], schema) for schema in self.option_schemas]
        return [Want(place, symbol, date) for date in self.dates() for symbol in self.symbols for place in places]

    def definition_want(self, want: Want) -> Want:
        """The file of definitions that the contracts of options are chosen from."""
        return Want(place_of(DEFINITIONS[self.program], "definition"), want.symbol, want.date)


def check_schemas(program: str, option: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Raise BadParameterError for a schema that the lake has no place for."""
    for schema in given:
        if schema not in known:
            raise BadParameterError(
                f"{option} names {schema!r}, expected {' or '.join(known)} for {program}.",
                hint=f"For example {option} {','.join(known)}.",
            )
