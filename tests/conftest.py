from __future__ import annotations

import os
import sys

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Where Python may write no byte code beside sources, keep it in pytest's cache.

    The suite starts some hundred processes of the product, each of which would compile every package again.
    """
    if not sys.dont_write_bytecode or not config.pluginmanager.hasplugin("cacheprovider"):
        return
    assert config.cache is not None
    sys.pycache_prefix = str(config.cache.mkdir("bytecode"))
    sys.dont_write_bytecode = False
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # python -B sets none


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Compile kernels before there are processes of tests, each of which would compile them."""
    from vp.model.compilation import ensure_compiled

    ensure_compiled(lambda _share: None, demonstration=True)
