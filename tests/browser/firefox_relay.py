"""Firefox as Playwright starts it: `python -m tests.browser.firefox_relay SCALE_FILE FIREFOX OPTIONS...`.

Playwright speaks WebDriver BiDi with a Firefox as Debian ships it, but asks every page for a command that this Firefox
does not know yet. What stands here between the two answers that command, and hands everything else on as it is, but for
the scale of the screen: that of the file, where there is one, since Playwright cannot change it under a page.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

#: Sets `prefers-color-scheme`; Firefox's own preferences do that where a test needs it.
UNKNOWN_TO_FIREFOX = "emulation.setMediaFeaturesOverride"
LARGEST_MESSAGE_BYTES = 256 << 20  # a screenshot is one message


async def listening(firefox: asyncio.subprocess.Process) -> str:
    """Where Firefox listens, which it says on stderr; what else it says is read and dropped from then on."""
    assert firefox.stderr is not None
    async for line in firefox.stderr:
        found = re.search(rb"WebDriver BiDi listening on (ws://\S+)", line)
        if found:
            return found.group(1).decode()
    raise SystemExit("Firefox ended before it listened")


def to_firefox(command: dict[str, Any], scale_file: Path) -> str:
    if command["method"] == "browsingContext.setViewport" and scale_file.exists():
        command["params"]["devicePixelRatio"] = float(scale_file.read_text(encoding="ascii"))
    return json.dumps(command)


async def relay(playwright: ServerConnection, address: str, scale_file: Path) -> None:
    assert playwright.request is not None
    async with connect(
        address + playwright.request.path, max_size=LARGEST_MESSAGE_BYTES, ping_interval=None
    ) as firefox:

        async def commands() -> None:
            async for message in playwright:
                command = json.loads(message)
                if command["method"] == UNKNOWN_TO_FIREFOX:
                    await playwright.send(json.dumps({"type": "success", "id": command["id"], "result": {}}))
                else:
                    await firefox.send(to_firefox(command, scale_file))

        async def answers() -> None:
            async for message in firefox:
                await playwright.send(message)

        ways = [asyncio.ensure_future(commands()), asyncio.ensure_future(answers())]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for outcome in await asyncio.gather(*ways, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionClosed):
                raise outcome


async def main(scale_file: str, program: str, *options: str) -> int:
    firefox = await asyncio.create_subprocess_exec(program, *options, stderr=asyncio.subprocess.PIPE)
    address = await listening(firefox)

    async def handle(playwright: ServerConnection) -> None:
        await relay(playwright, address, Path(scale_file))

    async with serve(handle, "127.0.0.1", 0, max_size=LARGEST_MESSAGE_BYTES, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        sys.stderr.write(f"WebDriver BiDi listening on ws://127.0.0.1:{port}\n")
        sys.stderr.flush()
        assert firefox.stderr is not None
        async for _ in firefox.stderr:
            pass
        return await firefox.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
