"""The key goes to Databento and to the server that was named, and to nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vp.download.programs import KEY
from vp.download.report import Report
from vp.download.stopping import Stopping
from vp.download.transfer import Remote, Transfer
from vp.download.vendor import DEFAULT_URL, URL_VARIABLE, Vendor, url_of_environment
from vp.errors import BadParameterError, DownloadError


@pytest.mark.parametrize(
    "address",
    [
        "https://evil-databento.com/x", "https://databento.com.example.org/x", "https://example.org/.databento.com",
        "http://hist.databento.com/x", "ftp://hist.databento.com/x", "https://127.0.0.1:9/x", "http://127.0.0.1:8/x",
    ],
)  # fmt: skip
def test_a_strangers_address_is_refused_before_anything_is_sent(tmp_path: Path, address: str) -> None:
    transfer = Transfer(Vendor(KEY, "http://127.0.0.1:9", Stopping(), retry_seconds=0.001), Report())
    with pytest.raises(DownloadError, match="the key was not sent there"):
        transfer.fetch(Remote("x.dbn.zst", address, "0" * 64, 3), tmp_path / "part")
    assert not (tmp_path / "part").exists()


@pytest.mark.parametrize("address", ["http://example.org", "http://127.0.0.1.example.org", "ftp://127.0.0.1", "x"])
def test_a_service_elsewhere_is_asked_over_https_alone(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv(URL_VARIABLE, address)
    with pytest.raises(BadParameterError, match="expected https://host, or http:// on this machine itself"):
        url_of_environment()
    for allowed in ("https://example.org", "http://127.0.0.1:9", "http://localhost:9"):
        monkeypatch.setenv(URL_VARIABLE, allowed)
        assert url_of_environment() == allowed
    monkeypatch.delenv(URL_VARIABLE)
    assert url_of_environment() == DEFAULT_URL
