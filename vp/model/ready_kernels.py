"""Kernels compiled when a wheel is built, so that a first start need not: made for any x86-64 processor of level 3.

`python -m vp.model.ready_kernels DIRECTORY` builds them. A first start puts them where numba looks for its own
(vp.kernels.cache), if they fit the machine; wherever they do not, kernels are compiled.

numba names compiled code by processor and by the place of the sources. So an index file (a pickled version of numba,
then pickled stamp and {(signature, processor, code): file}) is written anew with this machine's processor, and all
files go to the directory for this place. That form of an index is numba's own affair, which is why code of another
version of numba is never taken; files that cannot be understood are passed over.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import pickle
import platform
import subprocess
import sys
import tarfile
import tempfile
from lzma import LZMAError
from pathlib import Path
from typing import Any

import llvmlite
import numba
from llvmlite.binding import get_host_cpu_features
from numba.core.registry import cpu_target

from vp.files import written_whole
from vp.kernels import cache, forward
from vp.kernels.cache_files import sealed
from vp.model import compilation

PROCESSOR = "x86-64-v3"
FEATURES = ("avx", "avx2", "bmi", "bmi2", "cx16", "f16c", "fma", "lzcnt", "movbe", "popcnt", "sse4.2")
DIRECTORY = Path(__file__).parent / "ready"
MOST_BYTES = 64 << 20  # of all files together

log = logging.getLogger(__name__)


def build_ready_kernels(directory: Path = DIRECTORY) -> Path | None:
    """Compile every kernel for PROCESSOR and leave an archive and its conditions in `directory`.

    Returns the archive; None where this system is not the one that they are for.

    Raises
    ------
    subprocess.CalledProcessError
        A kernel could not be compiled.
    """
    if not _is_supported_system():
        return None
    with tempfile.TemporaryDirectory() as temporary:
        _compile_into(Path(temporary))
        data = _pack(Path(temporary))
    directory.mkdir(parents=True, exist_ok=True)
    archive = directory / f"{sys.implementation.cache_tag}.tar.xz"
    archive.write_bytes(data)
    stated = {"conditions": _conditions(), "sha256": hashlib.sha256(data).hexdigest()}
    archive.with_name(f"{sys.implementation.cache_tag}.json").write_text(json.dumps(stated, indent=1) + "\n")
    return archive


def install_ready_kernels(directory: Path = DIRECTORY) -> bool:
    """Put the kernels that came with the wheel where numba looks for them; False where they are not for this machine.

    What cannot be read is passed over with a warning: kernels are compiled instead.
    """
    try:
        stated = json.loads((directory / f"{sys.implementation.cache_tag}.json").read_bytes())
        if stated["conditions"] != _conditions() or not _is_supported_system() or not _is_supported_processor():
            return False
        files = _unpack((directory / f"{sys.implementation.cache_tag}.tar.xz").read_bytes(), stated["sha256"])
        # Code first, then the indexes that name it, for a process that looks meanwhile.
        for name in sorted(files, key=lambda name: name.endswith(".nbi")):
            content = files[name]
            place = _place(name)
            place.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(place, durable=False) as file:
                file.write(_for_this_machine(content) if name.endswith(".nbi") else content)
    except FileNotFoundError:
        return False  # a checkout, or a wheel built for another version of Python
    except (OSError, ValueError, KeyError, TypeError, LZMAError, tarfile.TarError, pickle.PickleError) as error:
        log.warning("the kernels that came with this installation cannot be used (%s): they are compiled", error)
        return False
    return True


def _is_supported_system() -> bool:
    return sys.platform == "linux" and platform.machine() == "x86_64"


def _is_supported_processor() -> bool:
    config: Any = numba.config
    if config.CPU_NAME or config.CPU_FEATURES is not None or config.BOUNDSCHECK:
        return False  # somebody wants other code
    features = get_host_cpu_features()
    return all(features.get(name) for name in FEATURES)


def _conditions() -> dict[str, str]:
    """What must be the same where kernels are compiled and where they are used."""
    return {
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
        "kernels": cache.directory_name(),
        "demonstration": _demonstration_name(),
    }


def _demonstration_name() -> str:
    from vp.demo.compiled import NAME  # noqa: PLC0415 - only a first start has a use for it

    return NAME


def _demonstration() -> Any:
    from vp.demo import book as demo_book  # noqa: PLC0415 - only a first start has a use for it

    return demo_book


def _compile_into(directory: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment |= {
        "NUMBA_CACHE_DIR": str(directory),
        "NUMBA_CPU_NAME": PROCESSOR,
        "NUMBA_CPU_FEATURES": ",".join(f"+{name}" for name in FEATURES),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    program = f"from vp.model.compilation import compile_parts; compile_parts({list(compilation.PARTS)!r})"
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)  # noqa: S603 - our own words


def _pack(directory: Path) -> bytes:
    """Index and code files as kernels/NAME and demonstration/NAME, in the order of their names, without times."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:xz") as archive:
        for path in sorted(directory.rglob("*.nb[ic]"), key=lambda path: path.name):
            part = "demonstration" if _demonstration_name() in path.parts else "kernels"
            member = tarfile.TarInfo(f"{part}/{path.name}")
            member.size = path.stat().st_size
            archive.addfile(member, io.BytesIO(path.read_bytes()))
    return sink.getvalue()


def _unpack(data: bytes, sha256: str) -> dict[str, bytes]:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError("their checksum does not hold")
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:xz") as archive:
        for member in archive:
            left -= member.size
            content = archive.extractfile(member)
            if left < 0 or content is None:
                raise ValueError(f"{member.name} is no file, or too large a one")
            files[member.name] = content.read()
    return files


def _place(name: str) -> Path:
    """Where numba looks for the file, as it says itself of a function that lies beside."""
    part, file = name.split("/")
    if part == "kernels":
        return Path(forward.fast_forward.stats.cache_path, file)
    if part == "demonstration":
        return Path(_demonstration().draw.stats.cache_path, file)
    raise ValueError(f"it holds {name}")


def _for_this_machine(index: bytes) -> bytes:
    source = io.BytesIO(index)
    version = pickle.load(source)  # noqa: S301 - as trusted as the code beside it
    stamp, overloads = pickle.load(source)  # noqa: S301
    processor = cpu_target.target_context.codegen().magic_tuple()
    here = {(signature, processor, code): file for (signature, _, code), file in overloads.items()}
    return sealed(pickle.dumps(version) + pickle.dumps((stamp, here)))


if __name__ == "__main__":
    built = build_ready_kernels(*map(Path, sys.argv[1:2]))
    sys.stdout.write(f"{built or 'nothing: only for Linux on x86-64'}\n")
