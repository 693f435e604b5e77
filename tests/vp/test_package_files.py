"""Files of the product are found where they lie, in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from vp import package_files
from vp.errors import IncompleteInstallationError
from vp.package_files import package_file
from vp.query import catalogue


def test_in_a_checkout_they_lie_beside_the_package() -> None:
    for name, inside in (("web", "vacuum-pressure.html"), ("sql", "depth.sql")):
        assert (package_file(name) / inside).is_file()
    assert package_file("market/products.yaml").is_file()


def test_an_installed_package_holds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what else is installed there may have any name."""
    monkeypatch.setattr(package_files, "PACKAGE", tmp_path / "vp")
    (tmp_path / "vp" / "web").mkdir(parents=True)
    (tmp_path / "web").mkdir()
    assert package_file("web") == tmp_path / "vp" / "web"


def test_what_is_missing_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_files, "PACKAGE", tmp_path / "vp")
    catalogue.read_files.cache_clear()
    with pytest.raises(IncompleteInstallationError) as caught:
        catalogue.load()
    assert caught.value.message == f"sql is missing: it lies neither in {tmp_path / 'vp'} nor beside it."
    assert caught.value.hint.startswith("Install the package anew")
    assert caught.value.exit_code == 1
