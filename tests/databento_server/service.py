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

PROGRESS = ("received", "queued", "processing", "done")
FILTERABLE = ("queued", "processing", "done", "expired")
USUALLY_LISTED = ("received", "queued", "processing", "done")
SHORT_FORM = ("id", "state", "ts_received")
SCHEMAS = ("mbo", "statistics", "definition", "cmbp-1")
DATASETS = ("GLBX.MDP3", "XNAS.ITCH", "OPRA.PILLAR")
COST_USD = {"mbo": 0.5, "statistics": 0.05, "definition": 0.01, "cmbp-1": 0.75}
SIZE_BYTES = 3_000_000
SUBMIT_FIELDS = {"encoding": "dbn", "compression": "zstd", "split_duration": "day", "delivery": "download"}


class RefusedError(Exception):
    """An answer with an HTTP status of 400 or more."""

    def __init__(self, status: int, case: str, message: str) -> None:
        super().__init__(f"{status} {case}: {message}")
        self.status = status
        self.body = {"detail": {"case": case, "message": message, "status_code": status, "docs": None}}


@dataclass
class Job:
    """A batch job; `cost_usd` is what it costs, which its details tell once it is done."""

    details: dict[str, Any]
    cost_usd: float
    looks: int = 0

    @property
    def state(self) -> str:
        """It moves on each time that someone asks about it."""
        return str(self.details["state"] or PROGRESS[min(self.looks, len(PROGRESS) - 1)])

    def told(self) -> dict[str, Any]:
        """Every field."""
        return self.details | {"state": self.state, "cost_usd": self.cost_usd if self.state == "done" else None}


@dataclass
class Service:
    """All that the service knows.

    Attributes
    ----------
    conditions : dict
        Conditions by date where they are not the usual ones (a Saturday is missing, a Sunday is not listed at all);
        "" takes a date off the list, as a holiday is.
    prices : list of float
        Of the next askings, where they are not the usual ones.
    refusals : dict
        By dataset, what every call that names it is answered.
    old_list : bool
        `list_jobs` tells every field, as it did until the autumn of 2026, and there is no `get_job_details`.
    unlisted_looks : int
        How often the list is asked for before it shows a new job.
    clock_offset : datetime.timedelta
        How far the service's clock is ahead of this machine's.
    two_files : bool
        A job's data come in two files.
    other_symbols : dict
        Of which symbols a job's file is that was ordered for others.
    streamed_usd : float
        What streams cost that were begun, whether or not they came to their end.
    """

    key: str
    address: str = ""
    jobs: list[Job] = field(default_factory=list)
    conditions: dict[str, str] = field(default_factory=dict)
    prices: list[float] = field(default_factory=list)
    refusals: dict[str, RefusedError] = field(default_factory=dict)
    old_list: bool = False
    unlisted_looks: int = 0
    clock_offset: dt.timedelta = dt.timedelta(0)
    two_files: bool = False
    other_symbols: dict[str, str] = field(default_factory=dict)
    streamed_usd: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def submitted(self) -> list[tuple[str, str, str]]:
        """Schema, symbols and start of every job."""
        return [(job.details["schema"], job.details["symbols"], job.details["start"]) for job in self.jobs]

    def bought_usd(self) -> float:
        """What everything cost that was ever bought."""
        return sum(job.cost_usd for job in self.jobs) + self.streamed_usd

    def day(self, job: int) -> dt.date:
        """The date of a job, by its place among all of them."""
        return _date(self.jobs[job].details["start"])

    def files_of(self, job: int) -> dict[str, bytes]:
        """What a job's one file would be, whatever `two_files` says."""
        query = _query(self.jobs[job].details)
        return {f"{_stem(query)}.dbn.zst": self._file(query)}

    def answer(self, method: str, given: dict[str, str]) -> Any:
        """The JSON of a call; `given` is its form or query string."""
        handler = {
            "symbology.resolve": self._resolve,
            "metadata.get_dataset_condition": self._conditions,
            "metadata.get_cost": self._cost,
            "metadata.get_billable_size": self._billable_size,
            "batch.submit_job": self._submit,
            "batch.list_jobs": self._list_jobs,
            "batch.get_job_details": None if self.old_list else self._get_job_details,
            "batch.list_files": self._list_files,
        }.get(method)
        if handler is None:
            raise RefusedError(404, "not_found", f"There is no method {method}.")
        with self.lock:
            self._refuse(given)
            return handler(given)

    def stream(self, given: dict[str, str]) -> bytes:
        """A file of timeseries.get_range."""
        if given.get("encoding") != "dbn" or given.get("compression") != "zstd":
            raise RefusedError(422, "bad_encoding", "Expected dbn, zstd.")
        query = _query(given)
        with self.lock:
            self._refuse(given)
            self.streamed_usd += COST_USD[query["schema"]]
        return self._file(query)

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
        days = [start + dt.timedelta(days=ahead) for ahead in range((end - start).days)]
        if kind[0] == "parent":
            unknown = [symbol for symbol in symbols if not any(market.options_of(symbol, day) for day in days)]
            if unknown:
                raise RefusedError(
                    422, "symbology_invalid_request", f"Could not resolve smart symbols: {', '.join(unknown)}"
                )
        result: dict[str, list[dict[str, str]]] = {}
        for symbol in symbols:
            for day in days:
                until = str(day + dt.timedelta(days=1))
                for name, out in _resolved(kind[0], symbol, day):
                    result.setdefault(name, []).append({"d0": str(day), "d1": until, "s": out})
        missing = [symbol for symbol in symbols if kind[0] != "parent" and symbol not in result]
        return {"result": result, "symbols": symbols, "stype_in": kind[0], "stype_out": kind[1], "partial": [],
                "start_date": str(start), "end_date": str(end), "not_found": missing,
                "message": "OK" if not missing else "Not found", "status": 2 if missing else 0}  # fmt: skip

    def _conditions(self, given: dict[str, str]) -> list[dict[str, str]]:
        start, end = _date(given["start_date"]), _date(given["end_date"])
        days = [start + dt.timedelta(days=ahead) for ahead in range((end - start).days + 1)]
        usual = ("available", "available", "available", "available", "available", "missing", "")
        told = {str(day): self.conditions.get(str(day), usual[day.weekday()]) for day in days}
        return [
            {"date": day, "condition": condition, "last_modified_date": day}
            for day, condition in told.items()
            if condition
        ]

    def _cost(self, given: dict[str, str]) -> float:
        query = _query(given)
        if self.prices:
            return self.prices.pop(0)
        days: int = (query["end"] - query["start"]).days
        return COST_USD[query["schema"]] * days

    def _billable_size(self, given: dict[str, str]) -> int:
        return SIZE_BYTES * len(_query(given)["symbols"])

    def _refuse(self, given: dict[str, str]) -> None:
        refusal = self.refusals.get(given.get("dataset", ""))
        if refusal is not None:
            raise refusal

    def _submit(self, given: dict[str, str]) -> dict[str, Any]:
        query = _query(given)
        for name, expected in SUBMIT_FIELDS.items():
            if given.get(name) != expected:
                raise RefusedError(422, "bad_request", f"{name} was {given.get(name)}, expected {expected}.")
        received = dt.datetime.now(dt.UTC) + self.clock_offset
        details = {
            "id": f"{query['dataset'].partition('.')[0]}-{received:%Y%m%d}-{len(self.jobs):06d}", "user_id": "TESTER",
            "bill_id": None, "cost_usd": None, "dataset": query["dataset"], "symbols": given["symbols"],
            "stype_in": given["stype_in"], "stype_out": "instrument_id", "schema": query["schema"],
            "start": _nine_digits(query["start"]), "end": _nine_digits(query["end"]), "limit": None,
            **SUBMIT_FIELDS, "pretty_px": False, "pretty_ts": False, "map_symbols": False, "split_symbols": False,
            "split_size": None, "packaging": None, "record_count": 1000, "billed_size": SIZE_BYTES,
            "actual_size": SIZE_BYTES, "package_size": SIZE_BYTES // 10, "state": None,
            "ts_received": f"{received:%Y-%m-%dT%H:%M:%S.%f}000Z", "ts_queued": None, "ts_process_start": None,
            "ts_process_done": None, "ts_expiration": None,
        }  # fmt: skip
        self.jobs.append(Job(details, COST_USD[query["schema"]], -self.unlisted_looks))
        return details | {"state": "received"}

    def _list_jobs(self, given: dict[str, str]) -> list[dict[str, Any]]:
        states = given["states"].split(",") if "states" in given else USUALLY_LISTED
        if "states" in given and not set(states) <= set(FILTERABLE):
            raise RefusedError(422, "bad_request", f"states was {given['states']}.")
        since = _moment(given["since"]) if "since" in given else dt.datetime.min.replace(tzinfo=dt.UTC)
        listed = []
        for job in self.jobs:
            if _moment(job.details["ts_received"]) < since:
                continue
            if job.looks >= 0 and job.state in states:
                told = job.told()
                listed.append(told if self.old_list else {name: told[name] for name in SHORT_FORM})
            job.looks += 1
        return listed

    def _get_job_details(self, given: dict[str, str]) -> dict[str, Any]:
        job = self._job(given["job_id"])
        job.looks += 1
        return job.told()

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
        stem = _stem(query)
        support = {
            "metadata.json": json.dumps({"job_id": job.details["id"]}).encode(),
            "condition.json": b"[]",
        }
        if self.two_files:
            return support | {f"{stem}.{half + 1}.dbn.zst": self._file(query, half) for half in (0, 1)}
        return support | {f"{stem}.dbn.zst": self._file(query)}

    def _file(self, query: dict[str, Any], half: int | None = None) -> bytes:
        symbols = tuple(self.other_symbols.get(symbol, symbol) for symbol in query["symbols"])
        return market.file_of(query["dataset"], query["schema"], query["stype_in"], symbols, query["start"], half)


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


def _resolved(stype_in: str, symbol: str, day: dt.date) -> list[tuple[str, str]]:
    """Keys of the answer and what they stand for; a parent's keys are its contracts."""
    root, _, rest = symbol.partition(".")
    if stype_in == "continuous":
        known = rest == "v.0" and root in market.CONTRACTS
        return [(symbol, str(market.instrument_id(market.CONTRACTS[root])))] if known else []
    if stype_in == "parent":
        return [(o.symbol, str(market.instrument_id(o.symbol))) for o in market.options_of(symbol, day)]
    return [(symbol, name) for name in market.CONTRACTS.values() if str(market.instrument_id(name)) == symbol]


def _stem(query: dict[str, Any]) -> str:
    return f"{query['dataset'].lower().replace('.', '-')}-{query['start']:%Y%m%d}.{query['schema']}"


def _nine_digits(date: dt.date) -> str:
    return f"{date}T00:00:00.000000000Z"


def _moment(text: str) -> dt.datetime:
    """A moment as either side writes it, to the microsecond."""
    whole, _, rest = text.removesuffix("Z").removesuffix("+00:00").partition(".")
    moment = dt.datetime.fromisoformat(whole).replace(tzinfo=dt.UTC)
    return moment + dt.timedelta(microseconds=int((rest + "000000")[:6]))


def _date(text: str) -> dt.date:
    return dt.date.fromisoformat(text[:10])
