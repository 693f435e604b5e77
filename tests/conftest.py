from __future__ import annotations

import os
import signal
import sys

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Where Python may write no byte code beside sources, keep it in pytest's cache.

    The suite starts some hundred processes of the product, each of which would compile every package again.
    """
    _hear_signals()
    if not sys.dont_write_bytecode or not config.pluginmanager.hasplugin("cacheprovider"):
        return
    assert config.cache is not None
    sys.pycache_prefix = str(config.cache.mkdir("bytecode"))
    sys.dont_write_bytecode = False
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # python -B sets none


def _hear_signals() -> None:
    """Let no process of a test inherit that signals are ignored, as they are under nohup and in the background."""
    for name, handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Compile kernels before there are processes of tests, each of which would compile them."""
    from vp.model.compilation import ensure_compiled

    ensure_compiled(lambda _share: None, demonstration=True, sampling=True)
