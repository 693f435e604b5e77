"""The command line of both downloaders."""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import math
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from vp.databento_key import key_of_environment
from vp.download.plan import BASE_SCHEMAS, OPTION_SCHEMAS, PRODUCT_TYPES, Request, check_schemas
from vp.errors import (
    BadDateError,
    BadParameterError,
    CostLimitError,
    UncertainSubmissionError,
    VendorUnreachableError,
    VPError,
)
from vp.lake.lake import Lake
from vp.market.session_hours import parse_date
from vp.programs import command_line as cli

if TYPE_CHECKING:
    from vp.download.run import Downloader
    from vp.download.vendor import Vendor
    from vp.market.products import Products

COMMANDS = ("submit", "poll", "daemon")
SYMBOLS_EXAMPLE = {"futures": "MNQ,ES", "equities": "QQQ"}
OPTIONS_EXAMPLE = {"futures": "mbo,statistics", "equities": "cmbp-1,statistics"}
EXIT_INCOMPLETE = 1
MOST_USD = 1e6
MOST_SECONDS = 86_400.0
MOST_ORDERS = 100_000
MOST_OUTAGES = 10  # looks in a row for which what is not ordered yet waits for the service; what is ordered, for ever
EARLIEST = dt.date(2000, 1, 1)
MOST_DAYS_AHEAD = 31

log = logging.getLogger(__name__)

EPILOG = """\
submit asks what the missing files cost, shows it, and orders them as batch jobs, one a file;
poll fetches what is done, once; daemon does both until all is in the lake.

Nothing is ordered above --max-cost or --max-orders, nor with --dry-run. Definitions, by which option contracts
are chosen, are bought before the options can be priced; their cost counts.

environment: DATABENTO_API_KEY is the key. VP_LAKE is the lake where --lake is left out.
VP_DATABENTO_URL is another address of the service, https or on this machine.

It may be stopped or killed at any moment: the same command goes on where it was, and buys nothing
twice. A table at the end tells what became of each file. Exit code 0: all is in the lake; 1: something
could not be had; 2: what was asked for does not exist or costs too much; 130, 143: stopped by Ctrl-C
or SIGTERM."""


def main(program: str, arguments: Sequence[str] | None = None) -> int:
    """Run `program` (futures or equities); returns its exit code."""
    return cli.run(lambda given: _main(program, given), arguments)


def _main(program: str, arguments: Sequence[str] | None) -> int:
    options = _parser(program).parse_args(arguments)
    from vp.download.report import configure_logging  # noqa: PLC0415 - --help is fast
    from vp.download.stopping import Stopped, Stopping  # noqa: PLC0415
    from vp.download.vendor import Vendor, url_of_environment  # noqa: PLC0415

    stopping = Stopping()
    request = _request(program, options)
    key, url = key_of_environment(), url_of_environment()
    configure_logging(options.log_file, key)
    with stopping.listening():
        try:
            vendor = Vendor(key, url, stopping, options.retry_seconds, options.timeout_seconds)
            return _run(request, vendor, options)
        except Stopped as stopped:
            log.info("stopped by %s; the same command goes on where it was", stopped.name)
            return stopped.exit_code
        except VPError as error:
            log.error("%s", error)  # noqa: TRY400 - a sentence, and in the log file too
            return error.exit_code


def _run(request: Request, vendor: Vendor, options: argparse.Namespace) -> int:
    from vp.download.fetch import Fetcher  # noqa: PLC0415
    from vp.download.ledger import Ledger  # noqa: PLC0415
    from vp.download.report import Report  # noqa: PLC0415
    from vp.download.run import Downloader, Settings  # noqa: PLC0415
    from vp.download.spend import Budget  # noqa: PLC0415

    lake = Lake(options.lake)
    ledger = Ledger(lake.root)
    dates = f"{request.start} to {request.end}"
    symbols = ", ".join(request.symbols) or "all symbols"
    log.info("%s %s, %s: lake %s, %s", options.command, symbols, dates, lake.root, vendor.url)
    with ledger.locked(request.program):
        fetcher = Fetcher(vendor, lake, ledger, Report(), decompress=options.decompress)
        settings = Settings(
            options.poll_interval, options.settle_seconds, resubmit_expired=options.resubmit_expired,
            resubmit_lost=options.resubmit_lost,
        )  # fmt: skip
        budget = Budget(options.max_cost, options.max_orders)
        downloader = Downloader(request, vendor, lake, ledger, fetcher, budget, settings)
        if options.command == "poll":
            return _poll(downloader, options)
        if options.dry_run:
            downloader.dry_run()
            return EXIT_INCOMPLETE if downloader.troubles else 0
        try:
            failed = _submit(downloader) if options.command == "submit" else _daemon(downloader, options)
        except VPError:
            downloader.summary()
            raise
        well = downloader.summary()
        return failed.exit_code if failed is not None else 0 if well else EXIT_INCOMPLETE


def _submit(downloader: Downloader) -> CostLimitError | None:
    """What was too dear, if anything was."""
    try:
        downloader.submit()
    except CostLimitError as error:
        log.error("%s", error)  # noqa: TRY400 - a sentence
        downloader.pending.clear()
        return error
    return None


def _poll(downloader: Downloader, options: argparse.Namespace) -> int:
    from vp.download.run import restrict  # noqa: PLC0415

    def chosen() -> list[Any]:
        return restrict(downloader.ledger.entries(PRODUCT_TYPES[downloader.request.program]), downloader.request)

    with suppress(UncertainSubmissionError):  # it has been told, and stops orders alone
        downloader.begin(chosen())
    downloader.poll(chosen())
    if options.decompress:
        downloader.decompress_laid(chosen())
    return 0 if downloader.summary(chosen()) else EXIT_INCOMPLETE


def _daemon(downloader: Downloader, options: argparse.Namespace) -> CostLimitError | None:
    """Order and fetch until all is here; what was too dear, if anything was: the rest is fetched all the same."""
    ordered, too_dear, outages = False, None, 0
    while True:
        outstanding = 1
        try:
            if not ordered or downloader.pending:
                too_dear = _submit(downloader)
                ordered = True
            outstanding = downloader.poll(downloader.entries()) + len(downloader.pending)
            outages = 0
        except VendorUnreachableError as error:
            outages += 1
            if not ordered and outages == MOST_OUTAGES:
                raise
            log.warning("%s", error)
        if not outstanding:
            break
        downloader.say_waiting()
        downloader.vendor.stopping.sleep(options.poll_interval)
    if options.decompress:
        downloader.decompress_laid(downloader.entries())
    return too_dear


def _request(program: str, options: argparse.Namespace) -> Request:
    needed = options.command != "poll"
    for name in ("start", "end", "symbols"):
        if needed and not getattr(options, name):
            raise BadParameterError(
                f"--{name} is missing.", hint=f"`{options.command}` needs --start, --end, --symbols."
            )
    last = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=MOST_DAYS_AHEAD)
    start, end = _date(options.start) or EARLIEST, _date(options.end) or last
    for name, date in (("start", start), ("end", end)):
        if not EARLIEST <= date <= last:
            raise BadDateError(
                f"--{name} was {date}, expected a date from {EARLIEST} to {last}.",
                hint="Databento has no data before, and later ones are waited for.",
            )
    if end < start:
        raise BadDateError(f"--end {end} is before --start {start}.", hint="Both session dates are included.")
    product_type = "future_mbo" if program == "futures" else "equity_mbo"
    products = Lake(options.lake).products
    symbols = tuple(dict.fromkeys(_root(products, product_type, symbol) for symbol in _list(options.symbols)))
    if needed and not symbols:
        raise BadParameterError("--symbols names nothing.", hint=f"For example --symbols {SYMBOLS_EXAMPLE[program]}.")
    if program == "futures":
        base: tuple[str, ...] = BASE_SCHEMAS if options.include_futures else ()
    else:
        base = _list(options.equity_schemas)
        check_schemas(program, "--equity-schemas", base, BASE_SCHEMAS)
    chosen = _list(options.options_schemas)
    check_schemas(f"options of {program}", "--options-schemas", chosen, tuple(OPTION_SCHEMAS[program]))
    if needed and not base and not chosen:
        first = "--include-futures" if program == "futures" else "--equity-schemas mbo"
        raise BadParameterError("No data are named.", hint=f"Give {first}, --options-schemas, or both.")
    return Request(program, start, end, symbols, base, chosen)


def _root(products: Products, product_type: str, symbol: str) -> str:
    """The futures root or ticker that a symbol is; a contract by name is refused, as another might be meant."""
    root = products.find(product_type, symbol).root
    if product_type == "future_mbo" and symbol.strip().upper() != root:
        raise BadParameterError(
            f"--symbols names {symbol!r}, which is a contract of {root} or another name of one; roots alone are taken.",
            hint=f"--symbols {root} orders, of each date, the contract with most volume.",
        )
    return root


def _date(text: str | None) -> dt.date | None:
    return parse_date(text) if text else None


def _list(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in (text or "").split(",") if part.strip()))


def _usd(text: str) -> float:
    return _number(text, MOST_USD)


def _seconds(text: str) -> float:
    return _number(text, MOST_SECONDS)


def _timeout(text: str) -> float:
    seconds = _number(text, MOST_SECONDS)
    if not seconds:
        raise argparse.ArgumentTypeError("a call needs some time: 0 is too short")
    return seconds


def _orders(text: str) -> int:
    number = _number(text, MOST_ORDERS)
    if not number.is_integer():
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number")
    return int(number)


def _number(text: str, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= most:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number from 0 to {most:.0f}")
    return number


def _parser(program: str) -> cli.Parser:
    options_of = "futures" if program == "futures" else "equities"
    built = cli.Parser(
        prog=cli.command_of(f"download {program}", f"batch_download_{program}.py"),
        description=f"Fill the lake with {program} and their options from Databento's batch service.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    built.add_argument("command", choices=COMMANDS)
    built.add_argument("--start", metavar="YYYY-MM-DD", help="the first session date")
    built.add_argument("--end", metavar="YYYY-MM-DD", help="the last session date, included")
    what = "futures roots" if program == "futures" else "tickers"
    built.add_argument("--symbols", metavar="LIST", help=f"{what}, such as {SYMBOLS_EXAMPLE[program]}")
    if program == "futures":
        built.add_argument("--include-futures", action="store_true", help="the front-month contract by volume (mbo)")
    else:
        built.add_argument("--equity-schemas", metavar="LIST", help="of the tickers themselves: mbo")
    example = OPTIONS_EXAMPLE[program]
    help_text = f"of the options of the nearest expiry on these {options_of}: {example}"
    built.add_argument("--options-schemas", metavar="LIST", help=help_text)
    number: dict[str, Any] = {"type": _seconds, "metavar": "SECONDS"}
    built.add_argument("--poll-interval", default=60.0, help="between looks at the jobs (default 60)", **number)
    too_dear = "order nothing if all of it costs more; earlier orders of the same files count (default 25)"
    built.add_argument("--max-cost", type=_usd, default=25.0, metavar="USD", help=too_dear)
    built.add_argument("--dry-run", action="store_true", help="show cost, size and free space, order nothing")
    most = "order nothing if it takes more orders in one run (default 500)"
    built.add_argument("--max-orders", type=_orders, default=500, metavar="N", help=most)
    built.add_argument("--resubmit-expired", action="store_true", help="order anew what expired before it was fetched")
    lost = "order anew what may have been bought already: look in Databento's portal first"
    built.add_argument("--resubmit-lost", action="store_true", help=lost)
    built.add_argument("--decompress", action="store_true", help="keep the uncompressed .dbn too: it starts faster")
    built.add_argument("--lake", metavar="DIRECTORY", help="the lake (default VP_LAKE, else ./lake)")
    built.add_argument("--log-file", metavar="FILE", help="write the log there too")
    built.add_argument("--retry-seconds", default=1.0, help="first pause after a fault, doubling (default 1)", **number)
    settle = "how long an order whose answer was lost is looked for among Databento's jobs (default 120)"
    built.add_argument("--settle-seconds", default=120.0, help=settle, **number)
    quiet = "for which nothing may move before a call counts as hung (default 30)"
    built.add_argument("--timeout-seconds", type=_timeout, default=30.0, metavar="SECONDS", help=quiet)
    return built
