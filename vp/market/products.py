"""The products that VP serves: futures by their root, equities by their ticker, spreads by their root and pattern."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass, replace
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path

from vp.errors import UnknownProductTypeError, UnknownRootError, UnknownSymbolError, quoted
from vp.market.products_file import FUTURES, ROOT_FORM, Entries, Entry, read_products
from vp.market.symbols import canonical_ticker
from vp.package_files import package_file

PRODUCT_TYPES = ("future_mbo", "equity_mbo")
EQUITY_TICK_INT = 10_000_000
CATALOGUE = "market/products.yaml"
LAKE_FILE = "products.yaml"

# What may follow a root, all in capitals. Symbols reach paths and messages, so nothing else is let through.
CONTRACT = r"[FGHJKMNQUVXZ][0-9]{1,2}"
OUTRIGHT = re.compile(CONTRACT)
SPREAD = re.compile(rf"{CONTRACT}(-[A-Z0-9]{{1,6}}{CONTRACT})+|:[A-Z0-9]+([ .\-][A-Z0-9]+)*")
ICE_OUTRIGHT = re.compile(r" F[A-Z]{2}[0-9]{2,4}[A-Z0-9_\-]*!?")  # BRN FMH0026!
EUREX_OUTRIGHT = re.compile(r" S[A-Z] [0-9]{8} [CP]S")  # FDAX SI 20260320 CS, settled in cash or physically
CONTINUOUS = re.compile(r"\.[CNV]\.[0-9]+")
PARENT = re.compile(r"\.FUT")
OF_THE_ROOT = (OUTRIGHT, ICE_OUTRIGHT, EUREX_OUTRIGHT, CONTINUOUS, PARENT)
TICKER = re.compile(r"[A-Z0-9]{1,10}([.\-][A-Z0-9]{1,4})*[+=^#]?")
MAX_TICKER = 16


@dataclass(frozen=True)
class Product:
    """What a symbol is traded as, as far as the symbol alone tells.

    Attributes
    ----------
    root : str
        The futures root or the ticker, in capitals; the lake's directories are named by it.
    product_type : str
        One of PRODUCT_TYPES.
    tick_int : int
        Smallest price step, in 1e-9 units of the currency.
    bucket_int : int or None
        Width of a price bucket, in 1e-9 units; None where prices of the input decide (vp.market.price_scale).
    multiplier : float
        What a move of 1.0 in the price is worth, in the currency.
    decimals : int
        Decimal places that a price needs to be printed.
    currency : str
        Three letters.
    tick_is_guessed : bool
        Whether the tick is that of a spread's legs, because nothing states its own.
    """

    root: str
    product_type: str
    tick_int: int
    bucket_int: int | None
    multiplier: float
    decimals: int
    currency: str = "USD"
    tick_is_guessed: bool = False


class Products:
    """The products that can be asked for.

    Parameters
    ----------
    *layers : Entries
        What files say; a later one adds to the earlier and overrides their entries, each as a whole.
    lake_file : str
        Where a user adds a product, as errors name it.
    """

    def __init__(self, *layers: Entries, lake_file: str = f"{LAKE_FILE} in the lake's root") -> None:
        self._tickers: dict[str, Entry] = {}
        self._spreads: dict[str, Entry] = {}
        self._futures: dict[str, Entry] = {}
        for layer in layers:
            self._futures |= layer.futures
            self._tickers |= layer.tickers
            self._spreads = layer.spreads | {k: v for k, v in self._spreads.items() if k not in layer.spreads}
        self._lake_file = lake_file

    @cached_property
    def futures(self) -> dict[str, Product]:
        """The futures by root, in the files' order."""
        return {root: _future(root, entry) for root, entry in self._futures.items()}

    def find(self, product_type: str, symbol: str) -> Product:
        """Find the product that a symbol belongs to.

        Parameters
        ----------
        product_type : str
            One of PRODUCT_TYPES.
        symbol : str
            Futures: a contract (MNQH6, NGN25, BRN FMH0026!, FDAX SI 20260320 CS), a spread (ESH4-ESM4), a bare root
            (MNQ), a parent (MNQ.FUT) or a continuous name (MNQ.v.0). Equities: a ticker (QQQ, BRK.B, BRK B, BRK/B).
            Small letters and spaces around it are forgiven.

        Raises
        ------
        UnknownProductTypeError
            The message lists the served ones.
        UnknownRootError
            No future has a symbol of this form; the message lists the known roots and the line to add.
        UnknownSymbolError
            No ticker has this form.
        """
        if product_type not in PRODUCT_TYPES:
            raise UnknownProductTypeError(
                f"The product type {quoted(product_type)} is not served; served are {', '.join(PRODUCT_TYPES)}.",
                hint=f"{_suggestion(product_type.strip().lower(), PRODUCT_TYPES)}Choose one of the served ones.",
            )
        return self._find_equity(symbol) if product_type == "equity_mbo" else self._find_future(symbol)

    def of_contract(self, product: Product, name: str) -> Product:
        """`product` for one of its contracts: of a spread with its own tick, or with that of its legs as a guess.

        A name of another form than those of outrights and spreads, as user-defined strategies have it, is a spread's.
        """
        rest = name.removeprefix(product.root)
        if product.product_type == "equity_mbo" or name.isdigit() or _is_of_the_root(rest.upper()):
            return product
        return self._spread(self.futures[product.root], name)

    def spread_entries(self) -> list[tuple[object, ...]]:
        """The entries of spreads in the order in which they are tried, each with its pattern."""
        return [(pattern, *astuple(entry)) for pattern, entry in self._spreads.items()]

    def _find_equity(self, symbol: str) -> Product:
        ticker = canonical_ticker(symbol)
        if not TICKER.fullmatch(ticker) or len(ticker) > MAX_TICKER:
            raise UnknownSymbolError(
                f"{symbol[:40]!r} is no ticker: expected letters and digits, with . or - between them.",
                hint="For example QQQ or BRK.B.",
            )
        entry = self._tickers.get(ticker, Entry(None, None, 1.0, "USD"))
        tick_int = entry.tick_int or EQUITY_TICK_INT
        return Product(
            ticker, "equity_mbo", tick_int, entry.bucket_int, entry.multiplier, decimals_of(tick_int), entry.currency
        )

    def _find_future(self, symbol: str) -> Product:
        text = symbol.strip().upper()
        begins_with = [root for root in sorted(self.futures, key=len, reverse=True) if text.startswith(root)]
        for root in begins_with:
            rest = text.removeprefix(root)
            if SPREAD.fullmatch(rest):
                return self._spread(self.futures[root], text)
            if _is_of_the_root(rest):
                return self.futures[root]
        known = f"known are {', '.join(self.futures)}"
        guess = re.sub(rf"{CONTRACT}$", "", re.split(r"[.\-: ]", text)[0])
        line = FUTURES.example.replace(
            "ES", guess if ROOT_FORM.fullmatch(guess) and guess not in self.futures else "XYZ", 1
        )
        add = f"A new root is a line such as {line}, with its own tick and multiplier, in {self._lake_file} or a file "
        if begins_with:
            root = begins_with[0]
            raise UnknownRootError(
                f"{symbol[:40]!r} is no symbol of a known futures root; {known}.",
                hint=f"Expected {root}, a contract such as {root}H6 (a month letter of FGHJKMNQUVXZ and one or two "
                f"digits of the year) or a continuous name such as {root}.v.0. {add}given with --products.",
            )
        raise UnknownRootError(
            f"{symbol[:40]!r} begins with no known futures root; {known}.",
            hint=f"{_suggestion(guess, tuple(self.futures))}{add}given with --products.",
        )

    def _spread(self, root: Product, symbol: str) -> Product:
        for pattern, entry in self._spreads.items():
            if pattern == root.root or fnmatchcase(symbol, pattern):
                assert entry.tick_int is not None  # products_file asks for it
                tick_int, bucket_int = entry.tick_int, entry.bucket_int or entry.tick_int
                return replace(root, tick_int=tick_int, bucket_int=bucket_int, decimals=decimals_of(tick_int))
        return replace(root, bucket_int=None, tick_is_guessed=True)


def load_products(lake: Path | None = None, added: Path | None = None) -> Products:
    """The products of the package, of the lake's own file, where it has one, and of a file of the user's.

    Parameters
    ----------
    lake : Path, optional
        The root of the lake.
    added : Path, optional
        Of the form of products.yaml.

    Raises
    ------
    ProductsFileError
        One of them cannot be understood, or `added` is not there.
    """
    layers = [read_products(package_file(CATALOGUE))]
    if lake is not None and (lake / LAKE_FILE).exists():
        layers.append(read_products(lake / LAKE_FILE))
    if added is not None:
        layers.append(read_products(added))
    return Products(*layers, lake_file=f"{LAKE_FILE} in the lake's root" if lake is None else str(lake / LAKE_FILE))


@cache
def _packaged() -> Products:
    return load_products()


def find_product(product_type: str, symbol: str) -> Product:
    """As `Products.find`, among the products of the package alone."""
    return _packaged().find(product_type, symbol)


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


def _is_of_the_root(rest: str) -> bool:
    """Whether what follows a root makes an outright, or names several of them: their tick is the root's."""
    return not rest or any(form.fullmatch(rest) for form in OF_THE_ROOT)


def _future(root: str, entry: Entry) -> Product:
    assert entry.tick_int is not None  # products_file asks for it
    bucket_int = entry.bucket_int or entry.tick_int
    decimals = decimals_of(entry.tick_int)
    return Product(root, "future_mbo", entry.tick_int, bucket_int, entry.multiplier, decimals, entry.currency)


def _suggestion(text: str, known: tuple[str, ...]) -> str:
    import difflib  # noqa: PLC0415 - only a mistake needs it

    near = difflib.get_close_matches(text, known, n=1)
    return f"Did you mean {near[0]}? " if near else ""


def decimals_of(tick_int: int) -> int:
    """Decimal places that a multiple of a tick, in 1e-9 units, needs: 2 for 0.25, 5 for 0.00005."""
    return next(places for places in range(10) if tick_int % 10 ** (9 - places) == 0)
