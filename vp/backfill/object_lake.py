"""A lake in object storage, as far as planning needs it: names, sizes and identities, without fetching a raw file.

Its outline is a directory of this machine with files of the same names and sizes and nothing in them, so that the
rules by which a lake on a disk is searched hold for this one. What stands for a raw file in digests is its size and its
entity tag; when it was uploaded says nothing.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
from collections.abc import Sequence
from pathlib import Path

from vp.errors import ObjectStoreError, VPError
from vp.lake.input_identity import FileIdentity, InputIdentities
from vp.lake.inputs import SOURCES
from vp.lake.lake import Lake
from vp.lake.stated_sums import notes_beside
from vp.market.products import LAKE_FILE, Product
from vp.market.session_hours import parse_dates, window_of
from vp.model.recording_task import RecordingTask
from vp.objects.staging import WantedObject
from vp.objects.store import ObjectIdentity, ObjectStore

RAW = "raw"
NO_NAMES = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL}
"""What a disk answers to keys that can be no names beside others: `a` where there is `a/b`, or too long a one."""
MOST_PRODUCTS_BYTES = 1 << 20


class ObjectIdentities(InputIdentities):
    """Identities of the objects that sessions of a lake may be played from; each is asked for once.

    Parameters
    ----------
    lake : Lake
        Over the outline.
    store : ObjectStore
        Where the lake is.
    """

    def __init__(self, lake: Lake, store: ObjectStore) -> None:
        super().__init__(lake)
        self.store = store
        self._known: dict[str, ObjectIdentity | None] = {}

    def of(self, product: Product, dates: Sequence[dt.date]) -> list[FileIdentity]:
        """As InputIdentities.of; raises ObjectStoreError too."""
        return [self._of_object(one) for one in super().of(product, dates)]

    def wanted(self, task: RecordingTask) -> tuple[WantedObject, ...]:
        """All objects that a session may be played from, and what is said of them; raises as `of`."""
        session = task.session
        product = self.lake.products.find(session.product_type, session.symbol)
        dates = window_of(session.product_type, parse_dates(session.dt)).file_dates
        root = self.lake.root
        names = [f"{RAW}/{one.name}" for one in super().of(product, dates)]
        beside = [str(path.relative_to(root)) for name in names for path in notes_beside(root / name)]
        there = [name for name in dict.fromkeys((LAKE_FILE, *names, *beside)) if (root / name).is_file()]
        found = [(name, self._identity_of(name)) for name in there]
        return tuple(WantedObject(name, identity) for name, identity in found if identity is not None)

    def _of_object(self, one: FileIdentity) -> FileIdentity:
        found = self._identity_of(f"{RAW}/{one.name}") if one.stamp else None
        return FileIdentity(one.name, 0, "") if found is None else FileIdentity(one.name, found.size_bytes, found.etag)

    def _identity_of(self, name: str) -> ObjectIdentity | None:
        if name not in self._known:
            self._known[name] = self.store.identity(name)
        return self._known[name]


def outline(store: ObjectStore, product_type: str, root: Path) -> None:
    """Make the outline of the lake in a store, of one product type, in an empty directory.

    Raises
    ------
    ObjectStoreError
        The lake cannot be listed.
    VPError
        This machine has no room for it.
    """
    sizes: dict[str, int] = {}
    for source in SOURCES:
        sizes |= store.sizes(f"{RAW}/source={source}/product_type={product_type}")
    products = store.identity(LAKE_FILE)
    try:
        for name in sorted(sizes, reverse=True):  # `a/b` before `a`, which is no directory then
            _lay(root, name, sizes[name])
        if products is not None:
            if products.size_bytes > MOST_PRODUCTS_BYTES:
                raise ObjectStoreError(
                    f"{store.location.url(LAKE_FILE)} has {products.size_bytes:,} bytes, expected at most "
                    f"{MOST_PRODUCTS_BYTES:,}.",
                    hint="It lists products, a line each.",
                )
            with (root / LAKE_FILE).open("wb") as file:
                store.fetch(LAKE_FILE, products, file)
    except OSError as error:
        raise VPError(
            f"The lake {store.location} cannot be outlined among temporary files: {error.strerror or error}.",
            hint="Set TMPDIR to a directory with room.",
        ) from error


def _lay(root: Path, name: str, size_bytes: int) -> None:
    """A file of a size that takes no room; of what can be no file of a lake on a disk, none."""
    path = root / name
    if ".." in path.parts or not name.isprintable():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.truncate(path, size_bytes)
    except OSError as error:
        if error.errno not in NO_NAMES:
            raise
