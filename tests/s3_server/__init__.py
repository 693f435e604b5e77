"""A store that speaks S3, in a process of its own: moto's server, which holds objects in memory.

It checks signatures and rights as Amazon does (moto's own doing once accounts are made), completes uploads by their
parts and refuses what no S3 takes. Of what PyPI, npm and Debian offer as packages it is the strictest that needs no
cluster of daemons.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs

from vp.child_processes import python_command, python_environment
from vp.objects import store

BUCKET = "lake"
REGION = "us-east-1"
AWS = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3",
    "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED",
)  # fmt: skip


@dataclass(frozen=True)
class Key:
    """An account's credentials."""

    access_key: str
    secret_key: str


class S3Server:
    """The process, with a bucket.

    Attributes
    ----------
    port : int
    owner : Key
        Of one who may do everything.
    stranger : Key
        Of one who may do nothing.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            python_command("-m", "tests.s3_server"),
            env=python_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        said = json.loads(self._process.stdout.readline())
        self.port = int(said["port"])
        self.owner, self.stranger = (Key(*said[name]) for name in ("owner", "stranger"))

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def files(self) -> Any:
        """Its objects, as pyarrow sees them."""
        key = self.owner
        return fs.S3FileSystem(
            access_key=key.access_key, secret_key=key.secret_key, endpoint_override=self.endpoint, region=REGION
        )

    def names(self, prefix: str = "") -> dict[str, int]:
        """Every object of the bucket below a prefix, with its size."""
        place = f"{BUCKET}/{prefix}".rstrip("/")
        found = self.files().get_file_info(fs.FileSelector(place, allow_not_found=True, recursive=True))
        return {info.path.removeprefix(f"{BUCKET}/"): info.size for info in found if info.is_file}

    def put(self, name: str, data: bytes) -> None:
        with self.files().open_output_stream(f"{BUCKET}/{name}", compression=None) as stream:
            stream.write(data)

    def get(self, name: str) -> bytes:
        with self.files().open_input_file(f"{BUCKET}/{name}") as stream:
            return bytes(stream.read())

    def delete(self, prefix: str) -> None:
        """Delete an object, or every one below a prefix."""
        names = self.names()
        for name in names if prefix not in names else [prefix]:
            if name.startswith(prefix):
                self.files().delete_file(f"{BUCKET}/{name}")

    def put_tree(self, root: Path, prefix: str) -> None:
        """Lay all files below a directory into the bucket."""
        for path in sorted(root.rglob("*")):
            if path.is_file():
                self.put(f"{prefix}/{path.relative_to(root)}", path.read_bytes())

    def __enter__(self) -> S3Server:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def environment(endpoint: str, key: Key | None) -> Iterator[None]:
    """The environment of one who uses a store, for this process and its children."""
    with pytest.MonkeyPatch.context() as patch:
        for name in AWS:
            patch.delenv(name, raising=False)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        patch.setenv("AWS_REGION", REGION)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        if key is not None:
            patch.setenv("AWS_ACCESS_KEY_ID", key.access_key)
            patch.setenv("AWS_SECRET_ACCESS_KEY", key.secret_key)
        store._file_system.cache_clear()  # who asked before had other credentials
        try:
            yield
        finally:
            store._file_system.cache_clear()


def until(true: Any, seconds: float = 60.0) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
