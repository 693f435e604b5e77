"""What is left out of a session's name, and found or asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lakes import put
from vp.errors import BadParameterError, NoRawFileError, RequestError
from vp.lake.choice import SessionChoice, choose
from vp.lake.lake import Lake

FUTURES, EQUITIES = "glbx-mdp3-{}.mbo.dbn", "xnas-itch-{}.mbo.dbn"


def lake(root: Path, *files: tuple[str, str, str]) -> Lake:
    for product_type, symbol, day in files:
        put(root, product_type, symbol, (FUTURES if product_type == "future_mbo" else EQUITIES).format(day), b"DBN")
    return Lake(root)


def test_type_and_date_are_found_where_there_is_one(tmp_path: Path) -> None:
    held = lake(tmp_path, ("future_mbo", "MNQ", "20260206"), ("equity_mbo", "QQQ", "20260205"))
    said = ("the product type future_mbo", "the date 2026-02-06")
    assert choose(held, None, "MNQH6", None) == SessionChoice("future_mbo", "MNQH6", "2026-02-06", said)
    assert choose(held, None, "QQQ", None).dt == "2026-02-05"
    assert choose(held, "equity_mbo", "QQQ", None).found == ("the date 2026-02-05",)
    assert choose(held, "future_mbo", "MNQ", "2020-01-01").dt == "2020-01-01", "what is given is not doubted here"


def test_several_dates_are_asked_about(tmp_path: Path) -> None:
    held = lake(tmp_path, ("future_mbo", "MNQ", "20260206"), ("future_mbo", "MNQ", "20260205"))
    with pytest.raises(BadParameterError, match="has MNQ on 2026-02-05, 2026-02-06") as caught:
        choose(held, None, "MNQH6", None)
    assert "--dt 2026-02-06" in caught.value.hint


def test_a_symbol_of_two_kinds_is_asked_about_unless_the_date_tells(tmp_path: Path) -> None:
    held = lake(tmp_path, ("future_mbo", "ES", "20260206"), ("equity_mbo", "ES", "20260205"))
    with pytest.raises(BadParameterError, match="ES can be future_mbo and equity_mbo"):
        choose(held, None, "ES", None)
    assert choose(held, None, "ES", "2026-02-05").product_type == "equity_mbo"
    assert choose(held, None, "ES", "2026-02-06").product_type == "future_mbo"


def test_nothing_is_guessed_of_what_is_not_there(tmp_path: Path) -> None:
    held = lake(tmp_path, ("future_mbo", "MNQ", "20260206"))
    with pytest.raises(NoRawFileError, match="no raw file of SPY for any date"):
        choose(held, None, "SPY", None)
    with pytest.raises(BadParameterError, match="named in part: symbol is missing"):
        choose(held, "future_mbo", None, "2026-02-06")
    with pytest.raises(RequestError):
        choose(held, None, "no such thing", None)
