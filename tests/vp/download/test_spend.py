"""Asking prices, sending orders and judging faults, with the real client against the server."""

from __future__ import annotations

import datetime as dt
import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databento_server.http import Fault, Server
from tests.vp.download.programs import KEY
from vp.download.ledger import SUBMITTED, SUBMITTING, Entry, Ledger, Order, Want, now
from vp.download.spend import Budget, Cashier, list_jobs
from vp.download.stopping import Stopping
from vp.download.vendor import Vendor, asked_pause, without_key
from vp.errors import (
    ApiKeyError,
    CostLimitError,
    UncertainSubmissionError,
    VendorRefusedError,
    VendorUnreachableError,
)
from vp.layout import place_of

ORDER = Order(Want(place_of("future_mbo", "mbo"), "MNQ", dt.date(2026, 2, 3)), ("MNQH6",))


@pytest.fixture
def vendor(server: Server) -> Vendor:
    return Vendor(KEY, server.service.address, Stopping(), retry_seconds=0.001)


@pytest.fixture
def cashier(vendor: Vendor, tmp_path: Path) -> Cashier:
    return Cashier(vendor, Ledger(tmp_path), ("future_mbo",), settle_seconds=0.02)


def test_the_budget_counts_what_was_spent() -> None:
    budget = Budget(10.0)
    budget.require(10.0, "x")
    budget.spent_usd = 4.0
    budget.require(6.0, "x")
    with pytest.raises(CostLimitError, match=r"3 jobs would cost 6.01 USD and 4.00 USD were spent before") as refused:
        budget.require(6.01, "3 jobs")
    assert "--max-cost 10.06" in refused.value.hint


@pytest.mark.parametrize("price", [float("nan"), -1.0, float("inf")])
def test_a_price_that_is_none_is_refused(server: Server, cashier: Cashier, price: float) -> None:
    server.service.prices = [0.25, price]
    assert cashier.price(ORDER) == 0.25
    with pytest.raises(VendorRefusedError, match="expected USD"):
        cashier.price(ORDER)


def test_an_order_is_found_again_whatever_the_clock_says(server: Server, cashier: Cashier) -> None:
    sent = cashier.send(ORDER, 0.5, "available")
    assert sent.state == SUBMITTED
    for hours in (-30, 30):
        at = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)).isoformat()
        lost = cashier.ledger.write(Entry(ORDER, SUBMITTING, 0.5, "available", at))
        found = cashier.settle(lost)
        assert found is not None
        assert found.job_id == sent.job_id
    assert len(server.service.jobs) == 1


@pytest.mark.parametrize(
    "changes",
    [{"encoding": "csv"}, {"split_duration": "month"}, {"symbols": "MNQH6,MNQM6"}, {"schema": "trades"},
     {"end": "2026-02-05T00:00:00.000000000Z"}, {"stype_in": "parent"}],
)  # fmt: skip
def test_another_job_is_not_taken_for_it(server: Server, cashier: Cashier, changes: dict[str, str]) -> None:
    cashier.send(ORDER, 0.5, "available")
    server.service.jobs[0].details.update(changes)
    lost = cashier.ledger.write(Entry(ORDER, SUBMITTING, 0.5, "available", now()))
    assert cashier.settle(lost) is None


def test_answers_that_are_lost_each_time(server: Server, cashier: Cashier) -> None:
    server.faults = [Fault("submit", "drop", 3)]
    with pytest.raises(UncertainSubmissionError, match="was sent 3 times, and every answer was lost"):
        cashier.send(ORDER, 0.5, "available")
    entry = cashier.ledger.find(ORDER.want)
    assert entry is not None
    assert entry.state == SUBMITTING
    server.faults = [Fault("submit", "status", 6, 429, "0")]
    with pytest.raises(VendorUnreachableError, match="too busy for the job for MNQ"):
        cashier.send(ORDER, 0.5, "available")
    assert server.service.jobs == []


def test_jobs_without_numbers_are_not_understood(server: Server, vendor: Vendor) -> None:
    server.faults = [Fault("list_jobs", "junk", body='[{"state": "done"}]')]
    with pytest.raises(VendorRefusedError, match="answer to the list of jobs cannot be understood: KeyError"):
        list_jobs(vendor, now())


def test_faults_of_the_disk_and_of_the_key_are_not_asked_again(vendor: Vendor) -> None:
    def failing(error: Exception) -> Callable[[], None]:
        def call() -> None:
            calls.append(error)
            raise error

        return call

    for error, raised in (
        (OSError(errno.ENOSPC, "No space left on device"), OSError),
        (TypeError(f"no {KEY}"), VendorRefusedError),
    ):
        calls: list[Exception] = []
        with pytest.raises(raised) as told:
            vendor.ask("x", failing(error))
        assert len(calls) == 1
        assert KEY not in str(told.value) or told.value is error
    calls = []
    with pytest.raises(VendorUnreachableError, match=r"did not give x in 6 tries; the last answer was: .*reset"):
        vendor.ask("x", failing(ConnectionResetError(errno.ECONNRESET, "reset")))
    assert len(calls) == 6
    wrong = Vendor("db-wrong", vendor.url, Stopping())
    with pytest.raises(ApiKeyError) as refused:
        list_jobs(wrong, now())
    assert "db-wrong" not in str(refused.value)


def test_pauses() -> None:
    assert [asked_pause({"Retry-After": text}) for text in ("2.5", "-1", "inf", "nan", "soon", "")] == [
        2.5, 0.0, 600.0, None, None, None,
    ]  # fmt: skip
    assert asked_pause({}) is None
    assert without_key("a KEY b KEY", "KEY") == "a <key> b <key>"
