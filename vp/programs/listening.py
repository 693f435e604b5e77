"""Where a server listens: what is said loudly of it, and its address once it answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vp.programs import command_line as cli

if TYPE_CHECKING:
    import socket


@contextmanager
def listening(host: str, port: int, may: str) -> Iterator[socket.socket]:
    """The listener of a server; of one that the network can reach it is said that anyone who can connect can `may`.

    Raises
    ------
    VPError
        The address is none of this machine, or taken.
    """
    from vp.server.net.descriptors import raise_descriptor_limit  # noqa: PLC0415 - --help is fast
    from vp.server.net.listener import is_loopback, open_listener  # noqa: PLC0415

    raise_descriptor_limit()
    with open_listener(host, port) as listener:
        if not is_loopback(host):
            cli.say(
                f"WARNING: {host} can be reached from the network, and nothing asks who is there: "
                f"anyone who can connect can {may}."
            )
        yield listener


def say_address(listener: socket.socket, host: str) -> None:
    """Tell, on standard output, where the page is: programs wait for that line."""
    from vp.server.net.listener import address_of  # noqa: PLC0415

    cli.started()
    print(f"Vacuum Pressure: {address_of(listener, host)}/vacuum-pressure.html", flush=True)
