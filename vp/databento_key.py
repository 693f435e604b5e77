"""Databento's key, which stands in the environment and nowhere else."""

from __future__ import annotations

import os
import re

from vp.errors import ApiKeyError

KEY_VARIABLE = "DATABENTO_API_KEY"
KEY_FORM = re.compile(r"[\x21-\x7e]{4,200}")


def key_of_environment() -> str:
    """Databento's key; raises ApiKeyError where there is none that could be one."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not KEY_FORM.fullmatch(key):
        state = "is not set" if not key else "is no key: it holds spaces or other characters that no key has"
        raise ApiKeyError(
            f"{KEY_VARIABLE} {state}.", hint="Set it in the environment to a key of Databento's portal (db-...)."
        )
    return key
