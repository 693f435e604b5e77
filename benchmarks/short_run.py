"""`python -m benchmarks.short_run`: the start after a recording of a minute, of a compressed file and a plain one."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import starts, workload
from benchmarks.__main__ import ROOT, WORK
from benchmarks.starts import SESSION

END_TIME = "09:31"


def main() -> int:
    """Print the medians of the starts, taken in turns, and their ratio; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.short_run", description=__doc__)
    parser.add_argument("--anchors", type=Path, default=ROOT.parent / "shared" / "bench", help="marketgen.py")
    parser.add_argument("--directory", type=Path, default=WORK, help="for workload and lakes")
    parser.add_argument("--records", type=int, default=16_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--recorded", action="store_true", help="go on from what the recordings of the last time left")
    options = parser.parse_args()
    file = workload.make(options.anchors, options.directory, options.records)
    lakes = {form: workload.lake(options.directory, file, compressed=form == "zst") for form in ("dbn", "zst")}
    kept = {form: lake.with_name(f"{lake.name}-short-run") for form, lake in lakes.items()}
    for form, lake in lakes.items():
        if not options.recorded:
            shutil.rmtree(kept[form], ignore_errors=True)
            record_a_minute(lake, kept[form])
    seconds: dict[str, list[float]] = {form: [] for form in lakes}
    for _round in range(options.rounds):
        for form, lake in lakes.items():
            shutil.rmtree(lake / "cache", ignore_errors=True)
            shutil.copytree(kept[form], lake / "cache", copy_function=os.link)
            seconds[form].append(starts.start(lake, cold=False).seconds)
            print(f"{form}: {seconds[form][-1]:.2f} s", flush=True)
    medians = {form: statistics.median(taken) for form, taken in seconds.items()}
    print(*(f"{form}: median {median:.2f} s" for form, median in medians.items()), sep="\n")
    print(f"ratio: {medians['zst'] / medians['dbn']:.2f}")
    return 0


def record_a_minute(lake: Path, kept: Path) -> None:
    """Put aside what `vp.record` leaves in the cache of a lake that had none."""
    shutil.rmtree(lake / "cache", ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=lake.parent) as directory:
        command = [sys.executable, "-m", "vp.record", "--lake", str(lake), *SESSION, "--end-time", END_TIME]
        subprocess.run([*command, "--out", f"{directory}/minute.arrow"], check=True, stdout=subprocess.DEVNULL)
    (lake / "cache").rename(kept)


if __name__ == "__main__":
    sys.exit(main())
