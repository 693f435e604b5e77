"""Which sessions there are to record, where each goes, and which are done."""

from __future__ import annotations

import dataclasses
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vp.backfill.finished import Finished, FinishedOutputs
from vp.backfill.job import Job, RecordingJob
from vp.dbn.opened_lake import open_lake
from vp.errors import NoRawFileError, ObjectStoreError, VPError
from vp.lake.input_identity import InputIdentities
from vp.lake.lake import Lake
from vp.market.products import Product, canonical_symbol
from vp.model.recording_task import RecordingTask
from vp.model.session import SessionSpec

READERS = 8
EXPANSION = 4  # of compressed market-by-order files, about
ENDING = ".parquet"


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes
    ----------
    session : SessionSpec
        All but symbol and date.
    symbols : tuple of str
        None: every root or ticker of the product type that the lake holds.
    first, last : datetime.date or None
        None: as far as the lake goes.
    fields : tuple of str, optional
        Grid columns wanted; None: all.
    out : Path
        A directory.
    """

    session: SessionSpec
    symbols: tuple[str, ...]
    first: dt.date | None
    last: dt.date | None
    fields: tuple[str, ...] | None
    out: Path


@dataclass(frozen=True)
class Refusal:
    """A session or symbol for which there can be no job, and why."""

    name: str
    error: VPError


@dataclass(frozen=True)
class Plan:
    """What there is to do.

    Attributes
    ----------
    jobs : tuple of Job
        Recordings, longest first.
    done : tuple of Job
        Those whose outputs are there.
    outdated : frozenset of Path
        Outputs of `jobs` that are there, of other inputs, software or requests.
    refused : tuple of Refusal
    """

    jobs: tuple[Job, ...]
    done: tuple[Job, ...]
    outdated: frozenset[Path]
    refused: tuple[Refusal, ...]


def plan(request: Request, identities: InputIdentities | None = None, outputs: Finished | None = None) -> Plan:
    """Expand symbols and dates over the lake, and look which outputs are there.

    What is wrong with one symbol or session is its refusal, and hinders no other.

    Parameters
    ----------
    request : Request
    identities : InputIdentities, optional
        Of the lake's files, where they are not those of a disk.
    outputs : Finished, optional
        What is there, where it is not in the directory that is asked for.

    Raises
    ------
    LakeError, ProductsFileError, ObjectStoreError
    """
    if identities is None:
        identities = InputIdentities(open_lake(request.session.lake, request.session.products))
    outputs = outputs or FinishedOutputs(request.out)
    lake = identities.lake
    tasks: dict[RecordingTask, int] = {}
    refused: list[Refusal] = []
    for symbol in dict.fromkeys(request.symbols or _every_symbol(lake, request.session.product_type)):
        try:
            product = lake.products.find(request.session.product_type, symbol)
            dates = _dates(lake, product, request)
        except VPError as error:
            refused.append(Refusal(symbol, error))
            continue
        for date, size_bytes in dates:
            spec = dataclasses.replace(request.session, symbol=canonical_symbol(product, symbol), dt=str(date))
            tasks[RecordingTask(spec, request.fields)] = size_bytes  # of `es` and `ES` there is one
    with ThreadPoolExecutor(READERS) as pool:  # a store may take a while over each answer
        digests = list(pool.map(lambda task: _digest(task, identities), tasks))
        jobs = []
        for (task, size_bytes), digest in zip(tasks.items(), digests, strict=True):
            if isinstance(digest, VPError):
                refused.append(Refusal(f"{task.session.symbol} {task.session.dt}", digest))
            else:
                jobs.append(RecordingJob(task, _place(request.out, task.session), digest, size_bytes))
        found = list(pool.map(lambda job: outputs.digest(job.out), jobs))
    if any(found):
        outputs.remember()
    left = [job for job, digest in zip(jobs, found, strict=True) if digest != job.digest]
    return Plan(
        tuple(sorted(left, key=lambda job: (-job.size_bytes, job.name))),
        tuple(job for job, digest in zip(jobs, found, strict=True) if digest == job.digest),
        frozenset(job.out for job in left if outputs.holds(job.out)),
        tuple(refused),
    )


def _digest(task: RecordingTask, identities: InputIdentities) -> str | VPError:
    try:
        return task.digest(identities)
    except ObjectStoreError:  # of no one session
        raise
    except VPError as error:
        return error


def _every_symbol(lake: Lake, product_type: str) -> list[str]:
    return list(dict.fromkeys(one.symbol for one in lake.sessions() if one.product_type == product_type))


def _dates(lake: Lake, product: Product, request: Request) -> list[tuple[dt.date, int]]:
    """The days that the lake holds of a product, with how much each is to read; raises NoRawFileError, LakeError."""
    first, last = request.first or dt.date.min, request.last or dt.date.max
    held = [entry for entry in lake.sessions_of(product) if first <= entry.date <= last]
    if not held:
        known = lake.dates(product)
        days = f" from {first} to {last}; it holds {known[0]} to {known[-1]}" if known else ""
        raise NoRawFileError(
            f"The lake {lake.root} holds nothing of {product.root}{days}.", hint="`vp lake list` shows what there is."
        )
    return [
        (entry.date, sum(raw.size_bytes * (EXPANSION if raw.compressed else 1) for raw in entry.inputs[0].files))
        for entry in held
    ]


def _place(directory: Path, spec: SessionSpec) -> Path:
    return directory / f"{spec.product_type}-{quote(spec.symbol, safe='')}-{spec.dt}{ENDING}"
