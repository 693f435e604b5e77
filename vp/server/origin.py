"""Which web pages may open the stream.

A browser lets any page open a websocket to any host and only states the page's origin. So a page must come from
this server or from the development server, or it could read along from elsewhere.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from vp.server.listen import is_loopback

DEVELOPMENT = frozenset({"http://localhost:5174", "http://127.0.0.1:5174"})


def allowed(origin: str | None, host: str | None, *, loopback_only: bool) -> bool:
    """Whether a request with these Origin and Host headers may open the stream.

    Parameters
    ----------
    origin : str or None
        None: no browser sent it.
    host : str or None
    loopback_only : bool
        Whether the server listens on a loopback address. Then the page's own name must be one too: otherwise
        a foreign name that resolves to this machine would do.
    """
    if origin is None:
        return True
    if origin in DEVELOPMENT:
        return True
    try:
        parts = urlsplit(origin)
        name = parts.hostname
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not name or host is None:
        return False
    return parts.netloc.lower() == host.lower() and (not loopback_only or is_loopback(name))
