"""`python -m tests.live_gateway FILE`: a gateway that plays a DBN file as if it happened now."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tests.live_gateway.feed import Feed
from tests.live_gateway.server import Gateway, serve

ANY_KEY = "db-gateway-of-the-tests"


def main() -> int:
    """Run the program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.live_gateway", description=__doc__)
    parser.add_argument("file", type=Path, help="Market-by-order file, .dbn or .dbn.zst.")
    parser.add_argument("--port", type=int, default=13000, help="0 takes any free one. Default: 13000.")
    parser.add_argument("--speed", default="1", help="Times faster than it happened; 0: at once; hold: by order alone.")
    parser.add_argument("--from-record", type=int, default=0, help="What came before it has happened already.")
    parser.add_argument("--control", action="store_true", help="Listen for orders too, and print both ports as JSON.")
    given = parser.parse_args()
    key = os.environ.get("DATABENTO_API_KEY", ANY_KEY)  # not an option: command lines are public
    gateway_feed = Feed(given.file)
    gateway = Gateway(gateway_feed, key, None if given.speed == "hold" else float(given.speed))
    gateway.publish(given.from_record)

    def ready(port: int, control_port: int | None) -> None:
        if control_port is not None:
            sys.stdout.write(json.dumps({"port": port, "control_port": control_port}) + "\n")
        else:
            names = ", ".join(sorted(gateway_feed.names.values())[:5])
            sys.stdout.write(f"{given.file} ({gateway_feed.dataset}: {names}) at 127.0.0.1:{port}\n")
            if "DATABENTO_API_KEY" not in os.environ:
                sys.stdout.write(f"The key is DATABENTO_API_KEY={ANY_KEY}\n")
        sys.stdout.flush()

    async def run() -> None:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        await serve(gateway, given.port, 0 if given.control else None, ready)

    asyncio.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
