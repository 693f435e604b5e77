"""Objects in a store that speaks S3: the one module that knows pyarrow's file system.

Credentials are the environment's (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), else those of ~/.aws
and of the machine's role, all found by the AWS library within pyarrow. The endpoint is AWS_ENDPOINT_URL_S3 or
AWS_ENDPOINT_URL, the region AWS_REGION or AWS_DEFAULT_REGION, and without either that of the bucket. No error repeats
what the store said beyond its code: an answer may name keys.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from vp.errors import ChangedFileError, ObjectStoreError
from vp.objects.location import Location

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
BLOCK_BYTES = 8 << 20
MOST_OBJECTS = 2_000_000
CONNECT_SECONDS = 5.0
ATTEMPTS = 4  # of a request; the library waits between them
CODE = re.compile(r"AWS Error ([A-Z0-9_]+)")
REFUSALS = {
    "ACCESS_DENIED", "EXPIRED_TOKEN", "INVALID_ACCESS_KEY_ID", "INVALID_CLIENT_TOKEN_ID", "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN", "SIGNATURE_DOES_NOT_MATCH", "UNRECOGNIZED_CLIENT",
}  # fmt: skip


@dataclass(frozen=True)
class ObjectIdentity:
    """What tells an object from others that its name had before: its size and its entity tag."""

    size_bytes: int
    etag: str


class ObjectStore:
    """A place in object storage, whose objects are named by what follows its prefix.

    Parameters
    ----------
    location : Location
    """

    def __init__(self, location: Location) -> None:
        self.location = location

    def sizes(self, directory: str) -> dict[str, int]:
        """The objects below a directory, by name, with their sizes in bytes; raises ObjectStoreError."""
        place = self.location.path(directory)
        try:
            with self.told("listed"):
                found = self._files.get_file_info(fs.FileSelector(place, recursive=True))
        except FileNotFoundError:
            return {}
        if len(found) > MOST_OBJECTS:
            raise ObjectStoreError(
                f"{self.location.url(directory)} holds {len(found):,} objects, expected at most {MOST_OBJECTS:,}.",
                hint="Choose a prefix that holds one lake.",
            )
        before = len(self.location.path()) + 1
        return {info.path[before:]: info.size for info in found if info.is_file}

    def identity(self, name: str) -> ObjectIdentity | None:
        """That of an object; None where there is none. Raises ObjectStoreError."""
        try:
            with self.told("looked at", name), self.open(name) as file:
                return _identity(file)
        except FileNotFoundError:
            return None

    def open(self, name: str) -> Any:
        """A pyarrow file whose reads are ranges of the object; raises OSError, pyarrow's errors."""
        return self._files.open_input_file(self.location.path(name))

    def open_to_write(self, name: str) -> Any:
        """A pyarrow stream that publishes what was written when it is closed, or dropped; raises OSError."""
        return self._files.open_output_stream(self.location.path(name), compression=None)

    def fetch(self, name: str, expected: ObjectIdentity, file: BinaryIO) -> str:
        """Write an object into a file; returns its sha256 in hexadecimal.

        Raises
        ------
        ChangedFileError
            It is not, or not to the end, the object that was expected.
        ObjectStoreError, OSError
        """
        digest = hashlib.sha256()
        size = 0
        try:
            with self.told("read", name):
                stream = self.open(name)
            with stream:
                found = _identity(stream)
                while found == expected and size <= expected.size_bytes:
                    with self.told("read", name):
                        block = stream.read(BLOCK_BYTES)
                    if not block:
                        break
                    digest.update(block)
                    size += file.write(block)
        except FileNotFoundError:
            found = None
        if found == expected and size < expected.size_bytes:
            raise ObjectStoreError(
                f"{self.location.url(name)} came with {size:,} of {expected.size_bytes:,} bytes.",
                hint="The store or the way to it fails; run it again.",
            )
        if found != expected or size != expected.size_bytes or self.identity(name) != expected:
            raise ChangedFileError(
                f"{self.location.url(name)} is no longer the object that was planned with.",
                hint="Raw files never change; if it was laid anew on purpose, run it again.",
                path=self.location.url(name),
            )
        return digest.hexdigest()

    @property
    def _files(self) -> fs.S3FileSystem:
        endpoint = endpoint_of_environment()
        with self.told("reached"):
            return _file_system(self.location.bucket, endpoint, next(filter(None, map(os.environ.get, REGIONS)), None))

    @contextmanager
    def told(self, done: str, name: str = "") -> Iterator[None]:
        """Say in a sentence what the store refuses; FileNotFoundError, of one object, is the caller's."""
        try:
            yield
        except FileNotFoundError:
            raise
        except (OSError, pa.ArrowException) as error:
            raise self._error(f"{self.location.url(name)} cannot be {done}", str(error)) from None

    def _error(self, what: str, said: str) -> ObjectStoreError:
        found = CODE.search(said)
        code = found[1] if found is not None else ""
        where = endpoint_of_environment() or "the store"
        if code == "NO_SUCH_BUCKET" or ("Bucket" in said and "not found" in said):
            return ObjectStoreError(
                f"{what}: there is no bucket {self.location.bucket!r} at {where}.",
                hint=f"See to its name and to {ENDPOINTS[1]}; buckets are not made.",
            )
        if code in REFUSALS:
            return ObjectStoreError(
                f"{what}: {where} refuses these credentials ({code}).",
                hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key that may list, read and write there.",
            )
        if code == "NETWORK_CONNECTION":
            return ObjectStoreError(
                f"{what}: {where} cannot be reached.", hint=f"See to {ENDPOINTS[1]}, and to the network."
            )
        reason = f"answered {code}" if code else "could not be asked"
        return ObjectStoreError(
            f"{what}: {where} {reason}.", hint="See to credentials, AWS_REGION and the store; then run it again."
        )


def is_of_the_store(error: Exception) -> bool:
    """Whether an error of pyarrow's is of the store, and not of what an object holds."""
    return CODE.search(str(error)) is not None


def endpoint_of_environment() -> str | None:
    """Where the store is; None for Amazon's own.

    Raises
    ------
    ObjectStoreError
        It is no address of http or https, or has a key in it, which is not repeated.
    """
    name = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if name is None:
        return None
    given = os.environ[name].rstrip("/")
    try:
        parts = urlsplit(given)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        sound = False
    if not sound:
        raise ObjectStoreError(
            f"{name} is no address of a store, expected http or https, a host and a port, and nothing of a key.",
            hint="For example https://storage.example:9000.",
        )
    return given


@lru_cache(maxsize=8)
def _file_system(bucket: str, endpoint: str | None, region: str | None) -> fs.S3FileSystem:
    """Writes wait for their upload, so that what is in flight stays a few parts of 10 MiB."""
    if endpoint is None and region is None:
        region = fs.resolve_s3_region(bucket)
    return fs.S3FileSystem(
        region=region,
        endpoint_override=endpoint,
        background_writes=False,
        connect_timeout=CONNECT_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
    )


def _identity(file: Any) -> ObjectIdentity:
    said = file.metadata()
    return ObjectIdentity(file.size(), said.get("ETag", b"").decode("ascii", "replace").strip('"'))
