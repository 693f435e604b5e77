#!/usr/bin/env python3
"""Look the installed packages up among known vulnerabilities; 1 if one has any, 0 if none has or nobody could be asked.

uv run python scripts/audit.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

TIMEOUT_SECONDS = 120
OWN = "vacuum-pressure"


def main() -> int:
    """Run; returns the exit code."""
    pinned = sorted(f"{one.name}=={one.version}" for one in metadata.distributions() if one.name != OWN)
    with tempfile.TemporaryDirectory() as directory:
        listed = Path(directory) / "installed.txt"
        listed.write_text("\n".join(pinned) + "\n")
        command = [sys.executable, "-m", "pip_audit", "-r", str(listed), "--disable-pip", "--no-deps"]
        command += ["--format", "json", "--progress-spinner", "off", "--timeout", "15"]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            print("audit: the advisory service did not answer; nothing was looked up", file=sys.stderr)
            return 0
    code, said = verdict(ended.stdout, ended.stderr)
    print(f"audit: {said}", file=sys.stderr)
    return code


def verdict(report: str, complaint: str) -> tuple[int, str]:
    """The exit code and what to say, from pip-audit's JSON report and what it said besides."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = complaint.strip().splitlines()[-1:] or ["no report"]
        return 0, f"the advisory service could not be asked; nothing was looked up ({last[0][:200]})"
    asked = [package for package in packages if "skip_reason" not in package]
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'none'}"
        for package in asked
        for flaw in package["vulns"]
    ]
    if found:
        return 1, "known vulnerabilities\n  " + "\n  ".join(found)
    if not asked:
        return 0, f"the advisory service knows none of the {len(packages)} packages; nothing was looked up"
    return 0, f"{len(asked)} of {len(packages)} packages looked up, no known vulnerability"


if __name__ == "__main__":
    sys.exit(main())
