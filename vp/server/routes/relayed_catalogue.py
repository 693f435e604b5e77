"""The sessions that a server upstream has, as a relay lists them, and which it plays by itself."""

from __future__ import annotations

from vp.server.routes.sessions import Listing
from vp.server.runs.stream_beginning import as_of_this_version
from vp.server.runs.upstream_documents import UpstreamDocuments, default_request
from vp.server.stream.request import StreamRequest


class RelayedCatalogue:
    """Lists what an upstream has.

    Parameters
    ----------
    documents : UpstreamDocuments

    Attributes
    ----------
    defaults : StreamRequest
        What a viewer gets who asks for nothing in particular: as the upstream said when it was last asked.

    Raises
    ------
    UpstreamError, RelayedError
    """

    def __init__(self, documents: UpstreamDocuments) -> None:
        self._documents = documents
        self.defaults: StreamRequest = default_request(documents.sessions())

    @property
    def address(self) -> str:
        """The upstream's, ws:// or wss://."""
        return self._documents.address

    def __call__(self) -> Listing:
        """Ask for the sessions that there are now; raises UpstreamError, RelayedError."""
        said = self._documents.sessions()
        self.defaults = default_request(said)
        with as_of_this_version("list of sessions"):
            return Listing(
                list(said.get("sessions", ())),
                int(said.get("sessions_left_out", 0)),
                list(said.get("passed_over", ())),
                int(said.get("passed_over_count", 0)),
            )
