"""`python -m vp.backfill` out of and into object storage, against a real server: the bytes of a disk, and no others."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.s3_server import BUCKET, Key, S3Server, environment
from tests.vp.backfill.days import DATES, SYMBOLS, build
from vp.backfill.job import RecordingJob
from vp.backfill.object_lake import ObjectIdentities, outline
from vp.backfill.plan import Request, plan
from vp.files import sha256_of
from vp.lake.lake import Lake
from vp.model.recording_task import DIGEST_KEY, RecordingTask
from vp.model.session import SessionSpec
from vp.objects.location import Location
from vp.objects.store import ObjectStore
from vp.programs import backfill

pytestmark = pytest.mark.long

COMMON = ("--product-type", "equity_mbo", "--start-time", "09:30", "--fields", "pressure,vacuum", "--throttle-ms", "50")
NAMES = sorted(f"equity_mbo-{symbol}-{dt}.parquet" for symbol in SYMBOLS for dt in DATES)
SIZE_OF_LAST = -56 + 32  # a byte of the last order's size
LAKE = f"s3://{BUCKET}/lakes/one"
FRAMES = f"s3://{BUCKET}/frames"
TABLE = "raw/source=databento/product_type=equity_mbo/symbol={}/table=market_by_order_dbn/xnas-itch-{}.mbo.dbn"


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as one:
        yield one


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("lake"))


@pytest.fixture(autouse=True)
def _bucket(server: S3Server, original: Path) -> Iterator[None]:
    """The lake lies in the bucket, and nothing else does, for one who may use it."""
    server.delete("")
    server.put_tree(original, "lakes/one")
    with environment(server.endpoint, server.owner):
        yield


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    return tmp_path / "staging"


def run(staging: Path, *options: str, lake: str = LAKE, out: str = FRAMES) -> int:
    where = ("--lake", lake, "--out", out, "--staging-directory", str(staging))
    return backfill.main([*COMMON, *where, *options])


def raw(symbol: str, dt: str) -> str:
    return TABLE.format(symbol, dt.replace("-", ""))


def sums(server: S3Server) -> dict[str, str]:
    return {
        name.removeprefix("frames/"): hashlib.sha256(server.get(name)).hexdigest() for name in server.names("frames")
    }


def test_out_of_and_into_object_storage_come_the_bytes_of_a_disk_and_a_second_run_does_nothing(
    server: S3Server, original: Path, staging: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(staging, "--workers", "2") == 0
    made = sums(server)
    assert sorted(made) == NAMES
    for name in NAMES:
        (tmp_path / name).write_bytes(server.get(f"frames/{name}"))
        digest = pq.read_metadata(tmp_path / name).metadata[DIGEST_KEY.encode()].decode()
        _, symbol, dt = name.removesuffix(".parquet").split("-", 2)
        spec = SessionSpec("equity_mbo", symbol, dt, "09:30", throttle_ms=50.0, lake=str(original))
        one = tmp_path / "one.parquet"
        assert RecordingTask(spec, ("pressure", "vacuum")).run(one, digest).frames > 50
        assert sha256_of(one) == made[name]
    capfd.readouterr()
    assert run(staging) == 0
    said = capfd.readouterr()
    assert "0 sessions to record, 4 done before" in said.err
    assert said.out == ""

    server.put(f"lakes/one/{raw('QQQ', DATES[1])}", (original / raw("QQQ", DATES[1])).read_bytes())
    assert run(staging, "--dry-run") == 0  # laid again, later: the same bytes are the same work
    assert "0 sessions to record, 4 done before" in capfd.readouterr().err
    assert not list(staging.glob("**/job-*"))

    changed = bytearray((original / raw("QQQ", DATES[1])).read_bytes())
    changed[SIZE_OF_LAST] ^= 1
    server.put(f"lakes/one/{raw('QQQ', DATES[1])}", bytes(changed))  # as long as before
    assert run(staging) == 0
    assert "1 session to record (1 of them again), 3 done before" in capfd.readouterr().err
    again = sums(server)
    assert {name for name in NAMES if again[name] != made[name]} == {f"equity_mbo-QQQ-{DATES[1]}.parquet"}


def test_what_there_is_of_an_output_counts_only_whole(
    server: S3Server, staging: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ("--symbols", "QQQ", "--workers", "1")
    assert run(staging, *options) == 0
    first, second = sorted(server.names("frames"))
    made = server.get(first)
    odd = {"lakes/one/raw/source=databento/product_type=equity_mbo/symbol=QQQ": b"", f"lakes/one/{'x' * 300}": b""}
    for name, data in odd.items():  # keys that no disk could hold beside the others
        server.put(name, data)
    footer = len(made) - 8 - int.from_bytes(made[-8:-4], "little")
    overwritten = made[:footer] + b"\xff" * 50 + made[footer + 50 :]
    for damaged in (made[:-1], made[: len(made) // 2], b"", b"PAR1", overwritten):
        server.put(first, damaged)
        capfd.readouterr()
        assert run(staging, *options, "--dry-run") == 0
        assert "1 session to record (1 of them again), 1 done before" in capfd.readouterr().err
    assert run(staging, *options) == 0
    assert server.get(first) == made
    server.delete(second)
    assert run(staging, *options, "--dry-run") == 0
    said = capfd.readouterr()
    assert "1 session to record, 1 done before" in said.err
    assert f"s3://{BUCKET}/{second}" in said.out


def test_the_lake_or_the_recordings_alone_may_lie_in_object_storage(
    server: S3Server, original: Path, staging: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "here"
    assert run(staging, "--symbols", "QQQ", out=str(here)) == 0
    names = [name for name in NAMES if "QQQ" in name]
    assert [path.name for path in sorted(here.glob("*.parquet"))] == names
    assert server.names("frames") == {}
    assert run(staging, "--symbols", "QQQ", lake=str(original), out=FRAMES) == 0
    assert sorted(sums(server)) == names
    capfd.readouterr()
    assert run(staging, "--symbols", "QQQ", out=str(here)) == 0
    assert run(staging, "--symbols", "QQQ", lake=str(original), out=FRAMES) == 0
    assert capfd.readouterr().err.count("0 sessions to record, 2 done before") == 2


def test_what_is_damaged_cut_or_unknown_is_a_row_and_hinders_no_other(
    server: S3Server, original: Path, staging: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = (original / raw("QQQ", DATES[0])).read_bytes()
    server.put(f"lakes/one/{raw('QQQ', DATES[0])}", whole[:-20])
    damaged = f"lakes/one/{raw('AAPL', DATES[1])}"
    before = server.get(damaged)
    server.put(f"{damaged}.sha256", f"{hashlib.sha256(before).hexdigest()}  file\n".encode())
    server.put(damaged, before[:-1] + bytes([before[-1] ^ 1]))
    sound = f"lakes/one/{raw('AAPL', DATES[0])}"
    server.put(f"{sound}.sha256", f"{hashlib.sha256(server.get(sound)).hexdigest()}  file\n".encode())
    assert run(staging, "--symbols", "AAPL,QQQ,MSFT", "--workers", "1") == 1
    said = capfd.readouterr()
    rows = {line.split("  ")[0]: line for line in said.out.splitlines()}
    assert "truncated_file" in rows[f"QQQ {DATES[0]}"]
    assert "damaged_file" in rows[f"AAPL {DATES[1]}"]
    assert "another sha256 than xnas-itch-20260709.mbo.dbn.sha256 states" in rows[f"AAPL {DATES[1]}"]
    assert "written" in rows[f"AAPL {DATES[0]}"]
    assert "no_raw_file" in rows["MSFT"]
    assert f"The lake {LAKE} holds nothing of MSFT" in rows["MSFT"]
    assert sorted(sums(server)) == [NAMES[0], NAMES[3]]
    assert "Traceback" not in said.err


def test_what_was_staged_is_used_again_and_a_damaged_copy_is_fetched_anew(
    server: S3Server, staging: Path, tmp_path: Path
) -> None:
    assert run(staging, "--symbols", "QQQ", "--start", DATES[1]) == 0
    (kept,) = (staging / "staging" / "objects").iterdir()
    written_ns, data = kept.stat().st_mtime_ns, kept.read_bytes()
    assert run(staging, "--symbols", "QQQ", "--start", DATES[1], "--throttle-ms", "60") == 0
    assert kept.stat().st_mtime_ns == written_ns
    kept.chmod(0o600)
    kept.write_bytes(bytes(len(data)))
    assert run(staging, "--symbols", "QQQ", "--start", DATES[1], "--throttle-ms", "70") == 0
    assert kept.read_bytes() == data


def test_no_store_no_bucket_and_no_rights_are_a_sentence_each_that_repeats_no_key(
    server: S3Server, staging: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = Key(server.owner.access_key, "W" * 40)
    for endpoint, key, lake, says in (
        (server.endpoint, server.owner, "s3://nothing/lake", "there is no bucket 'nothing'"),
        (server.endpoint, wrong, LAKE, "refuses these credentials (SIGNATURE_DOES_NOT_MATCH)"),
        (server.endpoint, Key("AKIAWRONG", "W" * 40), LAKE, "refuses these credentials (INVALID_ACCESS_KEY_ID)"),
        (server.endpoint, server.stranger, LAKE, "refuses these credentials (ACCESS_DENIED)"),
        ("http://127.0.0.1:1", server.owner, LAKE, "http://127.0.0.1:1 cannot be reached"),
        (f"http://{wrong.secret_key}:b@127.0.0.1:1", wrong, LAKE, "AWS_ENDPOINT_URL is no address of a store"),
    ):
        with environment(endpoint, key):
            assert run(staging, "--log-level", "debug", lake=lake) == 1
        said = capfd.readouterr()
        assert said.err.count("error: ") == 1
        assert says in said.err
        for secret in (key.secret_key, key.access_key):
            assert secret not in said.err + said.out


def test_an_output_that_cannot_be_uploaded_is_its_row(
    server: S3Server, staging: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(staging, out="s3://nothing/frames") == 1
    assert "there is no bucket 'nothing'" in capfd.readouterr().err
    assert server.names("frames") == {}
    assert run(staging, "--staging-limit-gb", "0.000001", "--workers", "1") == 1
    said = capfd.readouterr()
    assert said.out.count("Allow more with --staging-limit-gb") == 4


@pytest.mark.parametrize(
    ("lake", "out", "more", "says"),
    [
        ("s3://key:secret@bucket/lake", FRAMES, (), "more than bucket and prefix"),
        ("s3://bucket/lake?region=x", FRAMES, (), "more than bucket and prefix"),
        ("s3:///lake", FRAMES, (), "expected a bucket"),
        (LAKE, "s3://bucket/a/../b", (), "expected a bucket"),
        (LAKE, FRAMES, ("--then", "study"), "--then needs a lake and recordings on a disk"),
    ],
)
def test_what_is_no_place_in_object_storage_is_said_at_once(
    staging: Path, capfd: pytest.CaptureFixture[str], lake: str, out: str, more: tuple[str, ...], says: str
) -> None:
    assert run(staging, *more, lake=lake, out=out) == 2
    said = capfd.readouterr().err
    assert says in said
    assert "secret" not in said


def test_a_job_wants_all_that_its_session_may_be_played_from_and_nothing_of_other_days(
    server: S3Server, tmp_path: Path
) -> None:
    there = "raw/source=databento/product_type=future_mbo/symbol=MNQ"
    mbo = f"{there}/table=market_by_order_dbn"
    wanted = {
        f"{mbo}/glbx-mdp3-20260708.mbo.MNQU6.dbn.zst": 7,
        f"{mbo}/glbx-mdp3-20260708.mbo.MNQU6.dbn.zst.sha256": 5,
        f"{mbo}/glbx-mdp3-20260708.mbo.133000000000.dbn": 9,
        f"{mbo}/glbx-mdp3-20260708.mbo.segments.jsonl": 3,
        f"{mbo}/manifest.json": 4,
        f"{there}/table=definition/glbx-mdp3-20260708.definition.dbn.zst": 8,
        "products.yaml": 12,
    }
    others = [f"{mbo}/glbx-mdp3-20260709.mbo.dbn", f"{mbo}/glbx-mdp3-20260709.mbo.dbn.json", "raw/other", "notes.txt"]
    for name, size_bytes in wanted.items():
        server.put(f"lakes/two/{name}", b"futures: {}\n"[:size_bytes].ljust(size_bytes))
    for name in others:
        server.put(f"lakes/two/{name}", b"of others")
    store = ObjectStore(Location(BUCKET, "lakes/two"))
    outline(store, "future_mbo", tmp_path)
    identities = ObjectIdentities(Lake(tmp_path), store)
    found = identities.wanted(RecordingTask(SessionSpec("future_mbo", "MNQ", "2026-07-08")))
    assert {one.name: one.identity.size_bytes for one in found} == wanted
    assert all(one.identity == store.identity(one.name) for one in found)
    product = identities.lake.products.find("future_mbo", "MNQ")
    digested = identities.of(product, [dt.date(2026, 7, 8)])
    told = {"sha256", "json", "yaml"}  # what is only said of files
    assert {f"raw/{one.name}" for one in digested} == {name for name in wanted if name.rpartition(".")[2] not in told}


def test_a_plan_of_a_lake_on_a_disk_is_what_it_was(original: Path, tmp_path: Path) -> None:
    request = Request(SessionSpec("equity_mbo", "", "", lake=str(original)), (), None, None, None, tmp_path)
    jobs = plan(request).jobs
    assert all(isinstance(job, RecordingJob) for job in jobs)
    copy = shutil.copytree(original, tmp_path / "copy")
    moved = plan(Request(SessionSpec("equity_mbo", "", "", lake=str(copy)), (), None, None, None, tmp_path)).jobs
    assert {job.digest for job in jobs} == {job.digest for job in moved}
