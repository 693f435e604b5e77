"""A plan whose lake, or whose outputs, or both lie in object storage."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from vp.backfill.finished_objects import FinishedObjects
from vp.backfill.job import Job, RecordingJob
from vp.backfill.object_job import ObjectJob
from vp.backfill.object_lake import ObjectIdentities, outline
from vp.backfill.plan import Plan, Refusal, Request, plan
from vp.dbn.opened_lake import open_lake
from vp.errors import VPError
from vp.objects.location import Location
from vp.objects.staging import Staging
from vp.objects.store import ObjectStore


@dataclass(frozen=True)
class ObjectPlaces:
    """What of a backfill lies in object storage, and where it is staged.

    Attributes
    ----------
    source : Location or None
        Of the lake; None: on a disk.
    target : Location or None
        Of the outputs; None: on a disk.
    staging : Staging
    """

    source: Location | None
    target: Location | None
    staging: Staging


def plan_objects(request: Request, places: ObjectPlaces, root: Path) -> Plan:
    """As plan, with jobs that stage in and out.

    Parameters
    ----------
    request : Request
        Its lake is `root`, where the lake is in object storage.
    places : ObjectPlaces
    root : Path
        An empty directory, for as long as it is planned.

    Raises
    ------
    VPError
    """
    outputs = None if places.target is None else FinishedObjects(ObjectStore(places.target))
    if places.source is None:
        made = plan(request, outputs=outputs)
        return _staged(made, places, None)
    store = ObjectStore(places.source)
    outline(store, request.session.product_type, root)
    identities = ObjectIdentities(open_lake(str(root), request.session.products), store)
    made = plan(request, identities, outputs)
    refused = tuple(_named(one, str(root), str(places.source)) for one in made.refused)
    return _staged(dataclasses.replace(made, refused=refused), places, identities)


def _staged(made: Plan, places: ObjectPlaces, identities: ObjectIdentities | None) -> Plan:
    def of(job: Job, *, is_left: bool) -> Job:
        assert isinstance(job, RecordingJob)
        wanted = () if identities is None or not is_left else identities.wanted(job.task)
        return ObjectJob(job, places.staging, places.source, places.target, wanted)

    return dataclasses.replace(
        made,
        jobs=tuple(of(job, is_left=True) for job in made.jobs),
        done=tuple(of(job, is_left=False) for job in made.done),
    )


def _named(refusal: Refusal, root: str, place: str) -> Refusal:
    """A refusal that speaks of the lake, and not of its outline."""
    error: VPError = refusal.error
    error.message, error.hint = (text.replace(root, place) for text in (error.message, error.hint))
    return refusal
