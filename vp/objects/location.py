"""Addresses of places in object storage: s3://BUCKET/PREFIX."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vp.errors import BadParameterError, quoted

SCHEME = "s3://"
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
MOST_LETTERS = 1024  # of a key


def is_location(text: str | None) -> bool:
    """Whether a text is meant to be an address in object storage."""
    return text is not None and text.lower().startswith(SCHEME)


@dataclass(frozen=True)
class Location:
    """A bucket, and what the keys of a place in it begin with; "" where that is the whole bucket."""

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        """As it was asked for."""
        return f"{SCHEME}{self.path()}"

    def path(self, name: str = "") -> str:
        """Bucket and key of an object, or of the place itself, as pyarrow writes it."""
        return "/".join(part for part in (self.bucket, self.prefix, name) if part)

    def url(self, name: str) -> str:
        """The address of an object."""
        return f"{SCHEME}{self.path(name)}"


def parse_location(option: str, text: str) -> Location:
    """The place that an address names.

    Raises
    ------
    BadParameterError
        It is none. A key in it is not repeated: credentials and endpoint come from the environment alone.
    """
    bucket, _, prefix = text[len(SCHEME) :].partition("/")
    prefix = prefix.removesuffix("/")
    example = f"For example --{option} s3://bucket/prefix."
    if "@" in text or "?" in text or "#" in text:
        raise BadParameterError(
            f"{option} was an address in object storage with more than bucket and prefix.",
            hint=f"Credentials, region and endpoint come from the environment. {example}",
        )
    parts = prefix.split("/") if prefix else []
    if not BUCKET.fullmatch(bucket) or {"", ".", ".."} & {*parts} or len(prefix) > MOST_LETTERS:
        raise BadParameterError(f"{option} was {quoted(text)}, expected a bucket, and a prefix in it.", hint=example)
    return Location(bucket, prefix)
