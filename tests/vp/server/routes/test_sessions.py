from __future__ import annotations

from pathlib import Path

from vp.lake.lake import Lake
from vp.server.routes.sessions import list_sessions


def test_the_catalogue_lists_the_lake(tmp_path: Path) -> None:
    assert list_sessions(Lake(tmp_path)) == []
    raw = tmp_path / "raw/source=databento/product_type=future_mbo/symbol=ES/table=market_by_order_dbn"
    raw.mkdir(parents=True)
    (raw / "glbx-mdp3-20231225.mbo.dbn").write_bytes(b"x")
    [entry] = list_sessions(Lake(tmp_path))
    assert (entry["symbol"], entry["dt"], entry["source"]) == ("ES", "2023-12-25", "databento")
    assert "19:00 ET" in entry["hours_et"]
