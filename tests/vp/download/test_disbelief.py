"""What one answer, one clock or one file says is not taken for the end of something paid, or for a day without data."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.databento_server.http import Fault, Server
from tests.vp.download.programs import KEY, ONE, entries, raw_files, run
from vp.download.report import Report
from vp.download.stopping import Stopping
from vp.download.transfer import Remote, Transfer
from vp.download.vendor import Vendor
from vp.errors import DownloadError


@contextmanager
def stranger(data: bytes) -> Iterator[tuple[str, list[str]]]:
    """A host that is not Databento's: its address, and what it was given as authorization."""
    given: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given.append(self.headers.get("Authorization", ""))
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as built:
        thread = threading.Thread(target=built.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{built.server_address[1]}/file", given
        built.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("[]", "lists no date"),
        ('[{"date": "2026-02-03", "condition": "cloudy", "last_modified_date": null}]', "tells cloudy"),
    ],
)
def test_conditions_that_say_nothing_are_no_holiday(server: Server, tmp_path: Path, body: str, says: str) -> None:
    server.faults = [Fault("get_dataset_condition", "junk", 1, body=body)]
    code, said = run(server, tmp_path / "lake", "futures", "daemon", *ONE)
    assert (code, says in said, "holiday" in said) == (1, True, False), said
    assert server.service.jobs == []


def test_a_day_that_is_not_listed_yet_is_no_holiday(server: Server, tmp_path: Path) -> None:
    yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    while yesterday.weekday() > 4:
        yesterday -= dt.timedelta(days=1)
    later = [yesterday + dt.timedelta(days=ahead) for ahead in range(5)]
    server.service.conditions |= dict.fromkeys(map(str, later), "")
    asked = ["--start", str(yesterday), "--end", str(yesterday), "--symbols", "MNQ", "--include-futures"]
    code, said = run(server, tmp_path / "lake", "futures", "submit", *asked)
    assert (code, "1 not there yet" in said, "holiday" in said) == (0, True, False), said


def test_a_job_that_only_seemed_to_expire_is_not_bought_anew(server: Server, tmp_path: Path) -> None:
    """The list told so once; or this machine's clock did."""
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "submit", *ONE)[0] == 0
    server.service.jobs[0].details["state"] = "expired"
    assert run(server, lake, "futures", "daemon", *ONE)[0] == 1
    assert [entry["state"] for entry in entries(lake)] == ["expired"]
    server.service.jobs[0].details["state"] = "done"
    code, said = run(server, lake, "futures", "daemon", *ONE, "--resubmit-expired")
    assert (code, "has not expired; it is done" in said) == (0, True), said
    assert len(server.service.jobs) == 1


def test_whether_a_job_expired_is_not_known_without_an_answer(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "submit", *ONE)[0] == 0
    server.service.jobs[0].details["state"] = "expired"
    assert run(server, lake, "futures", "daemon", *ONE)[0] == 1
    server.faults = [Fault("get_job_details", "junk", 1, body="{}")]
    code, said = run(server, lake, "futures", "daemon", *ONE, "--resubmit-expired")
    assert (code, "cannot be understood" in said) == (1, True), said
    assert len(server.service.jobs) == 1


def test_a_file_of_another_size_is_not_in_the_lake(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "daemon", *ONE)[0] == 0
    (path,) = lake.rglob("*.dbn.zst")
    path.chmod(0o644)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    code, said = run(server, lake, "futures", "daemon", *ONE)
    assert (code, "is there already and differs" in said) == (1, True), said
    path.unlink()
    assert run(server, lake, "futures", "daemon", *ONE)[0] == 0
    assert path.read_bytes() == whole
    assert len(server.service.jobs) == 1


def test_a_file_of_other_symbols_is_not_laid_down(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    server.service.other_symbols["MNQH6"] = "ESH6"
    code, said = run(server, lake, "futures", "daemon", *ONE)
    assert (code, "gave data of ESH6, which were not ordered" in said) == (1, True), said
    assert not list(lake.rglob("*.zst"))
    server.service.other_symbols.clear()
    for part in lake.rglob(".*.part"):
        part.unlink()
    assert run(server, lake, "futures", "daemon", *ONE)[0] == 0


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example\\@hist.databento.com/x", "https://hist.databento.com@evil.example/x",
        "https://evil.example#.databento.com/x", "https://evildatabento.com/x", "http://hist.databento.com/x",
        "https://user:word@hist.databento.com/x", "https://[::1/x", "file:///etc/passwd", "", "x",
    ],
)  # fmt: skip
def test_the_key_goes_to_no_stranger(tmp_path: Path, address: str) -> None:
    transfer = Transfer(Vendor(KEY, "http://127.0.0.1:9", Stopping(), retry_seconds=0.001), Report())
    with pytest.raises(DownloadError, match=r"which is not Databento; the key was not sent|which is no address"):
        transfer.fetch(Remote("x.dbn.zst", address, "0" * 64, 3), tmp_path / "part")


def test_a_file_elsewhere_is_fetched_without_the_key(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "submit", *ONE)[0] == 0
    ((_, data),) = server.service.files_of(0).items()
    with stranger(data) as (address, given):
        server.faults = [Fault("download/", "redirect", 1, body=address)]
        code, said = run(server, lake, "futures", "daemon", *ONE)
    assert code == 0, said
    assert given == [""]
    assert data in raw_files(lake).values()


def test_a_page_in_the_place_of_a_sentence_is_cut(server: Server, tmp_path: Path) -> None:
    page = "<html>" + "x" * 100_000 + "\x1b[31m"
    server.faults = [Fault("get_dataset_condition", "status", 1, 502, body=page)]
    code, said = run(server, tmp_path / "lake", "futures", "daemon", *ONE)
    assert code == 0, said
    assert max(map(len, said.splitlines())) < 1500
    assert "\x1b" not in said


def test_a_size_that_no_disk_holds_is_said(server: Server, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert run(server, lake, "futures", "submit", *ONE)[0] == 0
    server.service.jobs[0].details["state"] = "done"
    (listed,) = server.service.answer("batch.list_files", {"job_id": server.service.jobs[0].details["id"]})[2:]
    server.faults = [Fault("list_files", "junk", 1, body=json.dumps([listed | {"size": 10**18}]))]
    code, said = run(server, lake, "futures", "daemon", *ONE)
    assert (code, "needs 1,000,000,000,000,000,000 more" in said) == (1, True), said
    assert not list(lake.rglob("*.part"))
    assert run(server, lake, "futures", "daemon", *ONE)[0] == 0
