"""Addresses in object storage, and who takes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vp.errors import BadParameterError, LakeError
from vp.lake.lake import Lake
from vp.objects.location import Location, is_location, parse_location
from vp.output_file import output_path


@pytest.mark.parametrize(
    ("text", "location", "path"),
    [
        ("s3://bucket", Location("bucket"), "bucket/a/b"),
        ("s3://bucket/", Location("bucket"), "bucket/a/b"),
        ("s3://my.bucket-1/one/two/", Location("my.bucket-1", "one/two"), "my.bucket-1/one/two/a/b"),
    ],
)
def test_an_address_is_a_bucket_and_a_prefix(text: str, location: Location, path: str) -> None:
    assert is_location(text)
    assert parse_location("lake", text) == location
    assert location.path("a/b") == path
    assert location.url("a/b") == f"s3://{path}"
    assert str(location) == text.rstrip("/")


@pytest.mark.parametrize(
    "text",
    ["s3://", "s3://B", "s3://b", "s3://bucket//a", "s3://bucket/./a", "s3://k:hidden@bucket/a", "s3://bucket/a#b"],
)
def test_other_addresses_are_refused_and_no_key_is_repeated(text: str) -> None:
    with pytest.raises(BadParameterError, match=r"expected a bucket|more than bucket and prefix") as told:
        parse_location("lake", text)
    assert "hidden" not in str(told.value)


@pytest.mark.parametrize("text", ["", "bucket", "/s3://bucket", "file:///a", None])
def test_what_is_on_a_disk_is_no_such_address(text: str | None) -> None:
    assert not is_location(text)


def test_programs_that_read_disks_alone_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LakeError, match=r"'bucket/lake' is no directory\. Only `vp backfill` reads") as told:
        Lake("s3://key:hidden@bucket/lake")
    assert "hidden" not in str(told.value)
    monkeypatch.setenv("VP_LAKE", "s3://bucket/lake")
    with pytest.raises(LakeError, match="Only `vp backfill`"):
        Lake()
    with pytest.raises(BadParameterError, match="Only `vp backfill` writes to object storage"):
        output_path("s3://bucket/frames.parquet", tmp_path)
