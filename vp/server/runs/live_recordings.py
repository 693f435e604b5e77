"""Which sessions are being recorded, as the requests of viewers name them."""

from __future__ import annotations

from collections.abc import Callable

from vp.dbn.growing_input import GrowingInput
from vp.server.runs.session import Feed
from vp.server.stream.request import StreamRequest


class LiveRecordings:
    """The sessions of a live feed.

    Parameters
    ----------
    feed : Feed
    root_of : callable
        The futures root or ticker that a request means; None where it means none.
    """

    def __init__(self, feed: Feed, root_of: Callable[[StreamRequest], str | None]) -> None:
        self.feed = feed
        self._root_of = root_of

    def find(self, request: StreamRequest) -> GrowingInput | None:
        """The recording that a request's session is of, while that goes on."""
        root = self._root_of(request)
        return None if root is None else self.feed.find(request.product_type, root, request.dt)

    def next_date(self, request: StreamRequest) -> str | None:
        """The date of the session that follows a request's, as soon as something of it can be played."""
        return self.feed.next_date(request.dt)
