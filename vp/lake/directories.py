"""The lake's directories and files, as the file system shows them."""

from __future__ import annotations

from pathlib import Path
from stat import S_ISREG
from urllib.parse import unquote

from vp.errors import LakeError
from vp.lake.inputs import RawFile
from vp.lake.names import parse_name
from vp.market.symbols import canonical_ticker


def symbol_directories(product_dir: Path) -> set[str]:
    """The roots and tickers that have a directory, as VP spells them; raises LakeError."""
    return {symbol for name in names_in(product_dir) if (symbol := symbol_of_directory(name)) is not None}


def symbol_of_directory(name: str) -> str | None:
    """The root or ticker of a directory; of a class of shares in VP's own spelling. None for other directories."""
    key, _, symbol = name.partition("=")
    if key != "symbol":
        return None
    text = unquote(symbol)
    spelled = canonical_ticker(text)
    return spelled if "." in spelled else text


def raw_file(path: Path, source: str, schema: str = "mbo") -> RawFile | None:
    """The raw file at a path; None for foreign names and what is no file. Raises LakeError."""
    name = parse_name(path.name, schema)
    if name is None:
        return None
    try:
        status = path.stat()
    except FileNotFoundError:  # gone in the meantime, or a link that leads nowhere
        return None
    except OSError as error:
        raise LakeError(f"{path} cannot be looked at: {_reason(error)}.", hint="Expected a raw file.") from error
    if not S_ISREG(status.st_mode):
        return None
    return RawFile(path, source, name, status.st_size, status.st_mtime_ns)


def names_in(directory: Path) -> list[str]:
    """What stands in a directory, sorted; nothing where there is no such directory. Raises LakeError."""
    try:
        return sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LakeError(
            f"{directory} cannot be read: {_reason(error)}.",
            hint="Expected a directory; see to its rights, or choose another lake with --lake or VP_LAKE.",
        ) from error


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
