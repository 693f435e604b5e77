"""Where one viewer stands in the frames of a shared session, and what it misses. Plain numbers, no clock.

A viewer has no queue: it is a position in the session's sequence of frames. It starts with the history, catches
up, and is live from then on. A live viewer whose socket does not keep up jumps to the newest frame, and what
it jumped over is counted.
"""

from __future__ import annotations

LIVE_FRAMES = 8
LIVE_SECONDS = 0.25


class Cursor:
    """A viewer's position.

    Parameters
    ----------
    first : int
        Sequence number of the first frame to send: the oldest in the history.
    head : int
        Sequence number that the next frame of the session will have.

    Attributes
    ----------
    next : int
        Sequence number of the next frame to send.
    sent, missed : int
        Frames sent to this viewer, and jumped over.
    live : bool
        Whether the viewer has caught up with the session once.
    """

    def __init__(self, first: int, head: int) -> None:
        self.next = first
        self.sent = 0
        self.missed = 0
        self.live = head - first <= LIVE_FRAMES
        self._lap_end = head
        self._lap_frames = head - first

    def due(self, oldest: int, head: int, waited_seconds: float) -> int:
        """How many frames there are to send now, from `next` on; moves `next` where the viewer has to jump.

        Parameters
        ----------
        oldest, head : int
            The session holds the frames from `oldest` up to, not including, `head`.
        waited_seconds : float
            How long the frame at `next` has been there; infinite if unknown.

        Notes
        -----
        A viewer keeps up while it is at most LIVE_FRAMES behind, or the frame that it would get next is no
        older than LIVE_SECONDS: at great speed many frames are made at once, and a reader that takes them
        at once misses none. A live viewer that does not keep up jumps. While catching up, each lap goes to
        where the session was when the lap began; one that does not at least halve the distance shows a reader
        too slow ever to arrive, and ends in a jump.
        """
        behind = head - self.next
        if self.next < oldest:
            self._jump(head)
        elif behind <= LIVE_FRAMES or waited_seconds <= LIVE_SECONDS:
            self.live = True
        elif self.live:
            self._jump(head)
        elif self.next >= self._lap_end:
            if behind * 2 > self._lap_frames:
                self._jump(head)
            else:
                self._lap_end, self._lap_frames = head, behind
        return head - self.next

    def newest(self, head: int) -> int:
        """As `due`, of the newest frame alone: all others are missed."""
        if head - self.next > 1:
            self._jump(head)
        return head - self.next

    def advance(self, frames: int) -> None:
        """Count `frames` from `next` on as sent."""
        self.next += frames
        self.sent += frames

    def _jump(self, head: int) -> None:
        self.missed += head - 1 - self.next
        self.next = head - 1
        self.live = True
