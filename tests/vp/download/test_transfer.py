"""The key goes to Databento and to the server that was named, and to nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vp.download.programs import KEY
from vp.download.report import Report
from vp.download.stopping import Stopping
from vp.download.transfer import Remote, Transfer
from vp.download.vendor import Vendor
from vp.errors import DownloadError


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
