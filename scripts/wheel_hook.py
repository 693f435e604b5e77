"""Put compiled kernels into a wheel, for its first start: a hook of hatchling, off unless it is asked for.

`HATCH_BUILD_HOOK_ENABLE_CUSTOM=true uv build --wheel` builds such a wheel for the Python that it runs on. It works
everywhere; where the kernels in it do not fit, they are compiled.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

READY = "vp/model/ready"


class CompiledKernels(BuildHookInterface):  # type: ignore[misc]  # hatchling is there when a wheel is built
    """Compiles in a copy, laid out as the wheel is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the archive and its conditions to the wheel."""
        if version == "editable":
            return
        root = Path(self.root)
        copy = Path(tempfile.mkdtemp(prefix="vp-kernels-"))
        self._copy = copy
        ignored = shutil.ignore_patterns("__pycache__", "ready")
        shutil.copytree(root / "vp", copy / "vp", ignore=lambda at, names: {*ignored(at, names), "kernels"} & {*names})
        shutil.copytree(root / "kernels", copy / "vp" / "kernels", ignore=ignored)
        command = [sys.executable, "-m", "vp.model.ready_kernels", str(copy / "ready")]
        subprocess.run(command, cwd=copy, check=True)  # noqa: S603 - our own words
        for path in sorted((copy / "ready").iterdir()):
            build_data["force_include"][str(path)] = f"{READY}/{path.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Throw the copy away."""
        del build_data, artifact_path
        if version != "editable":
            shutil.rmtree(self._copy, ignore_errors=True)
