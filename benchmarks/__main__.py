"""`scripts/bench`: run every measurement side by side and write docs/performance.md."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import anchor, kernel_rates, report, starts, stream, workload

ROOT = Path(__file__).parent.parent
WORK = Path(tempfile.gettempdir()) / "vp-bench"
KERNEL_TURNS = 3  # a round: a turn is short, and the machine has its moods


def main() -> int:
    """Run; returns the exit code."""
    options = _options()
    options.directory.mkdir(parents=True, exist_ok=True)
    if not (options.anchors / "marketgen.py").exists():
        sys.exit(f"error: there is no marketgen.py in {options.anchors}\nhint: --anchors names the directory it is in.")
    native = anchor.build(options.anchors, options.directory)
    say("making the workload")
    file = workload.make(options.anchors, options.directory, options.records)
    figures = report.Figures(rounds=options.rounds)
    measure_kernels(figures, file, native, options.rounds)
    measure_growth(figures, options)
    measure_starts(figures, options, file)
    measure_stream(figures, options, file)
    options.out.write_text(report.markdown(figures, native is not None))
    say(f"written: {options.out}")
    return 0


def measure_kernels(figures: report.Figures, file: Path, native: Path | None, rounds: int) -> None:
    """VP's loops and the anchor's, in turns."""
    events = kernel_rates.load(file)
    figures.records = len(events)
    turns = KERNEL_TURNS * rounds
    for turn in range(turns + 1):  # the first warms up
        say(f"kernels {turn}/{turns}")
        peer = anchor.run(native, file) if native else None
        book, forward = kernel_rates.forward(events)
        if peer is not None and peer[0] != book:
            sys.exit(f"error: the books differ: {peer[0]} in the anchor, {book} in VP")
        measured = {
            "peer": peer[1] if peer else float("nan"),
            "forward": forward,
            "two_books": kernel_rates.two_books(events),
            "engine": kernel_rates.engine(events),
            "frames": kernel_rates.frames(events),
            "decode": kernel_rates.decode(file),
            "copy": kernel_rates.numpy_copy(file),
        }
        if turn:
            figures.rates.append(measured)


def measure_growth(figures: report.Figures, options: argparse.Namespace) -> None:
    """Cost of a record of whole files of growing length."""
    for records in options.sizes:
        file = workload.make(options.anchors, options.directory, records)
        say(f"growth: {records:,} records")
        seconds = [kernel_rates.from_file(file) for _ in range(options.rounds)]
        book, engine = (statistics.median(column) * 1e9 for column in zip(*seconds, strict=True))
        figures.growth.append((records, book, engine))


def measure_starts(figures: report.Figures, options: argparse.Namespace, file: Path) -> None:
    """Cold and warm, compressed and not."""
    plain = workload.lake(options.directory, file, compressed=False)
    packed = workload.lake(options.directory, file, compressed=True)
    say("the very first start")
    figures.first_ever = starts.first_ever(plain)
    for turn in range(options.rounds):
        say(f"starts {turn + 1}/{options.rounds}")
        figures.zstd.append(starts.zstd_seconds(packed))
        figures.cold.append(starts.start(packed, cold=True))
        figures.warm_packed.append(starts.start(packed, cold=False))
        starts.start(plain, cold=True)
        figures.warm_plain.append(starts.start(plain, cold=False))
        figures.help.append(starts.help_seconds())
    longest = max(options.sizes)
    say(f"memory at {longest:,} records")
    long_lake = workload.lake(
        options.directory, workload.make(options.anchors, options.directory, longest), compressed=True
    )
    figures.longest = (longest, starts.start(long_lake, cold=True).private_bytes)


def measure_stream(figures: report.Figures, options: argparse.Namespace, file: Path) -> None:
    """Frames over a websocket."""
    plain = workload.lake(options.directory, file, compressed=False)
    for turn in range(options.rounds):
        say(f"stream {turn + 1}/{options.rounds}")
        rate, frame_bytes = stream.frames_per_second(plain, stream.CONSTANT_MESSAGES)
        figures.streamed.append(rate)
        figures.constant.append(stream.constant_messages_per_second(frame_bytes, stream.CONSTANT_MESSAGES))
        figures.delays_ms += stream.delays_ms(plain, options.seconds).tolist()


def say(line: str) -> None:
    """Progress on stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    whole: Callable[[str], int] = lambda text: int(float(text))  # noqa: E731
    parser.add_argument("--anchors", type=Path, default=ROOT.parent / "shared" / "bench", help="marketgen.py, peer.cpp")
    parser.add_argument("--directory", type=Path, default=WORK, help="for workloads and lakes")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--records", type=whole, default=16_000_000)
    parser.add_argument("--sizes", type=whole, nargs="+", default=[1_000_000, 4_000_000, 16_000_000, 64_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to listen in real time, a round")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
