"""The products that VP serves: futures by their root, out of products.yaml, and equities by their ticker."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vp.errors import ProductsFileError, UnknownProductTypeError, UnknownRootError, UnknownSymbolError
from vp.market.symbols import canonical_ticker
from vp.package_files import package_file

if TYPE_CHECKING:
    import yaml

PRODUCT_TYPES = ("future_mbo", "equity_mbo")
PRICE_UNITS = 1_000_000_000
EQUITY_TICK_INT = 10_000_000
EQUITY_BUCKET_INT = 500_000_000
CATALOGUE = "market/products.yaml"

# What may follow a root, all in capitals. Symbols reach paths and messages, so nothing else is let through.
CONTRACT = r"[FGHJKMNQUVXZ][0-9]{1,2}"
OUTRIGHT = re.compile(CONTRACT)
SPREAD = re.compile(rf"{CONTRACT}(-[A-Z0-9]{{1,6}}{CONTRACT})+|:[A-Z0-9]+([ .\-][A-Z0-9]+)*")
VENUE_OUTRIGHT = re.compile(r" F[A-Z]{2}[0-9]{2,4}[A-Z0-9_\-]*!?")  # ICE: BRN FMH0026!
CONTINUOUS = re.compile(r"\.[CNV]\.[0-9]+")
PARENT = re.compile(r"\.FUT")
FUTURE_FORMS = (OUTRIGHT, SPREAD, VENUE_OUTRIGHT, CONTINUOUS, PARENT)
TICKER = re.compile(r"[A-Z0-9]{1,10}([.\-][A-Z0-9]{1,4})*[+=^#]?")
MAX_TICKER = 16

ROOT_FORM = re.compile(r"(?=.*[A-Z])[A-Z0-9]{1,6}")
TICK_FORM = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
MULTIPLIER_FORM = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
CURRENCY_FORM = re.compile(r"[A-Z]{3}")
FIELD_FORMS = {"tick": TICK_FORM, "multiplier": MULTIPLIER_FORM, "currency": CURRENCY_FORM}
EXPECTED = {
    "tick": 'a positive decimal number of at most nine decimal places in quotes, such as "0.25"',
    "multiplier": "a positive number such as 50",
    "currency": "three capital letters such as USD",
}
ENTRY_EXAMPLE = 'ES: {tick: "0.25", multiplier: 50}'


@dataclass(frozen=True)
class Product:
    """A futures root or an equity ticker.

    Attributes
    ----------
    root : str
        The futures root or the ticker, in capitals; the lake's directories are named by it.
    product_type : str
        One of PRODUCT_TYPES.
    tick_int, bucket_int : int
        Smallest price step and width of a price bucket, in 1e-9 units of the currency.
    multiplier : float
        What a move of 1.0 in the price is worth, in the currency.
    decimals : int
        Decimal places that a price needs to be printed.
    currency : str
    """

    root: str
    product_type: str
    tick_int: int
    bucket_int: int
    multiplier: float
    decimals: int
    currency: str = "USD"


def find_product(product_type: str, symbol: str) -> Product:
    """Find the product that a symbol belongs to.

    Parameters
    ----------
    product_type : str
        One of PRODUCT_TYPES.
    symbol : str
        Futures: a contract (MNQH6, NGN25, BRN FMH0026!), a spread (ESH4-ESM4), a bare root (MNQ), a parent
        (MNQ.FUT) or a continuous name (MNQ.v.0). Equities: a ticker (QQQ, BRK.B, BRK B, BRK/B). Small letters and
        spaces around it are forgiven.

    Raises
    ------
    UnknownProductTypeError
        The message lists the served ones.
    UnknownRootError
        No future of products.yaml has a symbol of this form; the message lists the known roots.
    UnknownSymbolError
        No ticker has this form.
    ProductsFileError
        products.yaml cannot be understood.
    """
    if product_type not in PRODUCT_TYPES:
        raise UnknownProductTypeError(
            f"The product type {product_type!r} is not served; served are {', '.join(PRODUCT_TYPES)}.",
            hint=f"{_suggestion(product_type.strip().lower(), PRODUCT_TYPES)}Choose one of the served ones.",
        )
    return _equity(symbol) if product_type == "equity_mbo" else _find_future(symbol)


def canonical_symbol(product: Product, symbol: str) -> str:
    """`symbol` as files write it: MNQH6 for mnqh6, MNQ.v.0 for mnq.V.0, BRK.B for brk/b."""
    if product.product_type == "equity_mbo":
        return canonical_ticker(symbol)
    text = symbol.strip().upper()
    rest = text.removeprefix(product.root)
    return product.root + rest.lower() if CONTINUOUS.fullmatch(rest) else text


def is_contract(product: Product, symbol: str) -> bool:
    """Whether `symbol` names one instrument: always for equities, not for a bare root, parent or continuous name."""
    if product.product_type == "equity_mbo":
        return True
    rest = symbol.strip().upper().removeprefix(product.root)
    return bool(rest) and not any(form.fullmatch(rest) for form in (CONTINUOUS, PARENT))


def _equity(symbol: str) -> Product:
    ticker = canonical_ticker(symbol)
    if not TICKER.fullmatch(ticker) or len(ticker) > MAX_TICKER:
        raise UnknownSymbolError(
            f"{symbol[:40]!r} is no ticker: expected letters and digits, with . or - between them.",
            hint="For example QQQ or BRK.B.",
        )
    return Product(ticker, "equity_mbo", EQUITY_TICK_INT, EQUITY_BUCKET_INT, 1.0, 2)


def _find_future(symbol: str) -> Product:
    futures = load_futures()
    text = symbol.strip().upper()
    begins_with = [root for root in sorted(futures, key=len, reverse=True) if text.startswith(root)]
    for root in begins_with:
        rest = text.removeprefix(root)
        if not rest or any(form.fullmatch(rest) for form in FUTURE_FORMS):
            return futures[root]
    known = f"known are {', '.join(futures)}"
    if begins_with:
        root = begins_with[0]
        raise UnknownRootError(
            f"{symbol[:40]!r} is no symbol of a known futures root; {known}.",
            hint=f"Expected {root}, a contract such as {root}H6 (a month letter of FGHJKMNQUVXZ and one or two digits "
            f"of the year) or a continuous name such as {root}.v.0; a new root goes into vp/{CATALOGUE}.",
        )
    guess = re.sub(rf"({CONTRACT}|[.\-:].*)$", "", text)
    raise UnknownRootError(
        f"{symbol[:40]!r} begins with no known futures root; {known}.",
        hint=f"{_suggestion(guess, tuple(futures))}A new root goes into vp/{CATALOGUE}.",
    )


def _suggestion(text: str, known: tuple[str, ...]) -> str:
    import difflib  # noqa: PLC0415 - only a mistake needs it

    near = difflib.get_close_matches(text, known, n=1)
    return f"Did you mean {near[0]}? " if near else ""


@cache
def load_futures() -> dict[str, Product]:
    """The futures of products.yaml by root, in the file's order.

    Raises
    ------
    ProductsFileError
        The file or an entry is not of the expected form; the message names the entry and the field.
    """
    return read_futures(package_file(CATALOGUE))


def read_futures(path: Path) -> dict[str, Product]:
    """Futures by root out of a file of the form of products.yaml; raises as `load_futures` does."""
    import yaml  # noqa: PLC0415 - only futures need it, and --help does not

    try:
        # The nodes instead of the values: a tick stays the text it is (no float, exact), a root `NO` is no
        # boolean, and an entry that occurs twice is seen.
        document = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError) as error:
        raise ProductsFileError(f"{path.name} cannot be read: {error}.", hint="Install the package anew.") from error
    except yaml.YAMLError as error:
        raise ProductsFileError(
            f"{path.name} is no valid YAML: {' '.join(str(error).split())}.",
            hint=f"Expected one line a root, such as {ENTRY_EXAMPLE}.",
        ) from error
    if not isinstance(document, yaml.MappingNode) or not document.value:
        raise ProductsFileError(f"{path.name} holds no entries.", hint=f"Expected lines such as {ENTRY_EXAMPLE}.")
    futures: dict[str, Product] = {}
    for key, value in document.value:
        line = f"{path.name}, line {key.start_mark.line + 1}"
        root = str(key.value)
        if not ROOT_FORM.fullmatch(root):
            _refuse(line, f"names the root {root!r}", "one to six capital letters and digits such as ES or 6E")
        entry = f"{line}: the entry {root}"
        if root in futures:
            _refuse(entry, "occurs a second time", "one entry a root")
        futures[root] = _future(root, value, entry)
    return futures


def _future(root: str, entry: yaml.Node, where: str) -> Product:
    import yaml  # noqa: PLC0415

    fields: dict[str, str] = {}
    if not isinstance(entry, yaml.MappingNode):
        _refuse(where, f"has {entry.value!r}" if entry.value else "is empty", "fields")
    for key, value in entry.value:
        name = str(key.value)
        if name not in FIELD_FORMS:
            _refuse(where, f"has an unknown field {name!r}", f"only {', '.join(FIELD_FORMS)}")
        if name in fields:
            _refuse(where, f"has the field {name} twice", "each field once")
        fields[name] = value.value if isinstance(value, yaml.ScalarNode) else "a collection"
    values = {"currency": "USD"} | fields
    for name, form in FIELD_FORMS.items():
        if name not in values:
            _refuse(where, f"has no field {name}", EXPECTED[name])
        if not form.fullmatch(values[name]) or (name != "currency" and Decimal(values[name]) == 0):
            _refuse(where, f"has the {name} {values[name]!r}", EXPECTED[name])
    tick_int = int(Decimal(values["tick"]) * PRICE_UNITS)
    multiplier = float(values["multiplier"])
    return Product(root, "future_mbo", tick_int, tick_int, multiplier, decimals_of(tick_int), values["currency"])


def decimals_of(tick_int: int) -> int:
    """Decimal places that a multiple of a tick, in 1e-9 units, needs: 2 for 0.25, 5 for 0.00005."""
    return next(places for places in range(10) if tick_int % 10 ** (9 - places) == 0)


def _refuse(where: str, what: str, expected: str) -> NoReturn:
    raise ProductsFileError(f"{where} {what}, expected {expected}.", hint=f"An entry looks like this: {ENTRY_EXAMPLE}.")
