"""Asking prices, sending orders and judging faults, with the real client against the server."""

from __future__ import annotations

import datetime as dt
import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databento_server.http import Fault, Server
from tests.vp.download.programs import KEY
from vp.download.jobs import Jobs
from vp.download.ledger import ABSENT, LOST, REFUSED, SUBMITTED, SUBMITTING, Entry, Ledger, Order, Want, now
from vp.download.search import Search
from vp.download.spend import Budget, Cashier
from vp.download.stopping import Stopping
from vp.download.vendor import Vendor, asked_pause, without_key
from vp.errors import (
    ApiKeyError,
    CostLimitError,
    UncertainSubmissionError,
    UnexpectedAnswerError,
    VendorRefusedError,
    VendorUnreachableError,
)
from vp.lake.layout import place_of

PLACE = place_of("future_mbo", "mbo")
ORDER = Order(Want(PLACE, "MNQ", dt.date(2026, 2, 3)), ("MNQH6",))
OTHER = Order(Want(PLACE, "ES", dt.date(2026, 2, 3)), ("ESH6",))
THIRD = Order(Want(PLACE, "MNQ", dt.date(2026, 2, 4)), ("MNQH6",))


@pytest.fixture
def vendor(server: Server) -> Vendor:
    return Vendor(KEY, server.service.address, Stopping(), retry_seconds=0.001)


@pytest.fixture
def cashier(vendor: Vendor, tmp_path: Path) -> Cashier:
    return cashier_of(vendor, tmp_path)


def cashier_of(vendor: Vendor, lake: Path) -> Cashier:
    """A program's, as each run makes one anew."""
    ledger = Ledger(lake)
    search = Search(Jobs(vendor), ledger, vendor.stopping, ("future_mbo",), settle_seconds=0.02)
    return Cashier(vendor, ledger, search, Budget(10.0, 20))


def state_of(cashier: Cashier, order: Order) -> str:
    entry = cashier.ledger.find(order.want)
    assert entry is not None
    return entry.state


def test_the_budget_counts_what_was_spent() -> None:
    budget = Budget(10.0, 5)
    budget.require(10.0, 5, "x")
    with pytest.raises(CostLimitError):
        budget.require(float("nan"), 1, "x")
    budget.spent_usd = 4.0
    budget.require(6.0, 1, "x")
    with pytest.raises(CostLimitError, match=r"3 jobs would cost 6.01 USD and 4.00 USD were spent before") as refused:
        budget.require(6.01, 3, "3 jobs")
    assert "--max-cost 10.07" in refused.value.hint
    budget.spend(0.1)
    budget.spend(0.2)
    budget.require(5.7, 3, "what is left, to the cent whatever binary fractions make of it")
    with pytest.raises(CostLimitError, match=r"4 jobs would be 4 orders after 2, more than --max-orders 5 in one run"):
        budget.require(0.0, 4, "4 jobs")


@pytest.mark.parametrize("price", [float("nan"), -1.0, float("inf")])
def test_a_price_that_is_none_is_refused(server: Server, cashier: Cashier, price: float) -> None:
    server.service.prices = [0.25, price]
    assert cashier.price(ORDER) == 0.25
    with pytest.raises(UnexpectedAnswerError, match="expected USD"):
        cashier.price(ORDER)


@pytest.mark.parametrize("days", [-3, 0, 3])
def test_a_lost_order_is_found_whatever_the_clocks_say(
    server: Server, cashier: Cashier, vendor: Vendor, tmp_path: Path, days: int
) -> None:
    """Databento's clock is days off in one run; this machine's was, when it wrote the entry that the next run finds."""
    server.service.clock_offset = dt.timedelta(days=days)
    cashier.send(OTHER, 0.5, "available")
    server.faults = [Fault("submit", "lost")]
    sent = cashier.send(ORDER, 0.5, "available")
    assert (sent.state, sent.job_id) == (SUBMITTED, server.service.jobs[1].details["id"])
    at = (dt.datetime.now(dt.UTC) + dt.timedelta(days=days)).isoformat()
    next_run = cashier_of(vendor, tmp_path)
    for newest in ({}, next_run.search.newest_listed()):
        lost = next_run.ledger.write(Entry(ORDER, SUBMITTING, 0.5, "available", at, newest_listed=newest))
        assert next_run.settle(lost).job_id == sent.job_id
    assert len(server.service.jobs) == 2


def test_a_job_that_only_just_came_is_found(server: Server, cashier: Cashier) -> None:
    """It is listed late, and at first by no filter."""
    server.service.unlisted_looks = 4
    server.faults = [Fault("submit", "lost")]
    assert cashier.send(ORDER, 0.5, "available").state == SUBMITTED
    assert len(server.service.jobs) == 1


@pytest.mark.parametrize(
    "changes",
    [{"encoding": "csv"}, {"split_duration": "month"}, {"symbols": "MNQH6,MNQM6"}, {"schema": "trades"},
     {"end": "2026-02-05T00:00:00.000000000Z"}, {"start": "2026-02-03T00:00:00.000000001Z"},
     {"stype_in": "parent"}, {"limit": 5}],
)  # fmt: skip
def test_another_job_is_not_taken_for_it(server: Server, cashier: Cashier, changes: dict[str, str]) -> None:
    cashier.send(ORDER, 0.5, "available")
    server.service.jobs[0].details.update(changes)
    cashier.send(OTHER, 0.5, "available")
    lost = cashier.ledger.write(Entry(ORDER, SUBMITTING, 0.5, "available", now()))
    assert cashier.settle(lost).state == ABSENT


def test_symbols_are_compared_whatever_their_padding_and_case(server: Server, cashier: Cashier) -> None:
    order = Order(ORDER.want, ("QQQ   260203C00500000", "QQQ   260203P00500000"))
    cashier.send(order, 0.5, "available")
    server.service.jobs[0].details["symbols"] = "qqq260203P00500000, QQQ  260203C00500000"
    lost = cashier.ledger.write(Entry(order, SUBMITTING, 0.5, "available", now()))
    assert cashier.settle(lost).job_id == server.service.jobs[0].details["id"]


def test_what_did_not_arrive_is_not_sent_again_in_the_same_run(
    server: Server, cashier: Cashier, vendor: Vendor, tmp_path: Path
) -> None:
    cashier.send(OTHER, 0.5, "available")
    for fault in (Fault("submit", "drop"), Fault("submit", "status", 1, 500)):
        server.faults = [fault]
        with pytest.raises(UncertainSubmissionError, match="no job is listed for it; it was not sent again"):
            cashier.send(ORDER, 0.5, "available")
        entry = cashier.ledger.find(ORDER.want)
        assert entry is not None
        assert entry.state == LOST
        # The next run finds by the list, which proves by the other job to be whole, that it did not arrive.
        assert cashier_of(vendor, tmp_path).settle(entry).state == ABSENT
    assert len(server.service.jobs) == 1
    assert cashier.budget.spent_usd == 1.5  # at most, in the run that did not know


def test_a_list_that_hides_a_known_job_proves_nothing(server: Server, cashier: Cashier) -> None:
    cashier.send(OTHER, 0.5, "available")
    lost = cashier.ledger.write(Entry(ORDER, SUBMITTING, 0.5, "available", now()))
    server.faults = [Fault("list_jobs", "junk", 100, body="[]")]
    with pytest.raises(UncertainSubmissionError, match=r"its list does not show the job GLBX\S+ either") as told:
        cashier.settle(lost)
    assert "a batch job of GLBX.MDP3 mbo MNQH6 from 2026-02-03" in told.value.hint
    assert "--resubmit-lost" in told.value.hint


@pytest.mark.parametrize("state", [SUBMITTING, LOST])
def test_a_list_that_nothing_proves_is_not_believed(cashier: Cashier, state: str) -> None:
    """An account without a job lists none; so does a list that is late."""
    entry = cashier.ledger.write(Entry(ORDER, state, 0.5, "available", now()))
    with pytest.raises(UncertainSubmissionError, match="no job is known by which its list could prove"):
        cashier.settle(entry)
    assert state_of(cashier, ORDER) == state


def test_a_list_that_hides_any_known_job_proves_nothing(server: Server, cashier: Cashier) -> None:
    """Whichever of them this machine's clock says is the newest."""
    cashier.send(OTHER, 0.5, "available")
    cashier.send(THIRD, 0.5, "available")
    server.service.jobs.pop(0)
    lost = cashier.ledger.write(Entry(ORDER, SUBMITTING, 0.5, "available", now()))
    with pytest.raises(UncertainSubmissionError, match=r"its list does not show the job GLBX\S+ either"):
        cashier.settle(lost)


def test_jobs_that_are_told_in_other_words_prove_nothing(server: Server, cashier: Cashier) -> None:
    """A job that is known is not recognised by its details: neither would the lost one be."""
    cashier.send(OTHER, 0.5, "available")
    server.faults = [Fault("submit", "lost")]
    server.service.jobs[0].details["schema"] = "market-by-order"
    submit = server.service._submit

    def in_other_words(given: dict[str, str]) -> dict[str, object]:
        answer = submit(given)
        server.service.jobs[-1].details["schema"] = "market-by-order"
        return answer

    server.service._submit = in_other_words  # type: ignore[method-assign]
    with pytest.raises(UncertainSubmissionError, match="otherwise than it was ordered, so that none can be recognised"):
        cashier.send(ORDER, 0.5, "available")
    assert state_of(cashier, ORDER) == LOST


def test_a_job_that_is_listed_hours_late_is_not_bought_again(
    server: Server, cashier: Cashier, vendor: Vendor, tmp_path: Path
) -> None:
    """It was taken as not arrived by one run; the next looks once more before it orders, and counts it in between."""
    cashier.send(OTHER, 0.5, "available")
    server.faults = [Fault("submit", "lost")]
    server.service.unlisted_looks = 1000
    with pytest.raises(UncertainSubmissionError):
        cashier.send(ORDER, 0.5, "available")
    lost = cashier.ledger.find(ORDER.want)
    assert lost is not None
    absent = cashier_of(vendor, tmp_path).settle(lost)
    assert (absent.state, absent.bought_usd) == (ABSENT, 0.5)
    server.service.jobs[1].looks = 0
    sent = cashier_of(vendor, tmp_path).send(ORDER, 0.5, "available")
    assert (sent.state, sent.job_id) == (SUBMITTED, server.service.jobs[1].details["id"])
    assert (len(server.service.jobs), sent.bought_usd) == (2, 0.5)


def test_what_was_taken_as_not_arrived_goes_on_counting(
    server: Server, cashier: Cashier, vendor: Vendor, tmp_path: Path
) -> None:
    cashier.send(OTHER, 0.5, "available")
    lost = cashier.ledger.write(Entry(ORDER, SUBMITTING, 0.5, "available", now()))
    cashier.settle(lost)
    sent = cashier_of(vendor, tmp_path).send(ORDER, 0.5, "available")
    assert sent.bought_usd == 1.0
    assert len(server.service.jobs) == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault("list_jobs", "junk", 100, body='[{"id": "J-1", "state": "done"}]'), Fault("list_jobs", "drop", 100),
        Fault("get_job_details", "junk", 100, body='{"id": "J-1", "state": "done"}'),
        Fault("get_job_details", "status", 100, 404), Fault("list_jobs", "junk", 100, body="null"),
    ],
    ids=["list-form", "list-lost", "details-form", "details-refused", "list-null"],
)  # fmt: skip
def test_an_answer_that_says_nothing_is_never_not_found(server: Server, cashier: Cashier, fault: Fault) -> None:
    cashier.send(OTHER, 0.5, "available")
    server.faults = [Fault("submit", "lost"), fault]
    with pytest.raises(UncertainSubmissionError, match="its jobs cannot be looked at"):
        cashier.send(ORDER, 0.5, "available")
    assert state_of(cashier, ORDER) == LOST
    assert len(server.service.jobs) == 2


def test_the_list_as_it_was_before_names_no_details(server: Server, cashier: Cashier) -> None:
    """The old form tells more than is used, which is no fault of it; where there are no details, nothing is found."""
    server.service.old_list = True
    assert cashier.send(OTHER, 0.5, "available").state == SUBMITTED
    server.faults = [Fault("submit", "lost")]
    with pytest.raises(UncertainSubmissionError, match=r"cannot be looked at: .* There is no method"):
        cashier.send(ORDER, 0.5, "available")
    assert len(server.service.jobs) == 2


def test_answers_that_are_lost_in_a_row_end_the_ordering(server: Server, cashier: Cashier) -> None:
    server.faults = [Fault("submit", "lost", 2)]
    assert cashier.send(ORDER, 0.5, "available").state == SUBMITTED
    with pytest.raises(UncertainSubmissionError, match="to 2 orders in a row were lost; both were found"):
        cashier.send(OTHER, 0.5, "available")
    assert state_of(cashier, OTHER) == SUBMITTED
    assert cashier.send(THIRD, 0.5, "available").state == SUBMITTED
    assert len(server.service.jobs) == 3


def test_what_certainly_did_not_arrive_costs_nothing(server: Server, cashier: Cashier, vendor: Vendor) -> None:
    cashier.send(OTHER, 0.5, "available")
    server.faults = [Fault("submit", "status", 6, 429, "0"), Fault("submit", "status", 1, 402)]
    with pytest.raises(VendorUnreachableError, match="could not be sent in 6 tries: HTTP 429"):
        cashier.send(ORDER, 0.5, "available")
    with pytest.raises(VendorRefusedError, match="HTTP 402") as refused:
        cashier.send(ORDER, 0.5, "available")
    assert "asks for payment" in refused.value.hint
    vendor.batch = Vendor(KEY, "http://127.0.0.1:9", Stopping()).batch  # where nobody listens
    with pytest.raises(VendorUnreachableError, match=r"could not be sent in 6 tries: .*refused"):
        cashier.send(ORDER, 0.5, "available")
    assert state_of(cashier, ORDER) == REFUSED
    assert cashier.budget.spent_usd == 0.5
    assert len(server.service.jobs) == 1


def test_faults_of_the_disk_and_of_the_key_are_not_asked_again(vendor: Vendor) -> None:
    def failing(error: Exception) -> Callable[[], None]:
        def call() -> None:
            calls.append(error)
            raise error

        return call

    for error, raised in (
        (OSError(errno.ENOSPC, "No space left on device"), OSError),
        (TypeError(f"no {KEY}"), VendorRefusedError),
        (AttributeError(f"no {KEY}"), UnexpectedAnswerError),
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
        Jobs(wrong).listed(None)
    assert "db-wrong" not in str(refused.value)


def test_pauses() -> None:
    assert [asked_pause({"Retry-After": text}) for text in ("2.5", "-1", "inf", "nan", "soon", "")] == [
        2.5, 0.0, 600.0, None, None, None,
    ]  # fmt: skip
    assert asked_pause({}) is None
    assert without_key("a KEY b KEY", "KEY") == "a <key> b <key>"
