"""Files of products: what a products.yaml says of futures, tickers and spreads, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vp.errors import ProductsFileError
from vp.files import read_bounded
from vp.market.symbols import canonical_ticker

if TYPE_CHECKING:
    import yaml

PRICE_UNITS = 1_000_000_000
MAX_FILE_BYTES = 1 << 20

ROOT_FORM = re.compile(r"(?=.*[A-Z])[A-Z0-9]{1,6}")
TICKER_FORM = re.compile(r"[A-Z0-9][A-Z0-9 ./+=^#\-]{0,30}")
SPREAD_FORM = re.compile(r"[A-Z0-9*?][A-Z0-9*?:. \-]{0,39}")
PRICE_FORM = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
MULTIPLIER_FORM = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
CURRENCY_FORM = re.compile(r"[A-Z]{3}")
FIELD_FORMS = {"tick": PRICE_FORM, "multiplier": MULTIPLIER_FORM, "bucket": PRICE_FORM, "currency": CURRENCY_FORM}
PRICE_EXPECTED = "a positive decimal number of at most nine decimal places in quotes, such as"
EXPECTED = {
    "tick": f'{PRICE_EXPECTED} "0.25"',
    "multiplier": "a positive number such as 50",
    "bucket": f'{PRICE_EXPECTED} "0.50"',
    "currency": "three capital letters such as USD",
}


@dataclass(frozen=True)
class Section:
    """One kind of product in the file: what its keys look like, and which fields an entry has."""

    name: str
    key: str
    form: re.Pattern[str]
    form_expected: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    example: str


FUTURES = Section(
    "futures",
    "root",
    ROOT_FORM,
    "one to six capital letters and digits such as ES or 6E",
    ("tick", "multiplier"),
    ("bucket", "currency"),
    'ES: {tick: "0.25", multiplier: 50}',
)
TICKERS = Section(
    "tickers",
    "ticker",
    TICKER_FORM,
    "a ticker in capitals such as QQQ or BRK.B",
    (),
    ("tick", "multiplier", "bucket", "currency"),
    'QQQ: {bucket: "0.50"}',
)
SPREADS = Section(
    "spreads",
    "spread",
    SPREAD_FORM,
    "a root or a symbol in capitals, where * stands for any letters, such as ES, ESH6-ESM6 or ES*-ES*",
    ("tick",),
    ("bucket",),
    'ES: {tick: "0.05"}',
)
SECTIONS = {section.name: section for section in (FUTURES, TICKERS, SPREADS)}


@dataclass(frozen=True)
class Entry:
    """What a file says of one product; None: nothing. Prices in 1e-9 units of the currency."""

    tick_int: int | None
    bucket_int: int | None
    multiplier: float
    currency: str


@dataclass(frozen=True)
class Entries:
    """What a file says, by root, ticker and pattern of spreads, each in the file's order."""

    futures: dict[str, Entry] = field(default_factory=dict)
    tickers: dict[str, Entry] = field(default_factory=dict)
    spreads: dict[str, Entry] = field(default_factory=dict)


def read_products(path: Path) -> Entries:
    """What a file says of products; of one that has not changed since, without reading it again.

    Raises
    ------
    ProductsFileError
        The file cannot be read, or an entry is not of the expected form; the message names file, line and field.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16)
def _read(path: Path, _mtime_ns: int, _size_bytes: int) -> Entries:
    import yaml  # noqa: PLC0415 - --help does not need it

    try:
        text = read_bounded(path, MAX_FILE_BYTES).decode("utf-8")
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"byte {error.start} is no UTF-8") from error
    hint = f"Expected one line a product, such as {FUTURES.example}."
    try:
        # The nodes instead of the values: a tick stays the text it is (no float, exact), a root `NO` is no
        # boolean, and an entry that occurs twice is seen.
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError) as error:
        raise ProductsFileError(f"{path} is no valid YAML: {' '.join(str(error).split())}.", hint=hint) from error
    except RecursionError:
        raise ProductsFileError(f"{path} is nested too deeply, expected two or three levels.", hint=hint) from None
    if not isinstance(document, yaml.MappingNode) or not document.value:
        raise ProductsFileError(f"{path} holds no entries.", hint=hint)
    found = Entries()
    for section, key, value, line in _entries(path, document):
        name = _text(key)
        if not section.form.fullmatch(name):
            _refuse(section, line, f"names the {section.key} {name!r}", section.form_expected)
        if section is TICKERS:
            name = canonical_ticker(name)
        entries: dict[str, Entry] = getattr(found, section.name)
        where = f"{line}: the entry {name}"
        if name in entries:
            _refuse(section, where, "occurs a second time", f"one entry a {section.key}")
        entries[name] = _entry(section, value, where)
    return found


def _entries(path: Path, document: yaml.MappingNode) -> Iterator[tuple[Section, yaml.Node, yaml.Node, str]]:
    """Each entry with its section, key and line. Futures may stand outside of a section: roots have capitals."""
    import yaml  # noqa: PLC0415

    seen: set[str] = set()
    for key, value in document.value:
        section = SECTIONS.get(_text(key))
        line = f"{path}, line {key.start_mark.line + 1}"
        if section is None:
            yield FUTURES, key, value, line
            continue
        if section.name in seen:
            _refuse(section, f"{line}: the section {section.name}", "occurs a second time", "each section once")
        seen.add(section.name)
        if not isinstance(value, yaml.MappingNode):
            _refuse(section, f"{line}: the section {section.name}", "holds no entries", f"one line a {section.key}")
        for inner_key, inner_value in value.value:
            yield section, inner_key, inner_value, f"{path}, line {inner_key.start_mark.line + 1}"


def _entry(section: Section, node: yaml.Node, where: str) -> Entry:
    import yaml  # noqa: PLC0415

    fields: dict[str, str] = {}
    if not isinstance(node, yaml.MappingNode):
        _refuse(section, where, f"has {_text(node)!r}" if node.value else "is empty", "fields")
    known = (*section.required, *section.optional)
    for key, value in node.value:
        name = _text(key)
        if name not in known:
            _refuse(section, where, f"has an unknown field {name!r}", f"only {', '.join(known)}")
        if name in fields:
            _refuse(section, where, f"has the field {name} twice", "each field once")
        fields[name] = _text(value)
    for name in known:
        if name not in fields:
            if name in section.required:
                _refuse(section, where, f"has no field {name}", EXPECTED[name])
            continue
        if not FIELD_FORMS[name].fullmatch(fields[name]) or (name != "currency" and Decimal(fields[name]) == 0):
            _refuse(section, where, f"has the {name} {fields[name]!r}", EXPECTED[name])
    tick_int, bucket_int = (
        int(Decimal(fields[name]) * PRICE_UNITS) if name in fields else None for name in ("tick", "bucket")
    )
    if tick_int and bucket_int and bucket_int % tick_int:
        _refuse(section, where, f"has the bucket {fields['bucket']!r}", f"a multiple of its tick {fields['tick']}")
    return Entry(tick_int, bucket_int, float(fields.get("multiplier", 1)), fields.get("currency", "USD"))


def _text(node: yaml.Node) -> str:
    """What a scalar says; of a collection only that it is one: by its aliases, its text could be without end."""
    return node.value if isinstance(node.value, str) else "a collection"


def _unreadable(path: Path, why: str) -> ProductsFileError:
    return ProductsFileError(
        f"{path} cannot be read: {why}.",
        hint=f"Expected a file of products with lines such as {FUTURES.example}.",
    )


def _refuse(section: Section, where: str, what: str, expected: str) -> NoReturn:
    raise ProductsFileError(
        f"{where} {what}, expected {expected}.", hint=f"An entry looks like this: {section.example}."
    )
