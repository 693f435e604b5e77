"""Where the files lie that belong to the product but are no modules: the page, the named queries, the products."""

from __future__ import annotations

from pathlib import Path

from vp.errors import IncompleteInstallationError

PACKAGE = Path(__file__).resolve().parent


def package_file(name: str) -> Path:
    """A file or directory of the product by its name in the repository: `web`, `sql`, `market/products.yaml`.

    An installed package holds them all; in a checkout `web` and `sql` lie beside the package.

    Raises
    ------
    IncompleteInstallationError
    """
    for home in (PACKAGE, PACKAGE.parent):
        if (home / name).exists():
            return home / name
    raise IncompleteInstallationError(
        f"{name} is missing: it lies neither in {PACKAGE} nor beside it.",
        hint="Install the package anew, or check out the whole repository.",
    )
