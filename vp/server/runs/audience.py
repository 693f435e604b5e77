"""Who watches a server: how many there are and may be, and what all of them were sent."""

from __future__ import annotations

import logging

from vp import counters
from vp.errors import ServerFullError
from vp.logs import event
from vp.server.runs.viewer import Viewer

log = logging.getLogger("vp.server")


class Audience:
    """The viewers of all sessions.

    Parameters
    ----------
    most : int
        As many may be there at a time.

    Attributes
    ----------
    count : int
        Viewers who are there, with those who have no session yet.
    """

    def __init__(self, most: int) -> None:
        self.count = 0
        self._most = most
        self._watching: set[Viewer] = set()
        self._sent_before = 0
        self._missed_before = 0

    @property
    def frames_sent(self) -> int:
        """Frames that all have been sent since the start, those who have left too."""
        return self._sent_before + sum(viewer.cursor.sent for viewer in self._watching)

    @property
    def frames_missed(self) -> int:
        """Frames that all have missed, likewise."""
        return self._missed_before + sum(viewer.cursor.missed for viewer in self._watching)

    def enter(self) -> None:
        """Count a viewer in.

        Raises
        ------
        ServerFullError
        """
        if self.count >= self._most:
            counters.add("refused", "viewers")
            raise ServerFullError(
                f"The server has {self.count} viewers, which is as many as it takes.",
                hint="Try again later.",
            )
        self.count += 1

    def watch(self, viewer: Viewer) -> None:
        """Count what this viewer is sent, until it leaves."""
        self._watching.add(viewer)
        event(log, logging.INFO, "viewer came", **viewer.run.names, viewers=self.count)

    def leave(self, viewer: Viewer | None) -> None:
        """Count a viewer out; None: one who has not come to watch anything."""
        self.count -= 1
        if viewer is not None:
            self._watching.discard(viewer)
            self.keep_counts(viewer)
            event(
                log,
                logging.INFO,
                "viewer left",
                **viewer.run.names,
                frames_sent=viewer.cursor.sent,
                frames_missed=viewer.cursor.missed,
            )

    def keep_counts(self, viewer: Viewer) -> None:
        """Keep what a viewer was sent and missed so far: it leaves, or counts anew for another session."""
        self._sent_before += viewer.cursor.sent
        self._missed_before += viewer.cursor.missed
