"""The service's answers: symbology, conditions, costs, jobs and their files; it refuses what Databento would."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.databento_server import market

PROGRESS = ("queued", "processing", "done")
SCHEMAS = ("mbo", "statistics", "definition", "cmbp-1")
DATASETS = ("GLBX.MDP3", "XNAS.ITCH", "OPRA.PILLAR")
COST_USD = {"mbo": 0.5, "statistics": 0.05, "definition": 0.01, "cmbp-1": 0.75}
SUBMIT_FIELDS = {"encoding": "dbn", "compression": "zstd", "split_duration": "day", "delivery": "download"}


class RefusedError(Exception):
    """An answer with an HTTP status of 400 or more."""

    def __init__(self, status: int, case: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"detail": {"case": case, "message": message, "status_code": status, "docs": None}}


@dataclass
class Job:
    """A batch job."""

    details: dict[str, Any]
    looks: int = 0

    @property
    def state(self) -> str:
        """It moves on each time that the jobs are listed."""
        return str(self.details["state"] or PROGRESS[min(self.looks, len(PROGRESS) - 1)])


@dataclass
class Service:
    """All that the service knows.

    `conditions` overrides the condition of dates (a Saturday is missing), `prices` the prices of the next askings.
    """

    key: str
    address: str = ""
    jobs: list[Job] = field(default_factory=list)
    conditions: dict[str, str] = field(default_factory=dict)
    prices: list[float] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def submitted(self) -> list[tuple[str, str, str]]:
        """Schema, symbols and start of every job."""
        return [(job.details["schema"], job.details["symbols"], job.details["start"]) for job in self.jobs]

    def answer(self, method: str, given: dict[str, str]) -> Any:
        """The JSON of a call; `given` is its form or query string."""
        handler = {
            "symbology.resolve": self._resolve,
            "metadata.get_dataset_condition": self._conditions,
            "metadata.get_cost": self._cost,
            "batch.submit_job": self._submit,
            "batch.list_jobs": self._list_jobs,
            "batch.list_files": self._list_files,
        }.get(method)
        if handler is None:
            raise RefusedError(404, "not_found", f"There is no method {method}.")
        with self.lock:
            return handler(given)

    def stream(self, given: dict[str, str]) -> bytes:
        """A file of timeseries.get_range."""
        if given.get("encoding") != "dbn" or given.get("compression") != "zstd":
            raise RefusedError(422, "bad_encoding", "Expected dbn, zstd.")
        return self._file(_query(given))

    def file(self, job_id: str, name: str) -> bytes:
        """A file of a job."""
        with self.lock:
            job = self._job(job_id)
            if job.state == "expired":
                raise RefusedError(410, "batch_job_expired", f"Job {job_id} has expired.")
            files = self._files(job)
        if name not in files:
            raise RefusedError(404, "not_found", f"No file {name}.")
        return files[name]

    def _resolve(self, given: dict[str, str]) -> dict[str, Any]:
        start, end = _date(given["start_date"]), _date(given["end_date"])
        kind = (given["stype_in"], given["stype_out"])
        known = {("continuous", "instrument_id"), ("instrument_id", "raw_symbol"), ("parent", "instrument_id")}
        if kind not in known or (kind[0] == "continuous" and given["dataset"] != "GLBX.MDP3"):
            raise RefusedError(422, "symbology_invalid_request", f"Cannot resolve {kind} on {given['dataset']}.")
        symbols = given["symbols"].split(",")
        result: dict[str, list[dict[str, str]]] = {}
        for symbol in symbols:
            intervals: list[dict[str, str]] = []
            for ahead in range((end - start).days):
                day = start + dt.timedelta(days=ahead)
                until = str(day + dt.timedelta(days=1))
                intervals += [{"d0": str(day), "d1": until, "s": out} for out in _resolved(kind[0], symbol, day)]
            if intervals:
                result[symbol] = intervals
        missing = [symbol for symbol in symbols if symbol not in result]
        return {"result": result, "symbols": symbols, "stype_in": kind[0], "stype_out": kind[1], "partial": [],
                "start_date": str(start), "end_date": str(end), "not_found": missing,
                "message": "OK" if not missing else "Not found", "status": 2 if missing else 0}  # fmt: skip

    def _conditions(self, given: dict[str, str]) -> list[dict[str, str]]:
        start, end = _date(given["start_date"]), _date(given["end_date"])
        days = [start + dt.timedelta(days=ahead) for ahead in range((end - start).days + 1)]
        usual = {day: "missing" if day.weekday() == 5 else "available" for day in days}
        return [
            {"date": str(day), "condition": self.conditions.get(str(day), usual[day]),
             "last_modified_date": str(day)}
            for day in days
        ]  # fmt: skip

    def _cost(self, given: dict[str, str]) -> float:
        query = _query(given)
        if self.prices:
            return self.prices.pop(0)
        days: int = (query["end"] - query["start"]).days
        return COST_USD[query["schema"]] * days

    def _submit(self, given: dict[str, str]) -> dict[str, Any]:
        query = _query(given)
        for name, expected in SUBMIT_FIELDS.items():
            if given.get(name) != expected:
                raise RefusedError(422, "bad_request", f"{name} was {given.get(name)}, expected {expected}.")
        received = dt.datetime.now(dt.UTC)
        details = {
            "id": f"{query['dataset'].partition('.')[0]}-{received:%Y%m%d}-{len(self.jobs):06d}", "user_id": "TESTER",
            "cost_usd": None, "dataset": query["dataset"], "symbols": given["symbols"], "stype_in": given["stype_in"],
            "stype_out": "instrument_id", "schema": query["schema"], "start": f"{query['start']}T00:00:00.000000000Z",
            "end": f"{query['end']}T00:00:00.000000000Z", "limit": None, **SUBMIT_FIELDS, "split_size": None,
            "state": None, "ts_received": received.isoformat(),
        }  # fmt: skip
        self.jobs.append(Job(details))
        return details | {"state": "queued"}

    def _list_jobs(self, given: dict[str, str]) -> list[dict[str, Any]]:
        states = given["states"].split(",")
        since = dt.datetime.fromisoformat(given["since"])
        listed = []
        for job in self.jobs:
            if dt.datetime.fromisoformat(job.details["ts_received"]) < since:
                continue
            if job.state in states:
                listed.append(job.details | {"state": job.state})
            job.looks += 1
        return listed

    def _list_files(self, given: dict[str, str]) -> list[dict[str, Any]]:
        job = self._job(given["job_id"])
        if job.state != "done":
            raise RefusedError(422, "batch_job_not_done", f"Job {given['job_id']} is {job.state}.")
        return [
            {"filename": name, "size": len(data), "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
             "urls": {"https": f"{self.address}/v0/batch/download/TESTER/{given['job_id']}/{name}"}}
            for name, data in self._files(job).items()
        ]  # fmt: skip

    def _job(self, job_id: str) -> Job:
        for job in self.jobs:
            if job.details["id"] == job_id:
                return job
        raise RefusedError(404, "batch_job_not_found", f"No job {job_id}.")

    def _files(self, job: Job) -> dict[str, bytes]:
        query = _query(job.details)
        name = f"{query['dataset'].lower().replace('.', '-')}-{query['start']:%Y%m%d}.{query['schema']}.dbn.zst"
        return {
            "metadata.json": json.dumps({"job_id": job.details["id"]}).encode(),
            "condition.json": b"[]",
            name: self._file(query),
        }

    def _file(self, query: dict[str, Any]) -> bytes:
        return market.file_of(query["dataset"], query["schema"], query["stype_in"], query["symbols"], query["start"])


def _query(given: dict[str, Any]) -> dict[str, Any]:
    try:
        query = {
            "dataset": given["dataset"], "schema": given["schema"], "stype_in": given["stype_in"],
            "symbols": tuple(given["symbols"].split(",")), "start": _date(given["start"]), "end": _date(given["end"]),
        }  # fmt: skip
    except (KeyError, ValueError) as error:
        raise RefusedError(422, "bad_request", f"Cannot be understood: {error}.") from None
    if query["dataset"] not in DATASETS or query["schema"] not in SCHEMAS or len(query["symbols"]) > 2000:
        raise RefusedError(422, "bad_request", "Unknown dataset or schema, or too many symbols.")
    if query["stype_in"] not in ("raw_symbol", "parent") or query["end"] <= query["start"]:
        raise RefusedError(422, "bad_request", "Bad symbology type or range.")
    if query["symbols"] == ("NOSUCH",):
        raise RefusedError(422, "symbology_invalid_symbol", "None of the symbols could be resolved.")
    return query


def _resolved(stype_in: str, symbol: str, day: dt.date) -> list[str]:
    root, _, rest = symbol.partition(".")
    if stype_in == "continuous":
        return [str(market.instrument_id(market.CONTRACTS[root]))] if rest == "v.0" and root in market.CONTRACTS else []
    if stype_in == "parent":
        return [str(market.instrument_id(option.symbol)) for option in market.options_of(symbol, day)]
    return [name for name in market.CONTRACTS.values() if str(market.instrument_id(name)) == symbol]


def _date(text: str) -> dt.date:
    return dt.date.fromisoformat(text[:10])
