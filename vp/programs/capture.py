"""`python -m vp.capture`: the live feed into the lake."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vp.databento_key import key_of_environment
from vp.programs import command_line as cli

if TYPE_CHECKING:
    from vp.capture.recorder import FeedNews

DESCRIPTION = """\
Record Databento's live feed into the lake: the bytes as they come, a file a connection, on
disk before anything is made of them. Breaks are bridged by replay where the feed still
holds what is missing and the overlap proves it; what stays missing is written down as a
gap. It ends by Ctrl-C or SIGTERM, and well."""

EPILOG = """\
examples:
  {command} --symbol MNQ --symbol ES
      all contracts of two roots from now on, over one connection
  {command} --product-type equity_mbo --symbol QQQ
      a ticker, from the beginning of today's session
  {command} --symbol MNQH6 --live-from week
      one contract, with all that the feed still holds of this week

environment: DATABENTO_API_KEY is the key. VP_LAKE is the lake where --lake is left out.

Exit code 0: ended as it was asked to; 1: the key is refused, the disk is full, or somebody
else records the same; 2: what was asked for does not exist."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return cli.run(_main, arguments)


def _main(arguments: Sequence[str] | None) -> int:
    values = cli.parse(cli.parser("capture", DESCRIPTION, EPILOG), "capture", arguments)
    cli.configure_logging(values["log_level"])
    from vp.capture.plan import plan  # noqa: PLC0415 - --help is fast
    from vp.lake.lake import Lake  # noqa: PLC0415

    lake = Lake(values["lake"], values["products"])
    symbols = [symbol for symbol in values["symbol"] if symbol]
    chosen = plan(lake, values["product_type"], symbols, values["dataset"], values["live_from"])
    key = key_of_environment()

    from vp.capture.recorder import Recorder, run_until_signalled  # noqa: PLC0415

    cli.started()
    run_until_signalled(Recorder(chosen, key, values["gateway"], _tell))
    return 0


def _tell(news: FeedNews) -> None:
    cli.say(f"{news.kind}: {news.text}")


if __name__ == "__main__":
    sys.exit(main())
