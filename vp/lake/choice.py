"""The session that is meant where its name leaves something out that the lake leaves no choice about."""

from __future__ import annotations

from dataclasses import dataclass

from vp.errors import BadParameterError, NoRawFileError, RequestError
from vp.lake.lake import LISTED_DATES, Lake, listed
from vp.market.products import PRODUCT_TYPES, Product
from vp.market.session_hours import parse_dates

EXAMPLE = "For example --symbol MNQH6 --dt 2026-02-06."


@dataclass(frozen=True)
class SessionChoice:
    """A session's product type, symbol and date, all of them known.

    Attributes
    ----------
    product_type, symbol, dt : str
    found : tuple of str
        What was left out and has been found, as a person reads it: `the date 2026-02-06`.
    """

    product_type: str
    symbol: str
    dt: str
    found: tuple[str, ...] = ()


def choose(lake: Lake, product_type: str | None, symbol: str | None, dt: str | None) -> SessionChoice:
    """Find what is left out of a session's name.

    The symbol can be left out where a file is played that holds one contract; the product type where the lake holds
    files of the symbol for one; the date where it holds one date.

    Raises
    ------
    BadParameterError
        There is more than one; the hint lists them.
    RequestError
        There is none, or what is given names nothing.
    LakeError
    """
    found = []
    if symbol is None:
        symbol = _only_symbol(lake, dt)
        found.append(f"the symbol {symbol}")
    product = _only_product(lake, product_type, symbol, dt)
    if product_type is None:
        found.append(f"the product type {product.product_type}")
    if dt is None:
        dt = _only_date(lake, product)
        found.append(f"the date {dt}")
    return SessionChoice(product.product_type, symbol, dt, tuple(found))


def _only_symbol(lake: Lake, dt: str | None) -> str:
    lone = lake.lone_file
    if lone is None:
        missing = "symbol is" if dt is not None else "symbol and dt are"
        raise BadParameterError(f"The session is named in part: {missing} missing.", hint=EXAMPLE)
    if len(lone.contracts) == 1:
        return lone.contracts[0]
    for name in lone.unknown:
        lake.products.find(
            lone.product_type, name
        )  # says what is wrong with it, and which line of products.yaml it needs
    if not lone.contracts:
        raise BadParameterError(
            f"{lone.raw.path} does not say which contract it holds.", hint="Name it, for example --symbol AAPL."
        )
    raise BadParameterError(
        f"{lone.raw.path} holds several contracts: {listed(lone.contracts)}.",
        hint=f"Choose one, for example --symbol {lone.contracts[0]}.",
    )


def _only_product(lake: Lake, product_type: str | None, symbol: str, dt: str | None) -> Product:
    """The product whose files the lake holds; of the date, if there are several and it is given."""
    held: list[tuple[Product, list[str]]] = []
    first: RequestError | None = None
    kinds = PRODUCT_TYPES if lake.lone_file is None else (lake.lone_file.product_type,)
    for kind in kinds if product_type is None else (product_type,):
        try:
            product = lake.products.find(kind, symbol)
        except RequestError as error:
            first = first or error
            continue
        dates = [str(date) for date in lake.dates(product)]
        if dates or product_type is not None:
            held.append((product, dates))
        else:
            first = _nothing_of(lake, product)
    if not held:
        assert first is not None
        raise first
    if len(held) > 1:
        asked = [] if dt is None else [str(date) for date in (parse_dates(dt).first, parse_dates(dt).last)]
        of_date = [one for one in held if set(asked) & set(one[1])]
        held = of_date or held
    if len(held) > 1:
        names = " and ".join(product.product_type for product, _ in held)
        raise BadParameterError(
            f"{symbol} can be {names}; the lake holds files of both.",
            hint=f"Choose one, for example --product-type {held[0][0].product_type}.",
        )
    return held[0][0]


def _nothing_of(lake: Lake, product: Product) -> NoRawFileError:
    lone = lake.lone_file
    if lone is None:
        return NoRawFileError(
            f"There is no raw file of {product.root} for any date under {lake.root}.",
            hint="`vp lake list` shows what there is; --lake or VP_LAKE chooses another lake.",
        )
    if not lone.dates:
        return NoRawFileError(
            f"{lone.raw.path} holds no market-by-order records.", hint="Choose a file that holds some."
        )
    held = listed(f"{kind} {root}" for kind, root in lone.products) or "nothing that it names"
    return NoRawFileError(
        f"{lone.raw.path} holds nothing of {product.root}; it holds {held}.",
        hint="Leave --symbol out or choose a symbol that it holds.",
    )


def _only_date(lake: Lake, product: Product) -> str:
    dates = lake.dates(product)
    where = lake.root if lake.lone_file is None else lake.lone_file.raw.path
    if not dates:
        raise NoRawFileError(f"There is no raw file of {product.root} for any date in {where}.", hint=EXAMPLE)
    if len(dates) > 1:
        newest = ", ".join(str(date) for date in dates[-LISTED_DATES:])
        newest = newest if len(dates) <= LISTED_DATES else f"{len(dates)} dates, the last of them {newest}"
        raise BadParameterError(
            f"The session's date is missing; {where} has {product.root} on {newest}.",
            hint=f"Choose one, for example --dt {dates[-1]}.",
        )
    return str(dates[0])
