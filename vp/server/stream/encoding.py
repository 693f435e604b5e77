"""Frames as one viewer gets them: all columns as they are held, or those that it asked for."""

from __future__ import annotations

from collections.abc import Sequence

from vp.model.frames import FrameLayout
from vp.server.stream.packing import pack, project, unpack


class FrameEncoder:
    """Re-encodes packed frames of a session for those who asked for these fields.

    Parameters
    ----------
    layout : FrameLayout
        Of the session's frames.
    fields : sequence of str or None
        Grid columns wanted; None: all. Raises BadParameterError for a name that there is not.

    Attributes
    ----------
    fields : tuple of str or None
        Grid columns wanted; None: all.
    layout : FrameLayout
        Of the frames that come out.
    """

    def __init__(self, layout: FrameLayout, fields: Sequence[str] | None) -> None:
        self._source_bytes = layout.message_bytes
        self.fields = None if fields is None else tuple(fields)
        self._projection = None if self.fields is None else layout.project(self.fields)
        self.layout = layout if self._projection is None else self._projection.layout

    def encode(self, packed: memoryview) -> memoryview:
        """Whole frames with their websocket headers, as they go out: the same memory where all is wanted."""
        if self._projection is None:
            return packed
        messages = unpack(packed, self._source_bytes)
        return pack(project(messages, self._projection, self.layout.message_bytes)).reshape(-1).data
