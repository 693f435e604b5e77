"""docs/performance.md: the figures as tables, with the machine, the versions and the method."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.starts import Start

PACKAGES = (
    "numba",
    "llvmlite",
    "numpy",
    "pyarrow",
    "databento-dbn",
    "backports.zstd",
    "starlette",
    "uvicorn",
    "websockets",
)


@dataclass
class Figures:
    """What was measured; each list has an entry a round."""

    rounds: int
    records: int = 0
    rates: list[dict[str, float]] = field(default_factory=list)
    growth: list[tuple[int, float, float]] = field(default_factory=list)
    first_ever: tuple[float, float] = (0.0, 0.0)
    zstd: list[float] = field(default_factory=list)
    cold: list[Start] = field(default_factory=list)
    warm_packed: list[Start] = field(default_factory=list)
    warm_plain: list[Start] = field(default_factory=list)
    help: list[float] = field(default_factory=list)
    longest: tuple[int, int] = (0, 0)
    constant: list[float] = field(default_factory=list)
    streamed: list[float] = field(default_factory=list)
    delays_ms: list[float] = field(default_factory=list)  # a frame, of all rounds

    def rate(self, name: str) -> float:
        """Median of a rate over the rounds."""
        return statistics.median(measured[name] for measured in self.rates)

    def ratio(self, name: str, other: str) -> float:
        """Median of the ratio of two rates of the same round."""
        return statistics.median(measured[name] / measured[other] for measured in self.rates)


def markdown(figures: Figures, anchored: bool) -> str:
    """The whole page."""
    return (
        "\n".join(
            [
                *_introduction(figures, anchored),
                *_kernels(figures, anchored),
                *_growth(figures),
                *_starts(figures),
                *_stream(figures),
                *_method(),
            ]
        )
        + "\n"
    )


def _introduction(figures: Figures, anchored: bool) -> list[str]:
    anchor = "a tuned C++ book on the same records" if anchored else "no native anchor (no compiler, or no source)"
    return [
        "# Performance",
        "",
        "Written by `scripts/bench`; run it on your own machine. Figures vary from machine to machine and from run to "
        "run by a tenth and more; ratios are of figures taken right after one another.",
        "",
        f"- Workload: {figures.records:,} generated market-by-order records of one instrument, about 30,000 live "
        f"orders; beside it {anchor}.",
        f"- Medians of {figures.rounds} rounds, of the kernels {len(figures.rates)}.",
        f"- Machine: {_processor()}, {os.cpu_count()} cores, {_memory()}; {platform.system()} {platform.release()}.",
        f"- Python {platform.python_version()}; " + ", ".join(f"{name} {_version(name)}" for name in PACKAGES) + ".",
        "",
    ]


def _kernels(figures: Figures, anchored: bool) -> list[str]:
    def row(what: str, name: str, other: str) -> str:
        ratio = (
            f"{figures.ratio(name, other):.2f} of {'the anchor' if other == 'peer' else 'the copy'}" if other else ""
        )
        if other == "peer" and not anchored:
            ratio = ""
        rate = f"{figures.rate(name) / 1e3:,.0f} thousand" if name == "frames" else f"{figures.rate(name) / 1e6:.1f} M"
        return f"| {what} | {rate} | {ratio} |"

    return [
        "## Kernels, one thread unless said",
        "",
        "| what | a second | ratio |",
        "| --- | --- | --- |",
        *([row("records: the anchor (no queue order)", "peer", "")] if anchored else []),
        row("records: columns in memory to a finished book with queue order", "forward", "peer"),
        row("records: two such books at once, two threads, counted together", "two_books", "peer"),
        row("records: full engine, each touch of a price's cell computed", "engine", "peer"),
        row("records: decoded from the page cache into columns", "decode", "copy"),
        row("records: plain numpy copy of the same columns", "copy", ""),
        row("frames: read from the cells and encoded, one at every market event", "frames", ""),
        "",
        "Both books end in the same state: orders, best prices and total depths are compared in each round.",
        "",
        "One book is built by one thread. Two books that share nothing show what a second thread could add at most. "
        "One book over two threads was tried as a relay, orders on one and levels on the other: the same bits, 1.02 "
        "of the anchor, because finding orders is four fifths of the work and the hand-over eats what the levels save. "
        "Dividing the order ids instead would have both threads look at every record, and a third pass find the best "
        "prices. From a file, decompressing and reading take the second core, and they gain more.",
        "",
    ]


def _growth(figures: Figures) -> list[str]:
    first = figures.growth[0]
    return [
        "## How the cost grows",
        "",
        "From the file to the state, decoding included, one thread:",
        "",
        "| records | book, ns a record | engine, ns a record | against the shortest |",
        "| --- | --- | --- | --- |",
        *(
            f"| {records:,} | {book:.1f} | {engine:.1f} | {book / first[1]:.2f}, {engine / first[2]:.2f} |"
            for records, book, engine in figures.growth
        ),
        "",
    ]


def _starts(figures: Figures) -> list[str]:
    def seconds(starts: Iterable[Start]) -> str:
        return f"{statistics.median(start.seconds for start in starts):.2f} s"

    over = statistics.median(start.seconds - zstd for start, zstd in zip(figures.cold, figures.zstd, strict=True))
    longest, private_bytes = figures.longest
    peak = max(start.private_bytes for start in figures.cold)
    return [
        "## Starting",
        "",
        "From the start of the process to the first frame on a websocket, of a session that starts at 09:30 in New "
        "York, nine tenths into the file:",
        "",
        "| what | time |",
        "| --- | --- |",
        f"| `zstd -dc` of the file alone | {statistics.median(figures.zstd):.2f} s |",
        f"| `.dbn.zst`, no caches | {seconds(figures.cold)} ({over:+.2f} s against `zstd -dc`) |",
        f"| `.dbn.zst`, with caches | {seconds(figures.warm_packed)} |",
        f"| `.dbn`, with caches | {seconds(figures.warm_plain)} |",
        f"| `.dbn`, no caches, the very first start on a machine: kernels compile | {figures.first_ever[0]:.1f} s "
        f"({figures.first_ever[0] - figures.first_ever[1]:+.1f} s) |",
        f"| `--help` | {statistics.median(figures.help):.2f} s |",
        "",
        f"Most private memory at a start without caches: {peak / 1e6:.0f} MB, and {private_bytes / 1e6:.0f} MB for "
        f"{longest:,} records.",
        "",
    ]


def _stream(figures: Figures) -> list[str]:
    streamed, constant = statistics.median(figures.streamed), statistics.median(figures.constant)
    ratio = statistics.median(a / b for a, b in zip(figures.streamed, figures.constant, strict=True))
    median_ms, late_ms = (statistics.quantiles(figures.delays_ms, n=100)[share - 1] for share in (50, 99))
    return [
        "## Streaming to one client on loopback",
        "",
        "| what | figure |",
        "| --- | --- |",
        f"| frames of all fields at `speed=0` | {streamed:,.0f} a second |",
        f"| constant messages of that length, the same server, Starlette's own sending | {constant:,.0f} a second |",
        f"| ratio | {ratio:.2f} |",
        f"| a frame's delay in real time, median of {len(figures.delays_ms):,} | {median_ms:.2f} ms |",
        f"| the same, 99th percentile | {late_ms:.2f} ms |",
        "",
    ]


def _method() -> list[str]:
    return [
        "## Method",
        "",
        "Kernels run in one process over columns that lie in memory, the anchor in its own over records in memory, in "
        "turns; the first turn is not counted. Decoding and the numpy copy read the file from the page cache. Starts "
        "are of `python -m vp.serve` with a client that connects as soon as the address is printed; private memory is "
        "the highest `RssAnon` of a hundred looks a second. A delay is the time from the soonest frame for its event "
        "time, so it holds the server's pacing, the sending and the client; it is counted from the third second on.",
        "",
        "Single kernels can be timed with `uv run pytest tests/bench -n 0 --benchmark-enable`.",
    ]


def _processor() -> str:
    with Path("/proc/cpuinfo").open() as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def _version(name: str) -> str:
    return importlib.metadata.version(name)
