"""Laying files into the lake: all of them or none, and none over another."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vp.errors import LakeError
from vp.files import copy_new, link_new

LINKED, COPIED, THERE, OTHER = "linked", "copied", "there already", "another file is there"


@dataclass(frozen=True)
class Step:
    """A file and one place for it."""

    file: Path
    place: Path


def check(step: Step) -> str:
    """What stands in a step's place: "" for nothing, THERE for the same file or the same bytes, else OTHER."""
    if not os.path.lexists(step.place):
        return ""
    return THERE if is_same(step.file, step.place) else OTHER


def lay(steps: Sequence[Step], *, copy: bool) -> None:
    """Link or copy each file to its place, which must be free; where one fails, those before it are undone.

    Links are hard where the file system allows it, else symbolic.

    Raises
    ------
    LakeError
        The disk is full, a directory cannot be written, or a place has been taken meanwhile.
    """
    laid: list[Path] = []
    try:
        for step in steps:
            step.place.parent.mkdir(parents=True, exist_ok=True)
            (copy_new if copy else link_new)(step.file, step.place)
            laid.append(step.place)
    except BaseException as error:  # a signal too: half an import is none
        for place in laid:
            place.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise LakeError(
            f"{step.place} cannot be made: {error.strerror or error}; nothing has been imported.",
            hint="Free some space or make the directory writable, and import again.",
        ) from error


def is_same(file: Path, other: Path) -> bool:
    """Whether two paths lead to the same file or to the same bytes; not where one cannot be read."""
    try:
        return file.samefile(other) or filecmp.cmp(file, other, shallow=False)
    except OSError:
        return False
