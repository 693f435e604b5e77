"""What could not be had in one run, and why; it does not stop the rest."""

from __future__ import annotations

import logging

from vp.download.ledger import Want
from vp.errors import DownloadError, FileError, UnexpectedAnswerError, VendorRefusedError

OF_ONE_FILE = (VendorRefusedError, UnexpectedAnswerError, DownloadError, FileError)

log = logging.getLogger(__name__)


class Troubles(dict[Want, str]):
    """Sentences by the file that each is about."""

    def give_up(self, want: Want, error: Exception | str) -> None:
        """Say why a file cannot be had in this run, and keep it."""
        self[want] = str(error)
        log.error("%s: %s", want, error)
