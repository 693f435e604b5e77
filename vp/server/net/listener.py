"""The listening socket. Accepted connections inherit what is set here."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket

from vp.errors import BadParameterError, PortInUseError, VPError

SEND_BUFFER_BYTES = 256 << 10
USER_TIMEOUT_MS = 10_000
BACKLOG = 2048


def open_listener(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port` (0: any free one).

    A small send buffer bounds what a slow viewer holds; the user timeout frees who takes nothing of a download.

    Raises
    ------
    BadParameterError
        `host` is no address of this machine.
    PortInUseError
    VPError
        The system does not allow it.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        raise BadParameterError(
            f"host was {host!r}, which is no known address.", hint="For example --host 127.0.0.1."
        ) from None
    listener = socket.socket(family, kind, number)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        with contextlib.suppress(OSError):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _explained(error, host, port) from None
    listener.setblocking(False)
    return listener


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def address_of(listener: socket.socket, host: str) -> str:
    """How a browser on this machine reaches the server: http://host:port."""
    port = listener.getsockname()[1]
    shown = "localhost" if host in {"0.0.0.0", "::", "[::]"} else host  # noqa: S104 - compared, not bound
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _explained(error: OSError, host: str, port: int) -> VPError:
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(
            f"Port {port} of {host} is in use by another program.",
            hint="Stop that program, or choose another port with --port (0 takes any free one).",
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return PortInUseError(
            f"The system does not let this user listen on port {port}.", hint="Choose a port above 1023."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return BadParameterError(
            f"host was {host!r}, which is no address of this machine.", hint="For example --host 127.0.0.1."
        )
    return VPError(f"Cannot listen on port {port} of {host}: {error.strerror}.")
